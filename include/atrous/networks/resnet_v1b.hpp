// SPDX-License-Identifier: MIT
#pragma once
// The ResNets of PyTorch's libraries ("v1b", He et al. 2016 with the stride on the 3 x 3 convolution of a stage's first
// unit): 18 and 34 layers of basic units, 50 and 101 of bottlenecks.
#include <array>
#include <cstddef>

#include <atrous/networks/resnet.hpp>

namespace atrous {

/// Two 3 x 3 convolutions; added to the input, which is projected where grid or channels differ.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x channels
struct basic_unit {
  int channels = 64;
  unit_step step{};
  int second_rate = 1;

  constexpr wire operator()(wire x) const {
    const normed after{.epsilon = 1e-5F}, linear{.epsilon = 1e-5F, .act = activation::none};
    const convolution first{.out = channels, .kernel = 3, .stride = step.stride, .rate = step.rate};
    const convolution second{.out = channels, .kernel = 3, .rate = second_rate};
    const bool kept = step.stride == 1 && x.shape().channels == channels;
    const pointwise projection{.out = channels, .stride = step.stride};
    const wire shortcut = kept ? x : x >> in("shortcut", projection >> linear);
    return (shortcut + (x >> in("conv1", first >> after) >> in("conv2", second >> linear))) >> relu{};
  }
};

/// The backbone, with 18, 34, 50 or 101 layers.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 256, of 18 and 34 layers 64
///   high        ceil(height / output_stride) x ... x 2048, of 18 and 34 layers 512
///   parameters  resnet_v1b_50/conv1 (of a deep root conv1_1 ... conv1_3), resnet_v1b_50/block1/unit_1/conv1, ...
///   rules       the output stride is 8, 16 or 32; there are 18, 34, 50 or 101 layers
struct resnet_v1b {
  int layers = 50;
  int output_stride = 16;
  normalise input = normalise::imagenet();
  bool deep_root = false;  // three 3 x 3 convolutions of 32, 32 and 64 channels instead of one of 7 x 7
  spread how = spread::next_unit;
  std::array<int, 3> multi_grid{1, 1, 1};  // of the last stage's units
  bool dilate_second = true;               // of basic units

  constexpr features operator()(wire image) const {
    const bool known = layers == 18 || layers == 34 || layers == 50 || layers == 101;
    image.net->expect(known, {rule::layer_must_obey_its_own_rules, {layers, 0, 0}, image.shape()});
    const auto body = [&](wire x) { return stages(rooted(x)); };
    return in({"resnet_v1b_", layers}, body)(image >> input);
  }

 private:
  constexpr wire rooted(wire x) const {
    const normed after{.epsilon = 1e-5F};
    const max_pool pool{.pad = {}};
    if (!deep_root)
      return x >> in("conv1", convolution{.out = 64, .kernel = 7, .stride = 2} >> after) >> pool;
    return x >> in("conv1_1", convolution{.out = 32, .kernel = 3, .stride = 2} >> after) >>
           in("conv1_2", convolution{.out = 32, .kernel = 3} >> after) >>
           in("conv1_3", convolution{.out = 64, .kernel = 3} >> after) >> pool;
  }

  constexpr features stages(wire x) const {
    const std::array<int, 4> units = layers == 18   ? std::array{2, 2, 2, 2}
                                     : layers == 34 ? std::array{3, 4, 6, 3}
                                     : layers == 50 ? std::array{3, 4, 6, 3}
                                                    : std::array{3, 4, 23, 3};
    stride_budget budget = budget_for(x, output_stride, 4, how);
    features taps{};
    for (int b = 0; b < 4; ++b) {
      budget.begin_stage();
      for (int u = 0; u < units[static_cast<std::size_t>(b)]; ++u) {
        unit_step step = budget.next(u == 0 && b > 0 ? 2 : 1);
        if (b == 3) step.rate *= multi_grid[static_cast<std::size_t>(u)];
        const auto body = [&](wire y) { return unit(y, 64 << b, step); };
        x = in({"block", b + 1}, in({"unit_", u + 1}, body))(x);
      }
      if (b == 0) taps.low = x;
      if (b == 1) taps.stride8 = x;
      if (b == 2 && output_stride >= 16) taps.stride16 = x;
    }
    taps.high = x;
    return taps;
  }

  constexpr wire unit(wire x, int width, unit_step step) const {
    if (layers >= 50) return bottleneck{width, step}(x).out;
    return basic_unit{width, step, dilate_second ? step.rate : 1}(x);
  }
};
static_assert(backbone<resnet_v1b>);

}  // namespace atrous
