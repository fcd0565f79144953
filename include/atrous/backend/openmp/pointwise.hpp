// SPDX-License-Identifier: MIT
#pragma once
// 1 x 1 convolution with stride 1: the feature map is the matrix, nothing is copied.
#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/product.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/caches.hpp>

namespace atrous::cpu {

/// Terms that are summed in one go: more would push a block of rows out of the cache. Shapes alone decide. Passes begin
/// at multiples of a cache line.
constexpr int terms_at_once(int terms) {
  constexpr int most = 768, line = 16;
  const int passes = (terms + most - 1) / most;
  return passes > 1 ? ((terms + passes - 1) / passes + line - 1) / line * line : terms;
}

/// Rows of a block whose part of the left matrix takes a third of the second-level cache: beside it there are two panels
/// of weights and what is written.
template <class T>
std::int64_t rows_at_once(simd::instruction_set set, std::int64_t terms) {
  const std::int64_t row = static_cast<std::int64_t>(sizeof(T)) * std::max<std::int64_t>(terms, 1);
  return std::max<std::int64_t>(simd::second_level_cache() / 3 / row, simd::properties_at(set).rows);
}

/// The pass over terms first ... first + count - 1: all but the first pass go on from y, only the last one finishes.
template <class T>
product<T> part_of(simd::instruction_set set, const product<T>& whole, int first, int count) {
  product<T> part = whole;
  part.a += first;
  part.b += std::ptrdiff_t{first} * panel_columns<T>(set);
  part.terms = count;
  if (first > 0) part.bias = nullptr;
  if (first + count < whole.terms) {
    part.other = nullptr;
    part.after = {};
  }
  return part;
}

/// What a product has in common for all rows of a step.
template <class T>
product<T> product_of(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const int terms = o.run->what.kernel * o.run->what.kernel * o.x.channels;
  product<T> all;
  all.terms = terms;
  all.b = o.weights.kernel;
  all.b_panel = std::ptrdiff_t{terms} * panel_columns<T>(set);
  all.y_row = o.y.pixel;
  all.columns = o.y.channels;
  all.bias = o.weights.bias;
  all.other_row = sum ? o.other.pixel : 0;
  all.after = bounds_of<T>(after);
  return all;
}

/// reads x, weights, bias, other; writes y. cost: pixels * C * channels out multiply-adds.
template <class T>
void pointwise(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const product<T> all = product_of(set, o, after, sum);
  const int step = terms_at_once(all.terms);
  const std::int64_t pixels = o.y.pixels();
  const blocks rows = cut(pixels, rows_at_once<T>(set, step), simd::properties_at(set).rows, o.threads);
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int) {
    const std::int64_t first = rows.begin(block);
    product<T> some = all;
    some.a = o.x.at(first);
    some.a_row = o.x.pixel;
    some.rows = static_cast<int>(rows.end(block) - first);
    some.y = o.y.at(first);
    some.other = sum ? o.other.at(first) : nullptr;
    for (int k = 0; k < all.terms; k += step)
      simd::dispatch(set, part_of(set, some, k, std::min(step, all.terms - k)));
  });
}

}  // namespace atrous::cpu
