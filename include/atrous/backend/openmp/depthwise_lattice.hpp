// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution with windows of 3 x 3 at stride 1, of any rate. Pixels a rate apart, of one row or of two, see some
// of the same: what a depthwise waits for is not multiplications but loads, those from the second-level cache most of all.
#include <algorithm>

#include <atrous/backend/openmp/depthwise_layer.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Output pixels of a row, and, if wanted, those a rate below. Windows miss their first or their last column or row of taps at
/// most. Zeros take the place of what is outside, which changes no sum.
///
///   reads   x under the windows, kernel, bias
///   writes  y (pixels, C), below (pixels, C)
///   cost    pixels * 3 * 3 * C multiply-adds a row
template <class T, activation Before, class To = T>
struct depthwise_lattice {
  const depthwise_layer<T>* layer = nullptr;
  const T* x = nullptr;  // under the middle of the first window
  tap_range u{};         // rows of taps that are inside; of 4, those of both rows, if there are pixels below
  tap_range whole{};     // pixels whose windows have all columns
  int pixels = 0;        // together times the rate, at least
  To* y = nullptr;
  To* below = nullptr;  // nullptr: not wanted
  std::ptrdiff_t y_pixel = 0;

  static constexpr int taps = 3, together = 4;  // pixels that share loads

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    static_assert(lanes::width <= most_lanes);
    if (layer->x.channels >= lanes::width) {
      each_group<lanes, Isa::depthwise_rows>();
    } else {
      each_group<simd::lane<T>, 1>();
    }
  }

 private:
  /// What the loops need, in registers: after a store the compiler would read a struct again.
  struct geometry {
    int channels = 0;
    std::ptrdiff_t right = 0, down = 0, y_pixel = 0;  // between taps, pixels of y
    std::ptrdiff_t tap_pitch = 0;
    const arithmetic<T>* kernel = nullptr;
    const T* bias = nullptr;
    bounds<T> after{};
    arithmetic<T> zero = 0;
  };

  template <class L, int Rows>
  [[gnu::always_inline]] void each_group() const {
    const depthwise_layer<T>& of = *layer;
    const int rate = of.columns.rate;
    const geometry g{
        of.x.channels,   rate * of.x.pixel, std::ptrdiff_t{of.rows.rate} * of.x.width * of.x.pixel,
        rate * y_pixel,  of.tap_pitch,      of.kernel,
        of.weights.bias, of.after,          of.zero};
    const tap_range upper{u.first, std::min(u.last, taps)}, lower{std::max(u.first - 1, 0), u.last - 1};
    for (int first = 0; first < rate; ++first) {
      const int count = (pixels - first + rate - 1) / rate;
      const int last = count - together;  // the last group may repeat some of those before
      for (int p = 0; p < count; p += together) {
        const int at = first + (p < last ? p : last) * rate;
        const T* from = x + at * of.x.pixel;
        const edges ends{at < whole.first, at + (together - 1) * rate >= whole.last};
        if constexpr (Rows == 2) {
          if (below != nullptr) {
            two_rows<L>(g, u, from, ends, y + at * y_pixel, below + at * y_pixel);
            continue;
          }
        }
        one_row<L>(g, upper, from, ends, y + at * y_pixel);
        if (below != nullptr) one_row<L>(g, lower, from + g.down, ends, below + at * y_pixel);
      }
    }
  }

  template <class L>
  using sums_of = typename L::vector[together];

  /// Whether the first column that pixels see, and the last, are outside.
  struct edges {
    bool first = false, last = false;
  };
  static constexpr int most_lanes = 16;
  alignas(64) static constexpr T zeros[most_lanes]{};

  /// A row of x under the pixels: its first column, the second one and the last; zeros for what is outside.
  struct row_of_x {
    const T *first, *second, *last;
    std::ptrdiff_t right;  // between those in the middle

    [[gnu::always_inline]] row_of_x(const geometry& g, const T* from, edges ends, bool outside)
        : first(outside || ends.first ? zeros : from - g.right),
          second(outside ? zeros : from),
          last(outside || ends.last ? zeros : from + together * g.right),
          right(outside ? 0 : g.right) {}
  };

  template <class L>
  [[gnu::always_inline]] static void one_row(const geometry& g, tap_range rows, const T* from, edges ends,
                                             To* to) {
    const std::ptrdiff_t next_kernel_row = taps * g.tap_pitch;
    simd::each_vector<L>(
        g.channels, [&](int c) __attribute__((always_inline)) {
          sums_of<L> sums;
          start<L>(g, c, sums);
          const T* from_row = from + c + (rows.first - 1) * g.down;
          const arithmetic<T>* kernel = g.kernel + c + rows.first * next_kernel_row;
#pragma GCC unroll 1
          for (int i = rows.first; i < rows.last; ++i, from_row += g.down, kernel += next_kernel_row) {
            typename L::vector weights[taps];
            load_row<L>(g, kernel, weights);
            each_column<L>(
                g, row_of_x(g, from_row, ends, false),
                [&](int q, const typename L::vector& value)
                    __attribute__((always_inline)) { add<L>(q, value, weights, sums); });
          }
          finish<L>(g, c, sums, to);
        });
  }

  /// Where registers hold the sums of both rows, and two rows of weights.
  template <class L>
  [[gnu::always_inline]] static void two_rows(const geometry& g, tap_range rows, const T* from, edges ends,
                                              To* to, To* to_below) {
    using vector = typename L::vector;
    const std::ptrdiff_t next_kernel_row = taps * g.tap_pitch;
    simd::each_vector<L>(
        g.channels, [&](int c) __attribute__((always_inline)) {
          sums_of<L> sums, sums_below;
          start<L>(g, c, sums);
          start<L>(g, c, sums_below);
          vector weights[taps], weights_below[taps];
          const T* from_row = from + c - g.down;
          const arithmetic<T>* kernel = g.kernel + c;
          load_row<L>(g, kernel, weights);
          each_column<L>(
              g, row_of_x(g, from_row, ends, rows.first > 0),
              [&](int q, const vector& value)
                  __attribute__((always_inline)) { add<L>(q, value, weights, sums); });
#pragma GCC unroll 1  // all at once, and clang keeps some on the stack
          for (int i = 1; i < taps; ++i) {
            load_row<L>(g, kernel, weights_below);
            from_row += g.down, kernel += next_kernel_row;
            load_row<L>(g, kernel, weights);
            each_column<L>(
                g, row_of_x(g, from_row, ends, false),
                [&](int q, const vector& value) __attribute__((always_inline)) {
                  add<L>(q, value, weights, sums);
                  add<L>(q, value, weights_below, sums_below);
                });
          }
          load_row<L>(g, kernel, weights_below);
          each_column<L>(
              g, row_of_x(g, from_row + g.down, ends, rows.last == taps),
              [&](int q, const vector& value)
                  __attribute__((always_inline)) { add<L>(q, value, weights_below, sums_below); });
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
  [[gnu::always_inline]] static void load_row(const geometry& g, const arithmetic<T>* kernel,
                                              typename L::vector (&weights)[taps]) {
#pragma GCC unroll 3
    for (int j = 0; j < taps; ++j) L::template of<arithmetic<T>>::load(kernel + j * g.tap_pitch, weights[j]);
  }

  /// Calls visit(q, numbers) for the columns of a row that the pixels see.
  template <class L, class Visit>
  [[gnu::always_inline]] static void each_column(const geometry& g, const row_of_x& row, const Visit& visit) {
    using vector = typename L::vector;
    const vector zero = g.zero - vector{};
    constexpr int end = together + taps - 1;
#pragma GCC unroll 8
    for (int q = 0; q < end; ++q) {
      vector value;
      L::load(q == 0 ? row.first : q == end - 1 ? row.last : row.second + (q - 1) * row.right, value);
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
      sums[p] += vector{};  // no -0, which zeros may have made, or not
      L::clamp(sums[p], low, high);
      L::template of<To>::store(to + p * g.y_pixel + c, sums[p]);
    }
  }
};

}  // namespace atrous::cpu
