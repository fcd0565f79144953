// SPDX-License-Identifier: MIT
#pragma once
// How a backbone wants its pixels: part of the network, so that nobody has to remember it.
#include <atrous/graph/layer.hpp>

namespace atrous {

/// pixel * factor + offset, per channel; channels beyond the fourth use the fourth pair.
///
///   in, out     height x width x C
struct normalise {
  std::array<float, 4> factors{1, 1, 1, 1}, offsets{};

  /// pixel * 2 / 255 - 1: Xception, MobileNetV2 and the ResNets with the beta root.
  static constexpr normalise to_unit_range() {
    const float factor = 2.0F / 255.0F;
    return {{factor, factor, factor, factor}, {-1, -1, -1, -1}};
  }
  /// pixel - mean, RGB: the plain ResNets.
  static constexpr normalise subtract(float red, float green, float blue) {
    return {{1, 1, 1, 1}, {-red, -green, -blue, 0}};
  }

  constexpr op describe() const {
    return {.kind = op_kind::normalise, .factors = factors, .offsets = offsets};
  }
};
static_assert(primitive<normalise>);

}  // namespace atrous
