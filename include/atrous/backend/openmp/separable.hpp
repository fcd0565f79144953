// SPDX-License-Identifier: MIT
#pragma once
// Depthwise and pointwise in one go: a block of the depthwise's pixels stays in the cache of the thread that
// multiplies it.
#include <atrous/backend/openmp/depthwise.hpp>
#include <atrous/backend/openmp/pointwise.hpp>

namespace atrous::cpu {

template <class T>
std::int64_t separable_rows(simd::instruction_set set, int channels) {
  return rows_at_once<T>(set, block_row<T>(terms_at_once(channels)));
}

template <class T>
std::size_t separable_scratch(simd::instruction_set set, int channels, int out, int threads) {
  const std::int64_t rows = separable_rows<T>(set, channels) + simd::properties_at(set).rows;
  const int step = terms_at_once(channels);
  const block_memory<T> how(block_row<T>(step), out, step < channels);
  return static_cast<std::size_t>(rows * threads) *
         (static_cast<std::size_t>(how.row()) * sizeof(arithmetic<T>) + sizeof(std::ptrdiff_t));
}

/// Output pixels first ... last - 1 in an order of the layer, `y` being where the first of them goes. Of many channels some at a
/// time: what pixels side by side share stays in the first-level cache.
template <activation Before, class T, class To>
void depthwise_block(simd::instruction_set set, const depthwise_layer<T>& layer, const window_order& order,
                     std::int64_t first, std::int64_t last, To* y, std::ptrdiff_t y_pixel) {
  constexpr int most_channels = 192;
  const int channels = layer.x.channels, step = share_of(channels, most_channels);
  for (int c = 0; c < channels; c += step) {
    const depthwise_layer<T> part = layer.part(c, std::min(step, channels - c));
    for (std::int64_t p = first; p < last;) {
      const pixel_run run = order.from(p, last);
      To* to = y + (p - first) * y_pixel + c;
      To* below = run.pair ? to + y_pixel : nullptr;
      depthwise_rows<Before>(set, part, run.at, run.end, to, below, run.pair ? 2 * y_pixel : y_pixel);
      p += run.count();
    }
  }
}

/// Where many channels would push a block out of the cache, some of them pass through both halves at a time. Pixels come in
/// the order that suits the depthwise half.
///
/// reads x, both layers' weights, other; writes y, scratch. cost: pixels * (taps + channels out) * C multiply-adds.
template <activation Before, class T>
void separable(simd::instruction_set set, const operands<T>& o, activation between, activation after,
               bool sum) {
  const depthwise_layer<T> first(o.run->first, o.x, o.first_weights, between);
  const window_order order = first.order(o.threads);
  const product<T> all = product_of(set, o, after, sum);
  const int step = terms_at_once(all.terms);
  const std::int64_t pixels = o.y.pixels();
  const block_memory<T> how(block_row<T>(step), all.columns, step < all.terms);
  const blocks rows =
      cut(pixels, separable_rows<T>(set, all.terms), simd::properties_at(set).rows, o.threads);
  auto* numbers = reinterpret_cast<arithmetic<T>*>(o.scratch.data());
  auto* places = reinterpret_cast<std::ptrdiff_t*>(numbers + o.threads * rows.size * how.row());
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int thread) {
    const std::int64_t begin = rows.begin(block), end = rows.end(block);
    const block_memory<T> memory = how.at(numbers + thread * rows.size * how.row(), rows.size);
    product<T> some = all;
    some.rows = static_cast<int>(end - begin);
    if (order.in_sequence()) {
      some.y = o.y.at(begin);
      some.other = sum ? o.other.at(begin) : nullptr;
    } else {
      std::ptrdiff_t* of_block = places + thread * rows.size;
      order.write_places(begin, end, of_block);
      some.order = of_block;
      some.y = o.y.data;
      some.other = sum ? o.other.data : nullptr;
    }
    for (int c = 0; c < all.terms; c += step) {
      const int count = std::min(step, all.terms - c);
      depthwise_block<Before>(set, first.part(c, count), order, begin, end, memory.left(), memory.pitch());
      memory.run(set, some.part(c, count, panel_columns<T>(set)), c == 0, c + step >= all.terms);
    }
  });
}

}  // namespace atrous::cpu
