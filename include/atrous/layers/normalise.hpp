// SPDX-License-Identifier: MIT
#pragma once
// How a backbone wants its pixels: part of the network, so that nobody has to remember it.
#include <array>
#include <cstddef>

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

  /// (pixel * scale - mean) / deviation, RGB: torchvision's colours at 1 / 255, mmsegmentation's at 1.
  static constexpr normalise standardise(const std::array<double, 3>& mean,
                                         const std::array<double, 3>& deviation, double scale = 1.0 / 255) {
    normalise made;
    for (std::size_t c = 0; c < 4; ++c) {
      const std::size_t from = c < 3 ? c : 2;
      made.factors[c] = static_cast<float>(scale / deviation[from]);
      made.offsets[c] = static_cast<float>(-mean[from] / deviation[from]);
    }
    return made;
  }
  /// The same with the colours of ImageNet, which most of PyTorch's networks are trained with.
  static constexpr normalise imagenet() { return standardise({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}); }
  /// pixel / 255.
  static constexpr normalise to_unit_interval() { return standardise({0, 0, 0}, {1, 1, 1}); }

  constexpr op describe() const {
    return {.kind = op_kind::normalise, .factors = factors, .offsets = offsets};
  }
};
static_assert(primitive<normalise>);

}  // namespace atrous
