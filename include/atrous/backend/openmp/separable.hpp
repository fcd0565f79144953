// SPDX-License-Identifier: MIT
#pragma once
// Depthwise and pointwise in one go: a block of the depthwise's pixels stays in the cache of the thread that
// multiplies it.
#include <atrous/backend/openmp/depthwise.hpp>
#include <atrous/backend/openmp/pointwise.hpp>

namespace atrous::cpu {

/// Elements from one row of a block to the next: an odd number of cache lines, or the rows of a tile would share a
/// few sets of the first-level cache.
template <class T>
[[gnu::always_inline]] constexpr std::int64_t block_row(std::int64_t terms) {
  constexpr std::int64_t line = 64 / sizeof(T);
  return ((terms + line - 1) / line | 1) * line;
}

template <class T>
std::int64_t separable_rows(simd::instruction_set set, int channels) {
  return rows_at_once<T>(set, block_row<T>(terms_at_once(channels)));
}

template <class T>
std::size_t separable_scratch(simd::instruction_set set, int channels, int threads) {
  const std::int64_t rows = separable_rows<T>(set, channels) + simd::properties_at(set).rows;
  return static_cast<std::size_t>(rows * block_row<T>(terms_at_once(channels)) * threads) * sizeof(T);
}

/// Where many channels would push a block out of the cache, some of them pass through both halves at a time.
///
/// reads x, both layers' weights, other; writes y, scratch. cost: pixels * (taps + channels out) * C multiply-adds.
template <activation Before, class T>
void separable(simd::instruction_set set, const operands<T>& o, activation between, activation after,
               bool sum) {
  const depthwise_layer<T> first(o.run->first, o.x, o.first_weights, between);
  const product<T> all = product_of(set, o, after, sum);
  const int step = terms_at_once(all.terms);
  const std::int64_t pixels = o.y.pixels(), pitch = block_row<T>(step);
  const blocks rows =
      cut(pixels, separable_rows<T>(set, all.terms), simd::properties_at(set).rows, o.threads);
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int thread) {
    const std::int64_t begin = rows.begin(block), end = rows.end(block);
    T* middle = reinterpret_cast<T*>(o.scratch.data()) + thread * rows.size * pitch;
    product<T> some = all;
    some.rows = static_cast<int>(end - begin);
    some.y = o.y.at(begin);
    some.other = sum ? o.other.at(begin) : nullptr;
    for (int c = 0; c < all.terms; c += step) {
      const depthwise_layer<T> part = first.part(c, std::min(step, all.terms - c));
      each_row(begin, end, o.y.height, o.y.width, [&](int n, int i, int j, int last, std::int64_t done) {
        depthwise_row<Before>(set, part, {n, i, j}, last, middle + done * pitch, pitch);
      });
      product<T> now = part_of(set, some, c, part.x.channels);
      now.a = middle;
      now.a_row = pitch;
      simd::dispatch(set, now);
    }
  });
}

}  // namespace atrous::cpu
