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
/// relu6(x + 3) / 6 (MobileNetV3, section 5.2). in, out: height x width x C.
struct hard_sigmoid {
  constexpr op describe() const { return {.kind = op_kind::activate, .act = activation::hard_sigmoid}; }
};
/// x relu6(x + 3) / 6 (MobileNetV3, section 5.2). in, out: height x width x C.
struct hard_swish {
  constexpr op describe() const { return {.kind = op_kind::activate, .act = activation::hard_swish}; }
};
static_assert(primitive<relu> && primitive<relu6> && primitive<hard_sigmoid> && primitive<hard_swish>);

}  // namespace atrous
