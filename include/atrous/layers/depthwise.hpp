// SPDX-License-Identifier: MIT
#pragma once
// A depthwise convolution looks at each channel by itself. With a rate above 1 its taps spread out, which
// widens what one output sees without more weights or a coarser grid: half of an atrous separable convolution
// (DeepLabv3+, section 3.1).
#include <atrous/layers/window.hpp>

namespace atrous {

/// Filters every channel by itself with one kernel x kernel filter whose taps lie `rate` pixels apart.
///
///   in          height x width x C
///   out         ceil(height / stride) x ceil(width / stride) x C, or what `given` padding leaves
///   parameters  depthwise_weights  kernel x kernel x C x 1;  border  C, with such a padding
///   rules       the kernel is odd; a rate above 1 and a stride above 1 exclude each other
struct depthwise {
  int kernel = 3;  // taps per side
  int stride = 1;  // input pixels per output pixel
  int rate = 1;    // input pixels between taps; 1 is a dense filter
  padding pad{};

  constexpr op describe() const {
    return {.kind = op_kind::depthwise, .kernel = kernel, .stride = stride, .rate = rate, .pad = pad};
  }
  constexpr void check(recorder& net, shape in) const { check_window(net, describe(), in); }
  constexpr shape output(shape in) const { return swept(describe(), in, in.channels); }
  constexpr parameter_list parameters(shape in) const {
    parameter_list owned{{"depthwise_weights", role::depthwise_kernel, {kernel, kernel, in.channels, 1}}};
    if (pad.outside == padding::border::per_channel) owned.add({"border", role::border, {in.channels}});
    return owned;
  }
  constexpr std::int64_t madds(shape in) const {
    return bounded_product(elements(output(in)), std::int64_t{kernel} * kernel);
  }
};
static_assert(primitive<depthwise>);

}  // namespace atrous
