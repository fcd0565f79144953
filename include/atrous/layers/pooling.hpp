// SPDX-License-Identifier: MIT
#pragma once
#include <atrous/layers/window.hpp>

namespace atrous {

/// The largest value under a kernel x kernel window; what lies outside the input is ignored.
///
///   in          height x width x C
///   out         ceil(height / stride) x ceil(width / stride) x C, or what `given` padding leaves
///   rules       the kernel is odd; every window sees a pixel of the input; the border has no values
struct max_pool {
  int kernel = 3;
  int stride = 2;
  padding pad = padding::same();

  constexpr op describe() const {
    return {.kind = op_kind::max_pool, .kernel = kernel, .stride = stride, .pad = pad};
  }
  constexpr void check(recorder& net, shape in) const {
    check_window(net, describe(), in);
    const int most = pad.top > pad.left ? pad.top : pad.left;
    net.expect(pad.by != padding::rule::given || (most < kernel && pad.bottom < kernel && pad.right < kernel),
               {rule::pooling_window_must_see_the_input, {kernel, most, 0}, in});
    net.expect(pad.outside == padding::border::zeros, {rule::pooling_has_no_border_values, in, in});
  }
  constexpr shape output(shape in) const { return swept(describe(), in, in.channels); }
};
static_assert(primitive<max_pool>);

/// The mean under a height x width window that stays inside the input; a window of 0 x 0 is the whole input.
///
///   in          height x width x C
///   out         1 x 1 x C for the whole input, else ((height - window) / stride + 1) likewise x C
///   rules       the window fits into the input; the stride is positive
struct average_pool {
  int height = 0, width = 0;  // of the window
  int stride = 1;

  constexpr op describe() const {
    return {.kind = op_kind::average_pool, .stride = stride, .window_height = height, .window_width = width};
  }
  constexpr void check(recorder& net, shape in) const {
    const bool whole = height == 0 && width == 0;
    net.expect(stride > 0, {rule::kernel_stride_and_rate_must_be_positive, {height, width, stride}, in});
    net.expect(whole || (height > 0 && width > 0 && height <= in.height && width <= in.width),
               {rule::window_must_fit_into_the_padded_input, {height, width, stride}, in});
  }
  constexpr shape output(shape in) const {
    const auto swept = [&](int extent, int window) {
      return window <= 0 || window > extent || stride < 1 ? 1 : (extent - window) / stride + 1;
    };
    return {swept(in.height, height), swept(in.width, width), in.channels};
  }
};
static_assert(primitive<average_pool>);

}  // namespace atrous
