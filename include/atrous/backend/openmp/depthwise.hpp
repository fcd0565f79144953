// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution of any kernel, stride and rate. Output pixels of a row that see the same taps form a run;
// taps outside the image are left out of it, or a zero takes their place, but none is padded. Every output sums bias, then
// taps row by row.
#include <atrous/backend/openmp/depthwise_lattice.hpp>
#include <atrous/backend/openmp/depthwise_layer.hpp>
#include <atrous/backend/openmp/limits.hpp>
#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Output pixels of one row that see taps u x v, all of them inside.
///
///   reads   x under the taps, kernel, bias
///   writes  y (pixels, C)
///   cost    pixels * u.count() * v.count() * C multiply-adds
template <class T, activation Before, class To = T>
struct depthwise_run {
  const depthwise_layer<T>* layer = nullptr;
  const T* x = nullptr;  // under the first tap of the first pixel
  To* y = nullptr;
  std::ptrdiff_t y_pixel = 0;
  tap_range u{}, v{};
  int pixels = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    if (layer->x.channels >= lanes::width) {
      whole<lanes>();
    } else {
      whole<simd::lane<T>>();
    }
  }

 private:
  static constexpr int together = 4;  // pixels that share a load of the weights

  /// What the loops need, in registers: after a store the compiler would read a struct again.
  struct geometry {
    int channels = 0, taps = 0;
    std::ptrdiff_t step = 0, right = 0, down = 0, y_pixel = 0;  // between output pixels, taps, pixels of y
    std::ptrdiff_t tap_pitch = 0;
    tap_range u{}, v{};
    const arithmetic<T>* kernel = nullptr;  // at the first tap
    const T* bias = nullptr;
    bounds<T> after{};
    arithmetic<T> zero = 0;
  };

  template <class L>
  [[gnu::always_inline]] void whole() const {
    const depthwise_layer<T>& of = *layer;
    const std::ptrdiff_t line = std::ptrdiff_t{of.x.width} * of.x.pixel;
    const geometry g{of.x.channels,
                     of.columns.taps,
                     of.columns.stride * of.x.pixel,
                     of.columns.rate * of.x.pixel,
                     of.rows.rate * line,
                     y_pixel,
                     of.tap_pitch,
                     u,
                     v,
                     of.kernel + (std::ptrdiff_t{u.first} * of.columns.taps + v.first) * of.tap_pitch,
                     of.weights.bias,
                     of.after,
                     of.zero};
    if (pixels < together) {
      for (int p = 0; p < pixels; ++p) group<L, 1>(g, x + p * g.step, y + p * g.y_pixel);
    } else {
      const int last = pixels - together;  // the last group may repeat some of those before
      for (int p = 0; p < pixels; p += together) {
        const int first = p < last ? p : last;
        group<L, together>(g, x + first * g.step, y + first * g.y_pixel);
      }
    }
  }

  template <class Vector>
  [[gnu::always_inline]] static void activate(Vector& value, const Vector& zero) {
    if (Before != activation::none) value = value < zero ? zero : value;
  }

  /// Pixels with any stride and rate.
  template <class L, int Pixels>
  [[gnu::always_inline]] static void group(const geometry& g, const T* from, To* to) {
    using vector = typename L::vector;
    const std::ptrdiff_t next_kernel_row = g.taps * g.tap_pitch;
    simd::each_vector<L>(
        g.channels, [&](int c) __attribute__((always_inline)) {
          const vector low = g.after.low - vector{}, high = g.after.high - vector{}, zero = g.zero - vector{};
          vector sums[Pixels];
#pragma GCC unroll 8
          for (int p = 0; p < Pixels; ++p) L::load(g.bias + c, sums[p]);
          const T* row = from + c;
          const arithmetic<T>* kernel_row = g.kernel + c;
#pragma GCC unroll 1
          for (int i = g.u.first; i < g.u.last; ++i, row += g.down, kernel_row += next_kernel_row) {
            const T* pixel = row;
            const arithmetic<T>* kernel = kernel_row;
#pragma GCC unroll 1
            for (int j = g.v.first; j < g.v.last; ++j, pixel += g.right, kernel += g.tap_pitch) {
              vector weight;
              L::template of<arithmetic<T>>::load(kernel, weight);
#pragma GCC unroll 8
              for (int p = 0; p < Pixels; ++p) {
                vector value;
                L::load(pixel + p * g.step, value);
                activate(value, zero);
                sums[p] += value * weight;
              }
            }
          }
#pragma GCC unroll 8
          for (int p = 0; p < Pixels; ++p) {
            sums[p] += vector{};  // no -0: as in a lattice
            L::clamp(sums[p], low, high);
            L::template of<To>::store(to + p * g.y_pixel + c, sums[p]);
          }
        });
  }
};

/// One output pixel at a border that has a value per channel.
///
///   reads   x or border under every tap, kernel, bias
///   writes  y (C)
///   cost    taps * taps * C multiply-adds
template <class T, class To>
struct depthwise_at_border {
  const depthwise_layer<T>* layer = nullptr;
  position at{};
  To* y = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    layer->x.channels >= lanes::width ? whole<lanes>() : whole<simd::lane<T>>();
  }

 private:
  template <class L>
  [[gnu::always_inline]] void whole() const {
    using vector = typename L::vector;
    const int taps = layer->rows.taps;
    const tap_range u = layer->rows.inside(at.row), v = layer->columns.inside(at.column);
    const vector low = layer->after.low - vector{}, high = layer->after.high - vector{};
    simd::each_vector<L>(
        layer->x.channels, [&](int c) __attribute__((always_inline)) {
          vector sum, value, weight;
          L::load(layer->weights.bias + c, sum);
          for (int i = 0; i < taps; ++i) {
            for (int j = 0; j < taps; ++j) {
              const bool inside = i >= u.first && i < u.last && j >= v.first && j < v.last;
              const int row = layer->rows.start(at.row) + i * layer->rows.rate;
              const int column = layer->columns.start(at.column) + j * layer->columns.rate;
              L::load((inside ? layer->x.at(at.image, row, column) : layer->weights.border) + c, value);
              L::template of<arithmetic<T>>::load(
                  layer->kernel + (std::ptrdiff_t{i} * taps + j) * layer->tap_pitch + c, weight);
              sum += value * weight;
            }
          }
          sum += vector{};
          L::clamp(sum, low, high);
          L::template of<To>::store(y + c, sum);
        });
  }
};

/// Output pixels of one row, from `at` to the one before column `last`. `y` is where the first of them goes.
template <activation Before, class T, class To>
void depthwise_windows(simd::instruction_set set, const depthwise_layer<T>& layer, position at, int last,
                       To* y, std::ptrdiff_t y_pixel) {
  const tap_range u = layer.rows.inside(at.row), all{0, layer.rows.taps};
  for (int j = at.column; j < last;) {
    const tap_range v = layer.columns.inside(j);
    To* to = y + (j - at.column) * y_pixel;
    if (layer.weights.border != nullptr && (u != all || v != all)) {
      simd::dispatch(set, depthwise_at_border<T, To>{&layer, {at.image, at.row, j}, to});
      ++j;
      continue;
    }
    const int end = layer.columns.same_until(j, last);
    const T* from = layer.under({at.image, at.row, j}, u, v);
    simd::dispatch(set, depthwise_run<T, Before, To>{&layer, from, to, y_pixel, u, v, end - j});
    j = end;
  }
}

/// The same, and of the row a rate below it, which goes to `below` (nullptr: not wanted): as much as can be in a lattice.
template <activation Before, class T, class To>
void depthwise_rows(simd::instruction_set set, const depthwise_layer<T>& layer, position at, int last, To* y,
                    To* below, std::ptrdiff_t y_pixel) {
  using lattice = depthwise_lattice<T, Before, To>;
  const int rate = layer.rows.rate;
  const auto one_by_one = [&](int first, int end) {
    if (first >= end) return;
    const std::ptrdiff_t done = (first - at.column) * y_pixel;
    depthwise_windows<Before>(set, layer, {at.image, at.row, first}, end, y + done, y_pixel);
    if (below == nullptr) return;
    depthwise_windows<Before>(set, layer, {at.image, at.row + rate, first}, end, below + done, y_pixel);
  };
  const auto [columns, taps] = layer.in_lattice(at.row, below != nullptr ? 2 : 1, at.column, last);
  if (columns.count() < lattice::together * rate) return one_by_one(at.column, last);
  one_by_one(at.column, columns.first);
  const T* middle = layer.x.at(at.image, layer.rows.start(at.row) + rate,
                               layer.columns.start(columns.first) + layer.columns.rate);
  const tap_range whole{layer.whole.first - columns.first, layer.whole.last - columns.first};
  const std::ptrdiff_t done = (columns.first - at.column) * y_pixel;
  To* under = below != nullptr ? below + done : nullptr;
  simd::dispatch(set, lattice{&layer, middle, taps, whole, columns.count(), y + done, under, y_pixel});
  one_by_one(columns.last, last);
}

/// reads x, weights, bias; writes y. cost: pixels * taps inside * C multiply-adds.
template <activation Before, class T>
void depthwise(simd::instruction_set set, const operands<T>& o, activation after) {
  const depthwise_layer<T> layer(o.run->what, o.x, o.weights, after);
  parallel_rows(o.threads, o.y, [&](int n, int i, int j, int end, int) {
    depthwise_rows<Before, T, T>(set, layer, {n, i, j}, end, o.y.at(n, i, j), nullptr, o.y.pixel);
  });
}

}  // namespace atrous::cpu
