// SPDX-License-Identifier: MIT
#pragma once
// Largest and mean value of windows. Vectors run along the channels.
#include <limits>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// A window of `rows` x `columns` pixels, all inside, reduced to one pixel.
///
///   reads   x under the window
///   writes  y (channels)
///   cost    rows * columns * channels additions or comparisons
template <class T, bool Mean>
struct pooled_pixel {
  const T* x = nullptr;
  int rows = 0, columns = 0;
  std::ptrdiff_t down = 0, right = 0;
  int channels = 0;
  T* y = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    using one = simd::lane<T>;
    constexpr int many = 8 * lanes::width;
    int c = 0;
    for (; c + many <= channels; c += many) reduce<lanes, 8>(c);
    for (; c + lanes::width <= channels; c += lanes::width) reduce<lanes, 1>(c);
    for (; c < channels; ++c) reduce<one, 1>(c);
  }

 private:
  /// Means add up row by row: the error grows with rows + columns, not with their product.
  template <class L, int Vectors>
  [[gnu::always_inline]] void reduce(int c) const {
    using vector = typename L::vector;
    using number = typename L::number;
    const vector start = (Mean ? number(0) : -std::numeric_limits<number>::infinity()) - vector{};
    vector whole[Vectors];
#pragma GCC unroll 8
    for (int k = 0; k < Vectors; ++k) whole[k] = start;
    for (int i = 0; i < rows; ++i) {
      const T* pixel = x + i * down + c;
      vector row[Vectors];
#pragma GCC unroll 8
      for (int k = 0; k < Vectors; ++k) row[k] = start;
      for (int j = 0; j < columns; ++j, pixel += right)
#pragma GCC unroll 8
        for (int k = 0; k < Vectors; ++k) {
          vector value;
          L::load(pixel + k * L::width, value);
          include<L>(row[k], value);
        }
#pragma GCC unroll 8
      for (int k = 0; k < Vectors; ++k) include<L>(whole[k], row[k]);
    }
    const vector count = static_cast<number>(double(rows) * columns) - vector{};
#pragma GCC unroll 8
    for (int k = 0; k < Vectors; ++k) {
      if (Mean) whole[k] /= count;
      L::store(y + c + k * L::width, whole[k]);
    }
  }

  template <class L>
  [[gnu::always_inline]] static void include(typename L::vector& into, const typename L::vector& value) {
    if (Mean) {
      into += value;
    } else {
      into = into < value ? value : into;
    }
  }
};

/// reads x, writes y. cost: pixels * taps inside * C comparisons. What lies outside does not count.
template <class T>
void max_pool(simd::instruction_set set, const operands<T>& o) {
  const axis rows = rows_axis(o.run->what, o.x.shape()), columns = columns_axis(o.run->what, o.x.shape());
  parallel_rows(o.threads, o.y, [&](int n, int i, int first, int last, int) {
    const tap_range u = rows.inside(i);
    for (int j = first; j < last; ++j) {
      const tap_range v = columns.inside(j);
      const bool some = u.count() > 0 && v.count() > 0;
      const T* x =
          some ? o.x.at(n, rows.start(i) + u.first * rows.rate, columns.start(j) + v.first * columns.rate)
               : o.x.data;
      simd::dispatch(set, pooled_pixel<T, false>{x, u.count(), v.count(), rows.rate * (o.x.width * o.x.pixel),
                                                 columns.rate * o.x.pixel, o.y.channels, o.y.at(n, i, j)});
    }
  });
}

/// reads x, writes y. cost: pixels * window * C additions.
template <class T>
void average_pool(simd::instruction_set set, const operands<T>& o) {
  const op& what = o.run->what;
  const int height = what.window_height > 0 ? what.window_height : o.x.height;
  const int width = what.window_width > 0 ? what.window_width : o.x.width;
  constexpr int most = 64;  // channels of a chunk: a few large windows are shared out by channels
  const int parts = (o.y.channels + most - 1) / most;
  parallel_for(o.threads, o.y.pixels() * parts, [&](std::int64_t k, int) {
    const position at = position_of(k / parts, o.y.height, o.y.width);
    const int c = static_cast<int>(k % parts) * most;
    simd::dispatch(set, pooled_pixel<T, true>{
                            o.x.at(at.image, at.row * what.stride, at.column * what.stride) + c, height,
                            width, o.x.width * o.x.pixel, o.x.pixel, std::min(most, o.y.channels - c),
                            o.y.at(at.image, at.row, at.column) + c});
  });
}

}  // namespace atrous::cpu
