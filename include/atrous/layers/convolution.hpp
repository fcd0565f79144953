// SPDX-License-Identifier: MIT
#pragma once
// Dense convolutions. A rate above 1 spreads the taps: atrous convolution (DeepLabv3, section 3.1).
#include <atrous/layers/window.hpp>

namespace atrous {

/// Mixes all channels under a kernel x kernel window.
///
///   in          height x width x C
///   out         ceil(height / stride) x ceil(width / stride) x out, or what `given` padding leaves
///   parameters  weights  kernel x kernel x C x out;  biases  out, with `bias`;  border  C, with such a padding
///   rules       out is positive; the kernel is odd; a rate above 1 and a stride above 1 exclude each other
struct convolution {
  int out = 0;     // channels
  int kernel = 1;  // taps per side
  int stride = 1;  // input pixels per output pixel
  int rate = 1;    // input pixels between taps; 1 is a dense window
  bool bias = false;
  padding pad{};

  constexpr op describe() const {
    return {.kind = op_kind::convolution,
            .out = out,
            .kernel = kernel,
            .stride = stride,
            .rate = rate,
            .bias = bias,
            .pad = pad};
  }
  constexpr void check(recorder& net, shape in) const {
    net.expect(out > 0, {rule::channels_must_be_positive, {1, 1, out}, in});
    check_window(net, describe(), in);
  }
  constexpr shape output(shape in) const { return swept(describe(), in, out); }
  constexpr parameter_list parameters(shape in) const {
    parameter_list owned{{"weights", role::kernel, {kernel, kernel, in.channels, out}}};
    if (bias) owned.add({"biases", role::bias, {out}});
    if (pad.outside == padding::border::per_channel) owned.add({"border", role::border, {in.channels}});
    return owned;
  }
  constexpr std::int64_t madds(shape in) const {
    return bounded_product(bounded_product(elements(output(in)), in.channels), std::int64_t{kernel} * kernel);
  }
};
static_assert(primitive<convolution>);

/// A 1 x 1 convolution: every pixel by itself, all channels mixed.
///
///   in          height x width x C
///   out         ceil(height / stride) x ceil(width / stride) x out
///   parameters  weights  1 x 1 x C x out;  biases  out, with `bias`
///   rules       out is positive
struct pointwise {
  int out = 0;
  int stride = 1;
  bool bias = false;

  constexpr convolution dense() const { return {.out = out, .stride = stride, .bias = bias}; }
  constexpr op describe() const { return dense().describe(); }
  constexpr void check(recorder& net, shape in) const { dense().check(net, in); }
  constexpr shape output(shape in) const { return dense().output(in); }
  constexpr parameter_list parameters(shape in) const { return dense().parameters(in); }
  constexpr std::int64_t madds(shape in) const { return dense().madds(in); }
};
static_assert(primitive<pointwise>);

}  // namespace atrous
