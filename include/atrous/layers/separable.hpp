// SPDX-License-Identifier: MIT
#pragma once
// The composites that every DeepLab network is made of.
#include <atrous/graph/compose.hpp>
#include <atrous/layers/activation.hpp>
#include <atrous/layers/batch_norm.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/layers/depthwise.hpp>

namespace atrous {

/// What follows a convolution: batch norm (scope `BatchNorm`) and an activation.
struct normed {
  float epsilon = 1e-3F;
  activation act = activation::relu;

  constexpr wire operator()(wire x) const {
    const wire y = x >> in("BatchNorm", batch_norm{.epsilon = epsilon});
    return act == activation::none ? y : y >> activate{.which = act};
  }
};

/// Atrous separable convolution in the split form of the released checkpoints (research/deeplab): depthwise
/// (scope NAME_depthwise) and pointwise (scope NAME_pointwise), each followed by batch norm; with `joined` nothing
/// stands between them.
///
///   in          height x width x C
///   out         ceil(height / stride) x ceil(width / stride) x out
struct separable {
  label name;
  int out = 0;
  int kernel = 3, stride = 1, rate = 1;
  normed between{}, after{};
  padding pad{};
  bool joined = false;

  constexpr wire operator()(wire x) const {
    label first = name, second = name;
    first.tail = "_depthwise";
    second.tail = "_pointwise";
    const depthwise filter{.kernel = kernel, .stride = stride, .rate = rate, .pad = pad};
    const wire filtered = joined ? x >> in(first, filter) : x >> in(first, filter >> between);
    return filtered >> in(second, pointwise{.out = out} >> after);
  }
};

}  // namespace atrous
