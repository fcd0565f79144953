// SPDX-License-Identifier: MIT
#pragma once
// What convolutions and pooling share: the rules and the extents of windows that slide over an input.
#include <atrous/graph/layer.hpp>

namespace atrous {

/// Whether extents can be computed for a window without overflow or division by zero.
constexpr bool computable(const op& o) {
  const int most = most_extent;
  return o.kernel >= 1 && o.stride >= 1 && o.rate >= 1 && o.stride <= most && o.kernel <= most / o.rate &&
         o.pad.top <= most && o.pad.left <= most && o.pad.bottom <= most && o.pad.right <= most;
}

/// Holds a sliding window to the rules that every layer with one obeys.
constexpr void check_window(recorder& net, const op& o, shape in) {
  const shape numbers{o.kernel, o.stride, o.rate};
  net.expect(o.kernel > 0 && o.stride > 0 && o.rate > 0,
             {rule::kernel_stride_and_rate_must_be_positive, numbers, in});
  net.expect(o.kernel % 2 == 1, {rule::kernel_must_be_odd, numbers, in});
  net.expect(o.rate == 1 || o.stride == 1, {rule::rate_and_stride_exclude_each_other, numbers, in});
  net.expect(o.pad.top >= 0 && o.pad.left >= 0 && o.pad.bottom >= 0 && o.pad.right >= 0,
             {rule::padding_must_not_be_negative, {o.pad.top, o.pad.left, 0}, in});
  net.expect(computable(o), {rule::extents_must_not_exceed_2_to_20, numbers, in});
  if (!computable(o)) return;  // a lenient recorder goes on
  net.expect(rows_of(o, in).out > 0 && columns_of(o, in).out > 0,
             {rule::window_must_fit_into_the_padded_input, numbers, in});
}

/// Extents that a window leaves, with `channels` channels. At least 1 x 1, so that a lenient recorder can go
/// on.
constexpr shape swept(const op& o, shape in, int channels) {
  if (!computable(o)) return {in.height, in.width, channels};
  const int height = rows_of(o, in).out, width = columns_of(o, in).out;
  return {height > 0 ? height : 1, width > 0 ? width : 1, channels};
}

}  // namespace atrous
