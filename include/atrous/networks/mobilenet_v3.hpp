// SPDX-License-Identifier: MIT
#pragma once
// MobileNetV3-Large (Howard et al. 2019, table 1) as torchvision's DeepLabv3 uses it: dilated, up to the 960 channels in
// front of the classifier.
#include <atrous/layers/pooling.hpp>
#include <atrous/networks/mobilenet_v2.hpp>

namespace atrous {

/// Squeeze and excitation: every channel times a factor between 0 and 1 that follows from the means of all (section 5.3).
///
///   in, out     height x width x C
///   parameters  fc1, fc2  with biases
struct squeeze_excitation {
  int squeezed = 8;

  constexpr wire operator()(wire x) const {
    const int channels = x.shape().channels;
    const wire factors = x >> average_pool{} >> in("fc1", pointwise{.out = squeezed, .bias = true}) >>
                         relu{} >> in("fc2", pointwise{.out = channels, .bias = true}) >>
                         activate{.which = activation::hard_sigmoid};
    return scale(x, factors);
  }
};

/// The backbone.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 24
///   high        ceil(height / output_stride) x ... x 960
///   parameters  MobilenetV3/Conv, MobilenetV3/expanded_conv[_1 ... _14], MobilenetV3/Conv_1
///   rules       the output stride is 8, 16 or 32
struct mobilenet_v3 {
  int output_stride = 16;
  normalise input = normalise::imagenet();
  float epsilon = 1e-3F;

  constexpr features operator()(wire image) const {
    const auto body = [&](wire x) { return blocks(x); };
    return in("MobilenetV3", body)(image >> input);
  }

 private:
  struct block {
    int kernel, expanded, out;
    bool squeezed, hard;  // squeeze and excitation; hard swish instead of ReLU
    int stride;
  };
  static constexpr block large[] = {
      {3, 16, 16, false, false, 1}, {3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
      {5, 72, 40, true, false, 2},  {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
      {3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1},
      {3, 184, 80, false, true, 1}, {3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
      {5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1}};

  constexpr features blocks(wire x) const {
    const normed swish{.epsilon = epsilon, .act = activation::hard_swish};
    stride_budget budget = budget_for(x, output_stride, 2, spread::whole_stage);
    x = x >> in("Conv", convolution{.out = 16, .kernel = 3, .stride = 2} >> swish);
    features taps{};
    int index = 0;
    for (const block& b : large) {
      const unit_step step = budget.next(b.stride);
      const label name = index == 0 ? label("expanded_conv") : label("expanded_conv_", index);
      const auto body = [&](wire y) { return residual(y, b, step); };
      x = in(name, body)(x);
      if (index == 2) taps.low = x;
      if (index == 5) taps.stride8 = x;
      if (index == 11 && output_stride >= 16) taps.stride16 = x;
      ++index;
    }
    taps.high = x >> in("Conv_1", pointwise{.out = 960} >> swish);
    return taps;
  }

  constexpr wire residual(wire x, const block& b, unit_step step) const {
    const activation act = b.hard ? activation::hard_swish : activation::relu;
    const normed after{.epsilon = epsilon, .act = act}, linear{.epsilon = epsilon, .act = activation::none};
    const int channels = x.shape().channels;
    wire y = x;
    if (b.expanded != channels) y = y >> in("expand", pointwise{.out = b.expanded} >> after);
    y = y >>
        in("depthwise", depthwise{.kernel = b.kernel, .stride = step.stride, .rate = step.rate} >> after);
    const squeeze_excitation weigh{.squeezed = make_divisible(b.expanded / 4.0, 8, 8)};
    if (b.squeezed) y = y >> in("squeeze_excite", weigh);
    y = y >> in("project", pointwise{.out = b.out} >> linear);
    return b.stride == 1 && b.out == channels ? y + x : y;
  }
};
static_assert(backbone<mobilenet_v3>);

}  // namespace atrous
