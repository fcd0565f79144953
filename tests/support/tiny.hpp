// SPDX-License-Identifier: MIT
#pragma once
// Small networks made of the published parts: they meet most structures and run in milliseconds.
#include <atrous/graph/network.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/xception.hpp>

namespace tiny {

using namespace atrous;

/// One part of each published backbone. in: height x width x 3; low: stride 4 x 16; high: stride 16 x 24.
struct backbone {
  constexpr features operator()(wire image) const {
    using skip = xception_module::skip;
    const wire half = image >> normalise::to_unit_range() >>
                      in("root", convolution{.out = 8, .kernel = 3, .stride = 2} >> normed{});
    const auto entry =
        in("entry", xception_module{.depths = {8, 16, 16}, .shortcut = skip::projection, .stride = 2})(half);
    const auto middle =
        in("middle", xception_module{.depths = {16, 16, 16}, .shortcut = skip::identity})(entry.out);
    const auto unit = in("unit", bottleneck{.narrow = 4, .step = {2, 1}})(middle.out);
    const auto inverted = in("inverted", inverted_residual{.out = 24, .step = {2, 1}})(unit.out);
    const auto last = in("last", inverted_residual{.out = 24, .step = {1, 2}})(inverted.out);
    return {middle.out, last.out};
  }
};

constexpr wire plus(wire image) {
  return deeplab_v3_plus(image, backbone{}, 5,
                         {.pyramid = aspp{.rates = {1, 2}, .channels = 16},
                          .refine = {.projection = 6, .convolutions = 1, .filters = 16}});
}

inline constexpr network deeplab{plus, {33, 47, 3}};

}  // namespace tiny
