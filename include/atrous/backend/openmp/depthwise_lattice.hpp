// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution with windows of 3 x 3 at stride 1, of any rate. Pixels a rate apart, of one row or of two, see some
// of the same: what a depthwise waits for is not multiplications but loads, those from the second-level cache most of all.
#include <algorithm>

#include <atrous/backend/openmp/depthwise_layer.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Output pixels of a row under windows whose columns are all inside, and, if wanted, those a rate below.
///
///   reads   x under the windows, kernel, bias
///   writes  y (pixels, C), below (pixels, C)
///   cost    pixels * u.count() * 3 * C multiply-adds a row
template <class T, activation Before, class To = T>
struct depthwise_lattice {
  const depthwise_layer<T>* layer = nullptr;
  const T* x = nullptr;  // under the first tap inside of the first pixel
  tap_range u{};         // rows of taps that are inside: all, if there are pixels below
  int pixels = 0;        // together times the rate, at least
  To* y = nullptr;
  To* below = nullptr;  // nullptr: not wanted
  std::ptrdiff_t y_pixel = 0;

  static constexpr int taps = 3, together = 4;  // pixels that share loads

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    if (layer->x.channels >= lanes::width) {
      whole<lanes, Isa::depthwise_rows>();
    } else {
      whole<simd::lane<T>, 1>();
    }
  }

 private:
  /// What the loops need, in registers: after a store the compiler would read a struct again.
  struct geometry {
    int channels = 0;
    std::ptrdiff_t right = 0, down = 0, y_pixel = 0;  // between taps, pixels of y
    std::ptrdiff_t tap_pitch = 0;
    tap_range u{};
    const T* kernel = nullptr;  // at the first tap
    const T* bias = nullptr;
    bounds<T> after{};
    arithmetic<T> zero = 0;
  };

  template <class L, int Rows>
  [[gnu::always_inline]] void whole() const {
    const depthwise_layer<T>& of = *layer;
    const int rate = of.columns.rate;
    const geometry g{of.x.channels,
                     rate * of.x.pixel,
                     std::ptrdiff_t{of.rows.rate} * of.x.width * of.x.pixel,
                     rate * y_pixel,
                     of.tap_pitch,
                     u,
                     of.weights.kernel + std::ptrdiff_t{u.first} * taps * of.tap_pitch,
                     of.weights.bias,
                     of.after,
                     of.zero};
    for (int first = 0; first < rate; ++first) {
      const int count = (pixels - first + rate - 1) / rate;
      for (int p = 0; p < count; p += together) {
        // The last may repeat some of those before.
        const int at = first + std::min(p, count - together) * rate;
        const T* from = x + at * of.x.pixel;
        if (below == nullptr) {
          one_row<L>(g, from, y + at * y_pixel);
        } else if constexpr (Rows == 2) {
          two_rows<L>(g, from, y + at * y_pixel, below + at * y_pixel);
        } else {
          one_row<L>(g, from, y + at * y_pixel);
          one_row<L>(g, from + g.down, below + at * y_pixel);
        }
      }
    }
  }

  template <class L>
  using sums_of = typename L::vector[together];

  template <class L>
  [[gnu::always_inline]] static void one_row(const geometry& g, const T* from, To* to) {
    simd::each_vector<L>(
        g.channels, [&](int c) __attribute__((always_inline)) {
          sums_of<L> sums;
          start<L>(g, c, sums);
          const T* row = from + c;
          const T* kernel = g.kernel + c;
#pragma GCC unroll 1
          for (int i = g.u.first; i < g.u.last; ++i, row += g.down, kernel += taps * g.tap_pitch) {
            typename L::vector weights[taps];
            load_row<L>(g, kernel, weights);
            each_column<L>(
                g, row, [&](int q, const typename L::vector& value) __attribute__((always_inline)) {
                  add<L>(q, value, weights, sums);
                });
          }
          finish<L>(g, c, sums, to);
        });
  }

  /// Where registers hold the sums of both rows, and two rows of weights.
  template <class L>
  [[gnu::always_inline]] static void two_rows(const geometry& g, const T* from, To* to, To* to_below) {
    using vector = typename L::vector;
    const std::ptrdiff_t next_kernel_row = taps * g.tap_pitch;
    simd::each_vector<L>(
        g.channels, [&](int c) __attribute__((always_inline)) {
          sums_of<L> sums, sums_below;
          start<L>(g, c, sums);
          start<L>(g, c, sums_below);
          vector weights[taps], weights_below[taps];
          const T* row = from + c;
          const T* kernel = g.kernel + c;
          load_row<L>(g, kernel, weights);
          each_column<L>(
              g, row, [&](int q, const vector& value) __attribute__((always_inline)) {
                add<L>(q, value, weights, sums);
              });
#pragma GCC unroll 1  // all at once, and clang keeps some on the stack
          for (int i = 1; i < taps; ++i) {
            load_row<L>(g, kernel, weights_below);
            row += g.down, kernel += next_kernel_row;
            load_row<L>(g, kernel, weights);
            each_column<L>(
                g, row, [&](int q, const vector& value) __attribute__((always_inline)) {
                  add<L>(q, value, weights, sums);
                  add<L>(q, value, weights_below, sums_below);
                });
          }
          load_row<L>(g, kernel, weights_below);
          each_column<L>(
              g, row + g.down, [&](int q, const vector& value) __attribute__((always_inline)) {
                add<L>(q, value, weights_below, sums_below);
              });
          finish<L>(g, c, sums, to);
          finish<L>(g, c, sums_below, to_below);
        });
  }

  template <class L>
  [[gnu::always_inline]] static void start(const geometry& g, int c, sums_of<L>& sums) {
#pragma GCC unroll 4
    for (int p = 0; p < together; ++p) L::load(g.bias + c, sums[p]);
  }

  template <class L>
  [[gnu::always_inline]] static void load_row(const geometry& g, const T* kernel,
                                              typename L::vector (&weights)[taps]) {
#pragma GCC unroll 3
    for (int j = 0; j < taps; ++j) L::load(kernel + j * g.tap_pitch, weights[j]);
  }

  /// Calls visit(q, numbers) for the columns of a row that the pixels see.
  template <class L, class Visit>
  [[gnu::always_inline]] static void each_column(const geometry& g, const T* row, const Visit& visit) {
    using vector = typename L::vector;
    const vector zero = g.zero - vector{};
#pragma GCC unroll 8
    for (int q = 0; q < together + taps - 1; ++q) {
      vector value;
      L::load(row + q * g.right, value);
      if (Before != activation::none) value = value < zero ? zero : value;
      visit(q, value);
    }
  }

  /// Adds column q to the sums of those that see it.
  template <class L>
  [[gnu::always_inline]] static void add(int q, const typename L::vector& value,
                                         const typename L::vector (&weights)[taps], sums_of<L>& sums) {
#pragma GCC unroll 3
    for (int j = taps - 1; j >= 0; --j)
      if (q - j >= 0 && q - j < together) sums[q - j] += value * weights[j];
  }

  template <class L>
  [[gnu::always_inline]] static void finish(const geometry& g, int c, sums_of<L>& sums, To* to) {
    using vector = typename L::vector;
    const vector low = g.after.low - vector{}, high = g.after.high - vector{};
#pragma GCC unroll 4
    for (int p = 0; p < together; ++p) {
      L::clamp(sums[p], low, high);
      L::template of<To>::store(to + p * g.y_pixel + c, sums[p]);
    }
  }
};

}  // namespace atrous::cpu
