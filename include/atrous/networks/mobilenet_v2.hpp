// SPDX-License-Identifier: MIT
#pragma once
// MobileNetV2 (Sandler et al. 2018) as DeepLab uses it: up to the 320 channels before the classifier, atrous
// from the output stride on (research/deeplab). What PyTorch's implementations do otherwise are fields.
#include <atrous/layers/normalise.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// `channels` rounded to a multiple of `divisor`, never below `least` nor 10 % below what was asked for.
constexpr int make_divisible(double channels, int divisor, int least) {
  const int rounded = static_cast<int>(channels + divisor / 2.0) / divisor * divisor;
  const int made = rounded > least ? rounded : least;
  return made < 0.9 * channels ? made + divisor : made;
}

/// Where the zeros around an image come from in MobileNetV2: TensorFlow's SAME, the same on all sides, or the same on all
/// sides of a block's input, in front of its expansion (VainF, jfzhang95).
enum class mobile_padding { same, centred, before_expansion };

/// Inverted residual: expand (unless the factor is 1), filter, project back; added to the input where the
/// grid and the channels stay.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x out
struct inverted_residual {
  int out = 0;
  int expansion = 6;
  unit_step step{};
  mobile_padding pad = mobile_padding::same;
  float epsilon = 1e-3F;

  struct result {
    wire filtered;  // behind the depthwise convolution and its ReLU6
    wire out;
  };

  constexpr result operator()(wire x) const {
    const int channels = x.shape().channels;
    const normed clipped{.epsilon = epsilon, .act = activation::relu6},
        linear{.epsilon = epsilon, .act = activation::none};
    const int wide = make_divisible(1.0 * expansion * channels, 8, 8);
    const wire expanded = expansion == 1 ? x : x >> in("expand", pointwise{.out = wide} >> clipped);
    const depthwise filter{.stride = step.stride, .rate = step.rate, .pad = border()};
    const wire filtered = expanded >> in("depthwise", filter >> clipped);
    const wire projected = filtered >> in("project", pointwise{.out = out} >> linear);
    return {filtered, step.stride == 1 && channels == out ? projected + x : projected};
  }

 private:
  constexpr padding border() const {
    if (pad == mobile_padding::same) return padding::same();
    const bool expanded = pad == mobile_padding::before_expansion && expansion > 1;
    return {.outside = expanded ? padding::border::per_channel : padding::border::zeros};
  }
};

/// The backbone.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 144 at width 1, inside expanded_conv_2, or the 24 it ends with
///   high        ceil(height / output_stride) x ... x 320 at width 1
///   parameters  MobilenetV2/Conv, MobilenetV2/expanded_conv[_1 ... _16], MobilenetV2/Conv_1 with `last`
///   rules       the output stride is 8, 16 or 32; the width is positive
struct mobilenet_v2 {
  int output_stride = 16;
  double width = 1;      // multiplies the channels of every block
  int divisible_by = 0;  // of the channels; 0: 8 at width 1, else 1
  normalise input = normalise::to_unit_range();
  float epsilon = 1e-3F;
  mobile_padding pad = mobile_padding::same;
  bool bare_stem = false;      // nothing is padded in front of the first convolution
  bool projected_low = false;  // low-level features are what their block hands on, 24 channels
  int last = 0;                // channels of a 1 x 1 convolution at the end, 0 for none
  spread how = spread::next_unit;

  constexpr int scaled(int channels) const {
    const int divisor = divisible_by > 0 ? divisible_by : width == 1 ? 8 : 1;
    return make_divisible(channels * width, divisor, width == 1 ? 8 : 1);
  }

  constexpr features operator()(wire image) const {
    image.net->expect(width > 0, {rule::width_multiplier_must_be_positive, {}, image.shape()});
    const auto body = [&](wire x) { return blocks(x); };
    return in("MobilenetV2", body)(image >> input);
  }

 private:
  constexpr features blocks(wire x) const {
    struct group {
      int expansion, channels, repeats, stride;
    };
    constexpr group groups[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    stride_budget budget = budget_for(x, output_stride, 2, how);
    const padding around = bare_stem                     ? padding::none()
                           : pad == mobile_padding::same ? padding::same()
                                                         : padding{};
    const normed clipped{.epsilon = epsilon, .act = activation::relu6};
    x = x >> in("Conv", convolution{.out = scaled(32), .kernel = 3, .stride = 2, .pad = around} >> clipped);
    features taps{};
    int index = 0;
    for (const group& g : groups) {
      budget.begin_stage();
      for (int repeat = 0; repeat < g.repeats; ++repeat, ++index) {
        const unit_step step = budget.next(repeat == 0 ? g.stride : 1);
        const inverted_residual block{scaled(g.channels), g.expansion, step, pad, epsilon};
        const label name = index == 0 ? label("expanded_conv") : label("expanded_conv_", index);
        const auto made = in(name, block)(x);
        x = made.out;
        if (index == 2) taps.low = projected_low ? made.out : made.filtered;
        if (index == 5) taps.stride8 = made.filtered;
        if (index == 12 && output_stride >= 16) taps.stride16 = made.filtered;
      }
    }
    taps.high = last > 0 ? x >> in("Conv_1", pointwise{.out = last} >> clipped) : x;
    return taps;
  }
};
static_assert(backbone<mobilenet_v2>);

}  // namespace atrous
