// SPDX-License-Identifier: MIT
#pragma once
// The modified Xception of DeepLabv3+ (section 3.2 of the paper): deeper, strided separable
// convolutions instead of max pooling, batch norm behind every depthwise convolution. The order of
// activations is that of the released code, which the released weights need.
#include <array>
#include <cstddef>
#include <span>

#include <atrous/layers/normalise.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// Three separable convolutions and a shortcut.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x depths[2]
struct xception_module {
  enum class skip { none, identity, projection };

  std::array<int, 3> depths{};
  skip shortcut = skip::none;
  int stride = 1;  // of the third convolution and of the projected shortcut
  std::array<int, 3> rates{1, 1, 1};
  bool activate_inside = false;  // ReLU behind every convolution instead of in front of every separable one
  bool rectified_skip = false;   // the shortcut sees max(x, 0)
  float epsilon = 1e-3F;

  struct result {
    wire second;  // the second separable convolution: what a decoder taps
    wire out;
  };

  constexpr result operator()(wire x) const {
    const normed after{.epsilon = epsilon, .act = activate_inside ? activation::relu : activation::none};
    result made{};
    if (rectified_skip) x = x >> relu{};
    wire y = x;
    for (int i = 0; i < 3; ++i) {
      const auto k = static_cast<std::size_t>(i);
      if (!activate_inside && !(rectified_skip && i == 0)) y = y >> relu{};
      y = y >> separable{.name = {"separable_conv", i + 1},
                         .out = depths[k],
                         .stride = i == 2 ? stride : 1,
                         .rate = rates[k],
                         .between = after,
                         .after = after};
      if (i == 1) made.second = y;
    }
    if (shortcut == skip::identity) y = y + x;
    if (shortcut == skip::projection) {
      y = y + (x >> in("shortcut", pointwise{.out = depths[2], .stride = stride} >> after));
    }
    made.out = y;
    return made;
  }
};

/// What shortcuts see: what comes in, max(0, it) where they keep it as it is (bubbliiiing), or that in all of them (jfzhang95).
enum class skip_input { raw, rectified_identity, rectified };

/// Which features a decoder takes: behind the second separable convolution of the block of stride 4 (TensorFlow), that
/// behind a ReLU (timm), or the end of the block before it behind a ReLU (jfzhang95).
enum class xception_tap { second, rectified_second, rectified_block };

/// The backbone, with 41, 65 or 71 layers.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 256, or 128
///   high        ceil(height / output_stride) x ... x 2048
///   parameters  xception_65/entry_flow/conv1_1, .../unit_1/xception_module/separable_conv1_depthwise, ...
///   rules       the output stride is 8, 16 or 32; there are 41, 65 or 71 layers
struct xception {
  int layers = 65;  // 41, 65 or 71
  int output_stride = 16;
  std::array<int, 3> multi_grid{1, 1, 1};  // of the last module's convolutions
  normalise input = normalise::to_unit_range();
  float epsilon = 1e-3F;
  skip_input skip = skip_input::raw;
  xception_tap tap = xception_tap::second;
  bool activate_last_inside = true;  // in the last module ReLU is behind, not in front of, each convolution
  // Whose taps spread for a stride that is given up: the convolution that would have made it, and those behind the exit flow.
  bool spread_strided = true, spread_last = true;

  constexpr features operator()(wire image) const {
    image.net->expect(layers == 41 || layers == 65 || layers == 71,
                      {rule::layer_must_obey_its_own_rules, {layers, 0, 0}, image.shape()});
    const auto body = [&](wire x) { return blocks(x); };
    return in({"xception_", layers}, body)(image >> input);
  }

 private:
  struct block {
    label name;
    std::array<int, 3> depths;
    int units, stride;
    int tap;  // the stride that its second convolution is tapped for, 0 for none
  };

  constexpr features blocks(wire x) const {
    const normed after{.epsilon = epsilon};
    x = x >> in("entry_flow/conv1_1", convolution{.out = 32, .kernel = 3, .stride = 2} >> after) >>
        in("entry_flow/conv1_2", convolution{.out = 64, .kernel = 3} >> after);
    stride_budget budget = budget_for(x, output_stride, 2);
    features taps{};
    taps.high = x;
    run(layers == 71 ? std::span<const block>(deep_entry) : std::span<const block>(entry), taps, budget);
    const block rest[] = {{"middle_flow/block1", {728, 728, 728}, layers == 41 ? 8 : 16, 1, 0},
                          {"exit_flow/block1", {728, 1024, 1024}, 1, 2, output_stride >= 16 ? 16 : 0},
                          {"exit_flow/block2", {1536, 1536, 2048}, 1, 1, 0}};
    run(rest, taps, budget);
    if (!activate_last_inside) taps.high = taps.high >> relu{};
    return taps;
  }

  constexpr void run(std::span<const block> list, features& taps, stride_budget& budget) const {
    wire before{};
    for (const block& b : list) {
      for (int u = 1; u <= b.units; ++u) {
        const unit_step step = budget.next(b.stride);
        if (is_exit(b) && !spread_last) budget.rate = step.rate;
        const auto made = in(b.name, in({"unit_", u, "/xception_module"}, unit_of(b, step)))(taps.high);
        before = taps.high;
        taps.high = made.out;
        if (b.tap == 8) taps.stride8 = made.second;
        if (b.tap == 16) taps.stride16 = made.second;
        if (b.tap != 4) continue;
        taps.low = tap == xception_tap::rectified_block ? before : made.second;
        if (tap != xception_tap::second) taps.low = taps.low >> relu{};
      }
    }
  }

  static constexpr bool is_exit(const block& b) { return b.depths[2] == 1024; }

  constexpr xception_module unit_of(const block& b, unit_step step) const {
    using shortcut = xception_module::skip;
    const bool last = b.depths[2] == 2048, middle = b.units > 1;
    xception_module unit{.depths = b.depths, .stride = step.stride, .epsilon = epsilon};
    unit.activate_inside = last && activate_last_inside;
    unit.shortcut = last ? shortcut::none : middle ? shortcut::identity : shortcut::projection;
    unit.rectified_skip = skip == skip_input::rectified || (skip == skip_input::rectified_identity && middle);
    for (std::size_t k = 0; k < 3; ++k) unit.rates[k] = step.rate * (last ? multi_grid[k] : 1);
    if (b.stride > 1 && !spread_strided) unit.rates[2] = 1;
    return unit;
  }

  static constexpr block entry[] = {{"entry_flow/block1", {128, 128, 128}, 1, 2, 0},
                                    {"entry_flow/block2", {256, 256, 256}, 1, 2, 4},
                                    {"entry_flow/block3", {728, 728, 728}, 1, 2, 8}};
  static constexpr block deep_entry[] = {{"entry_flow/block1", {128, 128, 128}, 1, 2, 0},
                                         {"entry_flow/block2", {256, 256, 256}, 1, 1, 0},
                                         {"entry_flow/block3", {256, 256, 256}, 1, 2, 4},
                                         {"entry_flow/block4", {728, 728, 728}, 1, 1, 0},
                                         {"entry_flow/block5", {728, 728, 728}, 1, 2, 8}};
};
static_assert(backbone<xception>);

/// The short names: `xception65{.output_stride = 8}`.
template <int Layers>
struct xception_of {
  int output_stride = 16;
  std::array<int, 3> multi_grid{1, 1, 1};
  constexpr features operator()(wire image) const {
    return xception{Layers, output_stride, multi_grid}(image);
  }
};
using xception41 = xception_of<41>;
using xception65 = xception_of<65>;
using xception71 = xception_of<71>;

}  // namespace atrous
