// SPDX-License-Identifier: MIT
#pragma once
// Xception as first published (Chollet 2017, figure 5): max pooling where the modified one strides, and
// nothing between a depthwise convolution and its pointwise one. No published segmentation checkpoint is
// behind it; scopes are those of the modified one where the parts correspond.
#include <array>
#include <cstddef>

#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// Separable convolution without batch norm in the middle: NAME_depthwise/depthwise_weights,
/// NAME_pointwise/weights and its batch norm.
///
///   in   height x width x C
///   out  height x width x out
struct joined_separable {
  int number = 1;  // of separable_conv1, separable_conv2, ...
  int out = 0;
  int rate = 1;
  activation act = activation::none;

  constexpr wire operator()(wire x) const {
    return x >> in({"separable_conv", number, "_depthwise"}, depthwise{.rate = rate}) >>
           in({"separable_conv", number, "_pointwise"}, pointwise{.out = out} >> normed{.act = act});
  }
};

/// One module of the entry or exit flow: two separable convolutions, max pooling, and a projected shortcut.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x depths[1]
struct pooled_module {
  std::array<int, 2> depths{};
  bool activate_first = true;  // ReLU in front of the first convolution, too
  unit_step step{};

  struct result {
    wire second;  // the second separable convolution, before the pooling: what a decoder taps
    wire out;
  };

  constexpr result operator()(wire x) const {
    const wire first = (activate_first ? x >> relu{} : x) >>
                       joined_separable{.number = 1, .out = depths[0], .rate = step.rate};
    const wire second = first >> relu{} >> joined_separable{.number = 2, .out = depths[1], .rate = step.rate};
    const pointwise projection{.out = depths[1], .stride = step.stride};
    const wire shortcut = x >> in("shortcut", projection >> normed{.act = activation::none});
    return {second, (second >> max_pool{.kernel = 3, .stride = step.stride}) + shortcut};
  }
};

/// The backbone.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 256
///   high        ceil(height / output_stride) x ... x 2048
///   parameters  xception/entry_flow/conv1_1, xception/entry_flow/block1/unit_1/xception_module/..., ...
///   rules       the output stride is 8, 16 or 32 (32 is the network as published)
struct original_xception {
  int output_stride = 16;

  constexpr features operator()(wire image) const {
    const auto body = [&](wire x) { return flows(x); };
    return in("xception", body)(image >> normalise::to_unit_range());
  }

 private:
  constexpr features flows(wire x) const {
    const normed after{};
    x = x >> in("entry_flow/conv1_1", convolution{.out = 32, .kernel = 3, .stride = 2} >> after) >>
        in("entry_flow/conv1_2", convolution{.out = 64, .kernel = 3} >> after);
    stride_budget budget = budget_for(x, output_stride, 2);
    features taps{};
    for (int b = 1; b <= 3; ++b) {
      const int depth = b == 1 ? 128 : b == 2 ? 256 : 728;
      const pooled_module unit{.depths = {depth, depth}, .activate_first = b > 1, .step = budget.next(2)};
      const auto made = in({"entry_flow/block", b}, in("unit_1/xception_module", unit))(x);
      if (b == 2) taps.low = made.second;
      if (b == 3) taps.stride8 = made.second;
      x = made.out;
    }
    for (int u = 1; u <= 8; ++u) {
      const unit_step step = budget.next(1);
      const auto unit = [&](wire y) { return middle(y, step.rate); };
      x = x >> in("middle_flow/block1", in({"unit_", u, "/xception_module"}, unit));
    }
    const pooled_module leaving{.depths = {728, 1024}, .step = budget.next(2)};
    const auto made = in("exit_flow/block1/unit_1/xception_module", leaving)(x);
    if (output_stride >= 16) taps.stride16 = made.second;
    const int rate = budget.next(1).rate;
    taps.high = made.out >> in("exit_flow/block2/unit_1/xception_module",
                               joined_separable{1, 1536, rate, activation::relu} >>
                                   joined_separable{2, 2048, rate, activation::relu});
    return taps;
  }

  static constexpr wire middle(wire x, int rate) {
    wire y = x;
    for (int i = 1; i <= 3; ++i) y = y >> relu{} >> joined_separable{.number = i, .out = 728, .rate = rate};
    return y + x;
  }
};
static_assert(backbone<original_xception>);

}  // namespace atrous
