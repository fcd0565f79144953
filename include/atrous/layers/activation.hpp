// SPDX-License-Identifier: MIT
#pragma once
#include <atrous/graph/layer.hpp>

namespace atrous {

/// Applies one of the activations to every element. in, out: height x width x C.
struct activate {
  activation which = activation::relu;
  constexpr op describe() const { return {.kind = op_kind::activate, .act = which}; }
};
static_assert(primitive<activate>);

/// max(x, 0). in, out: height x width x C.
struct relu {
  constexpr op describe() const { return {.kind = op_kind::activate, .act = activation::relu}; }
};
/// min(max(x, 0), 6) (MobileNetV2). in, out: height x width x C.
struct relu6 {
  constexpr op describe() const { return {.kind = op_kind::activate, .act = activation::relu6}; }
};
static_assert(primitive<relu> && primitive<relu6>);

}  // namespace atrous
