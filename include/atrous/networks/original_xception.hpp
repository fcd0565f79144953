// SPDX-License-Identifier: MIT
#pragma once
// Xception as first published (Chollet 2017, figure 5): max pooling where the modified one strides, and
// nothing between a depthwise convolution and its pointwise one. Scopes are those of the modified one where the parts
// correspond. VainF's DeepLab stands on it with some corners cut, which are fields.
#include <array>
#include <cstddef>

#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// Separable convolution without batch norm in the middle: separable_conv1_depthwise/depthwise_weights,
/// separable_conv1_pointwise/weights and its batch norm.
///
///   in   height x width x C
///   out  height x width x out
constexpr separable separable_number(int number, int out, int rate, const normed& after) {
  return {.name = {"separable_conv", number}, .out = out, .rate = rate, .after = after, .joined = true};
}

/// One module of the entry or exit flow: two separable convolutions, max pooling, and a projected shortcut.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x depths[1]
struct pooled_module {
  std::array<int, 2> depths{};
  bool activate_first = true;  // ReLU in front of the first convolution, too
  unit_step step{};
  bool always_pooled = true;  // also where the grid stays
  float epsilon = 1e-3F;

  struct result {
    wire second;  // the second separable convolution, before the pooling: what a decoder taps
    wire out;
  };

  constexpr result operator()(wire x) const {
    const normed linear{.epsilon = epsilon, .act = activation::none};
    const wire first =
        (activate_first ? x >> relu{} : x) >> separable_number(1, depths[0], step.rate, linear);
    const wire second = first >> relu{} >> separable_number(2, depths[1], step.rate, linear);
    const wire shortcut = x >> in("shortcut", pointwise{.out = depths[1], .stride = step.stride} >> linear);
    if (step.stride == 1 && !always_pooled) return {second, second + shortcut};
    const padding around = always_pooled ? padding::same() : padding{};
    return {second, (second >> max_pool{.kernel = 3, .stride = step.stride, .pad = around}) + shortcut};
  }
};

/// The backbone.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 256, or the 128 that block 1 ends with
///   high        ceil(height / output_stride) x ... x 2048
///   parameters  xception/entry_flow/conv1_1, xception/entry_flow/block1/unit_1/xception_module/..., ...
///   rules       the output stride is 8, 16 or 32 (32 is the network as published)
struct original_xception {
  int output_stride = 16;
  normalise input = normalise::to_unit_range();
  float epsilon = 1e-3F;
  // VainF's: nothing is padded in front of the stem, pooling only where the grid shrinks, low-level features are those of
  // block 1, the last convolutions pad one pixel whatever their rate, and nothing follows the last one.
  bool cut_corners = false;
  spread how = spread::next_unit;

  constexpr features operator()(wire image) const {
    const auto body = [&](wire x) { return flows(x); };
    return in("xception", body)(image >> input);
  }

 private:
  constexpr features flows(wire x) const {
    const normed after{.epsilon = epsilon};
    const padding around = cut_corners ? padding::none() : padding{};
    x = x >>
        in("entry_flow/conv1_1", convolution{.out = 32, .kernel = 3, .stride = 2, .pad = around} >> after) >>
        in("entry_flow/conv1_2", convolution{.out = 64, .kernel = 3, .pad = around} >> after);
    stride_budget budget = budget_for(x, output_stride, 2, how);
    features taps{};
    for (int b = 1; b <= 3; ++b) {
      const int depth = b == 1 ? 128 : b == 2 ? 256 : 728;
      const pooled_module unit{{depth, depth}, b > 1, budget.next(2), !cut_corners, epsilon};
      const auto made = in({"entry_flow/block", b}, in("unit_1/xception_module", unit))(x);
      if (b == 1 && cut_corners) taps.low = made.out;
      if (b == 2 && !cut_corners) taps.low = made.second;
      if (b == 3) taps.stride8 = made.second;
      x = made.out;
    }
    for (int u = 1; u <= 8; ++u) {
      const unit_step step = budget.next(1);
      const auto unit = [&](wire y) { return middle(y, step.rate); };
      x = x >> in("middle_flow/block1", in({"unit_", u, "/xception_module"}, unit));
    }
    const pooled_module leaving{{728, 1024}, true, budget.next(2), !cut_corners, epsilon};
    const auto made = in("exit_flow/block1/unit_1/xception_module", leaving)(x);
    if (output_stride >= 16) taps.stride16 = made.second;
    const auto last = [&, rate = budget.next(1).rate](wire y) { return leave(y, rate); };
    taps.high = in("exit_flow/block2/unit_1/xception_module", last)(made.out);
    return taps;
  }

  constexpr wire middle(wire x, int rate) const {
    const normed linear{.epsilon = epsilon, .act = activation::none};
    wire y = x;
    for (int i = 1; i <= 3; ++i) y = y >> relu{} >> separable_number(i, 728, rate, linear);
    return y + x;
  }

  constexpr wire leave(wire x, int rate) const {
    const normed after{.epsilon = epsilon};
    separable first = separable_number(1, 1536, rate, after), second = separable_number(2, 2048, rate, after);
    if (!cut_corners) return x >> first >> second;
    first.pad = padding::given(1, 1, 1, 1);
    return x >> first >>
           in("separable_conv2_depthwise", depthwise{.rate = rate, .pad = padding::given(1, 1, 1, 1)}) >>
           in("separable_conv2_pointwise", pointwise{.out = 2048});
  }
};
static_assert(backbone<original_xception>);

}  // namespace atrous
