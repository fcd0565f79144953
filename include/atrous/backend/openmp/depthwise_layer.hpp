// SPDX-License-Identifier: MIT
#pragma once
// A depthwise convolution's layer, as its kernels see it.
#include <atrous/backend/openmp/limits.hpp>
#include <atrous/backend/openmp/order.hpp>
#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>

namespace atrous::cpu {

/// A depthwise layer on its input, or on some channels of it.
template <class T>
struct depthwise_layer {
  view<const T> x{};
  layer_weights<T> weights{};  // bias and border
  /// (taps, taps, C). Few numbers, and every pixel would see how they are rounded: they stay as they are computed.
  const arithmetic<T>* kernel = nullptr;
  int tap_pitch = 0;  // elements from one tap to the next: the channels of the whole
  axis rows{}, columns{};
  tap_range whole{};  // output columns that see all taps
  bounds<T> after{};
  arithmetic<T> zero = 0;  // where the compiler does not see it: then the larger of two is one instruction

  [[gnu::always_inline]] depthwise_layer(const op& o, const view<const T>& input,
                                         const layer_weights<T>& owned, activation act)
      : x(input),
        weights(owned),
        kernel(reinterpret_cast<const arithmetic<T>*>(owned.kernel)),
        tap_pitch(input.channels),
        rows(rows_axis(o, input.shape())),
        columns(columns_axis(o, input.shape())),
        whole(columns.whole()),
        after(bounds_of<T>(act)) {}

  /// Whether windows are those of depthwise_lattice.
  constexpr bool is_lattice() const { return columns.taps == 3 && columns.stride == 1; }

  /// The order of output pixels in which those that see the same follow each other.
  constexpr window_order order(int threads) const {
    if (!is_lattice()) return {rows.out, columns.out};
    return window_order::shared(rows.out, columns.out, rows.rate, threads);
  }

  /// What depthwise_lattice takes of a row, or of two rows a rate apart: output columns, and the rows of taps that are inside.
  struct lattice_part {
    tap_range columns{}, taps{};
  };
  /// Of columns first ... last - 1. Windows miss at most their first or last row and column; none, if what they miss has a value.
  [[gnu::always_inline]] constexpr lattice_part in_lattice(int row, int count, int first, int last) const {
    const int taps = rows.taps - 1 + count, most = weights.border == nullptr ? 1 : 0;
    const tap_range u = rows.inside(row, taps);
    if (!is_lattice() || u.first > most || u.last < taps - most || whole.count() == 0) return {};
    const int beside = most * columns.rate;
    return {{std::max(first, whole.first - beside), std::min(last, whole.last + beside)}, u};
  }

  /// x under the first tap of a pixel that is inside.
  const T* under(position at, tap_range u, tap_range v) const {
    if (u.count() == 0 || v.count() == 0) return x.data;
    return x.at(at.image, rows.start(at.row) + u.first * rows.rate,
                columns.start(at.column) + v.first * columns.rate);
  }

  constexpr depthwise_layer part(int channel, int count) const {
    depthwise_layer some = *this;
    some.x.data += channel;
    some.x.channels = count;
    some.kernel += channel;
    some.weights.bias += channel;
    if (weights.border != nullptr) some.weights.border += channel;
    return some;
  }
};

}  // namespace atrous::cpu
