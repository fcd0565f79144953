// SPDX-License-Identifier: MIT
#pragma once
// Batch normalisation as a layer of its own. The planner folds it into the convolution before it where that
// is exact; training needs it as it stands.
#include <atrous/graph/layer.hpp>

namespace atrous {

/// gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta, per channel.
///
///   in, out     height x width x C
///   parameters  gamma, beta, moving_mean, moving_variance  C each
///   rules       epsilon is not negative
struct batch_norm {
  float epsilon = 1e-3F;

  constexpr op describe() const { return {.kind = op_kind::batch_norm, .epsilon = epsilon}; }
  constexpr void check(recorder& net, shape in) const {
    net.expect(epsilon >= 0, {rule::epsilon_must_not_be_negative, in, in});
  }
  constexpr parameter_list parameters(shape in) const {
    return {{"gamma", role::gamma, {in.channels}},
            {"beta", role::beta, {in.channels}},
            {"moving_mean", role::moving_mean, {in.channels}},
            {"moving_variance", role::moving_variance, {in.channels}}};
  }
};
static_assert(primitive<batch_norm>);

}  // namespace atrous
