// SPDX-License-Identifier: MIT
#pragma once
// ResNet-v1-50 and -101 as DeepLab uses them (research/deeplab): the stride sits on the 3 x 3 convolution of
// a block's last unit, and the root is three 3 x 3 convolutions ("beta") or one of 7 x 7 ("plain").
#include <array>
#include <cstddef>

#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// Narrow, filter, widen; added to the input, which is projected where the channels differ and sampled where
/// only the grid does.
///
///   in   height x width x C
///   out  ceil(height / stride) x ceil(width / stride) x 4 narrow
struct bottleneck {
  int narrow = 64;
  unit_step step{};

  struct result {
    wire widened;  // the third convolution before the addition: what a decoder taps
    wire out;
  };

  constexpr result operator()(wire x) const {
    const normed after{.epsilon = 1e-5F}, linear{.epsilon = 1e-5F, .act = activation::none};
    const wire shortcut = passed(x, linear);
    const convolution filter{.out = narrow, .kernel = 3, .stride = step.stride, .rate = step.rate};
    const wire widened = x >> in("conv1", pointwise{.out = narrow} >> after) >>
                         in("conv2", filter >> after) >> in("conv3", pointwise{.out = 4 * narrow} >> linear);
    return {widened, (shortcut + widened) >> relu{}};
  }

 private:
  constexpr wire passed(wire x, const normed& linear) const {
    const pointwise projection{.out = 4 * narrow, .stride = step.stride};
    if (x.shape().channels != 4 * narrow) return x >> in("shortcut", projection >> linear);
    return step.stride == 1 ? x
                            : x >> max_pool{.kernel = 1, .stride = step.stride};  // samples 0, stride, ...
  }
};

/// How a ResNet begins.
enum class resnet_root {
  beta,   // three 3 x 3 convolutions, pixels in -1..1
  plain,  // one 7 x 7 convolution, pixels less the mean colour
};

/// The backbone, with 50 or 101 layers.
///
///   in          height x width x 3, values 0..255
///   low         ceil(height / 4) x ceil(width / 4) x 256
///   high        ceil(height / output_stride) x ... x 2048
///   parameters  resnet_v1_101/conv1_1, ..., resnet_v1_101/block1/unit_1/bottleneck_v1/shortcut, ...
///   rules       the output stride is 8, 16 or 32; there are 50 or 101 layers
struct resnet {
  int layers = 101;  // 50 or 101
  resnet_root root = resnet_root::beta;
  int output_stride = 16;
  std::array<int, 3> multi_grid{1, 1, 1};  // of the last block's units

  constexpr features operator()(wire image) const {
    image.net->expect(layers == 50 || layers == 101,
                      {rule::layer_must_obey_its_own_rules, {layers, 0, 0}, image.shape()});
    const auto body = [&](wire x) { return blocks(rooted(x)); };
    const normalise scaled = root == resnet_root::beta ? normalise::to_unit_range()
                                                       : normalise::subtract(123.15F, 115.90F, 103.06F);
    return in({"resnet_v1_", layers}, body)(image >> scaled);
  }

 private:
  constexpr wire rooted(wire x) const {
    const normed after{.epsilon = 1e-5F};
    if (root == resnet_root::plain) {
      return x >> in("conv1", convolution{.out = 64, .kernel = 7, .stride = 2} >> after) >> max_pool{};
    }
    return x >> in("conv1_1", convolution{.out = 64, .kernel = 3, .stride = 2} >> after) >>
           in("conv1_2", convolution{.out = 64, .kernel = 3} >> after) >>
           in("conv1_3", convolution{.out = 128, .kernel = 3} >> after) >> max_pool{};
  }

  constexpr features blocks(wire x) const {
    const std::array<int, 4> units{3, 4, layers == 50 ? 6 : 23, 3};
    stride_budget budget = budget_for(x, output_stride, 4);
    features taps{};
    for (int b = 0; b < 4; ++b) {
      const int count = units[static_cast<std::size_t>(b)];
      for (int u = 0; u < count; ++u) {
        unit_step step = budget.next(u == count - 1 && b < 3 ? 2 : 1);
        if (b == 3) step.rate *= multi_grid[static_cast<std::size_t>(u)];
        const auto made =
            in({"block", b + 1}, in({"unit_", u + 1, "/bottleneck_v1"}, bottleneck{64 << b, step}))(x);
        x = made.out;
        if (u != count - 2) continue;  // a decoder taps the last unit that keeps the block's grid
        if (b == 0) taps.low = made.widened;
        if (b == 1) taps.stride8 = made.widened;
        if (b == 2 && output_stride >= 16) taps.stride16 = made.widened;
      }
    }
    taps.high = x;
    return taps;
  }
};
static_assert(backbone<resnet>);

/// The short names, with the beta root and the multi-grid of its published checkpoints:
/// `resnet101{.output_stride = 8}`.
template <int Layers>
struct resnet_of {
  int output_stride = 16;
  std::array<int, 3> multi_grid{1, 2, 4};
  constexpr features operator()(wire image) const {
    return resnet{Layers, resnet_root::beta, output_stride, multi_grid}(image);
  }
};
using resnet50 = resnet_of<50>;
using resnet101 = resnet_of<101>;

}  // namespace atrous
