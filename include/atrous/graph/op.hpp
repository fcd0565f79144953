// SPDX-License-Identifier: MIT
#pragma once
// The structural description of one primitive: plain data, the same for every policy. Whatever published
// implementations differ in (padding, corners of a resize, epsilon) is a named part of it, never folklore.
#include <array>

#include <atrous/core/shape.hpp>

namespace atrous {

/// What a node of the graph computes. Kinds from `own` on belong to users (see examples/own_primitive.cpp).
enum class op_kind : int {
  input,
  normalise,
  convolution,
  depthwise,
  batch_norm,
  activate,
  max_pool,
  average_pool,
  resize,
  add,
  scale,
  concat,
  own = 1000,
};

/// What follows a layer element by element: nothing, max(x, 0), min(max(x, 0), 6), g(x) = relu6(x + 3) / 6, or x g(x)
/// (MobileNetV3, section 5.2).
enum class activation { none, relu, relu6, hard_sigmoid, hard_swish };

/// Whether an activation only bounds its numbers. Others take a step of their own.
constexpr bool only_bounds(activation act) { return act <= activation::relu6; }

/// Where output samples of a resize lie on the input: with the corner samples of both grids together
/// (TensorFlow's and the paper's), with half a pixel between grid and border (PyTorch's default), or at
/// index * in / out (early TensorFlow).
enum class corners { aligned, half_pixel, asymmetric };

/// How far a window reaches over the border of its input.
struct padding {
  enum class rule {
    centred,  // (window - 1) / 2 before, the rest after, whatever the input's size; PyTorch and slim's
              // conv2d_same
    same,     // TensorFlow's SAME: just enough for ceil(in / stride) outputs, the odd pixel after
    given,    // the four numbers below
  };
  enum class border {
    zeros,        // what lies outside counts as 0
    per_channel,  // what lies outside is the parameter `border` of the layer (padded before an expansion)
  };
  rule by = rule::centred;
  int top = 0, left = 0, bottom = 0, right = 0;
  border outside = border::zeros;

  static constexpr padding same() { return {.by = rule::same}; }
  static constexpr padding given(int top, int left, int bottom, int right) {
    return {.by = rule::given, .top = top, .left = left, .bottom = bottom, .right = right};
  }
  static constexpr padding none() { return given(0, 0, 0, 0); }
};

/// One primitive with its parts. Fields that a kind does not use keep their defaults.
struct op {
  op_kind kind = op_kind::input;
  int out = 0;                                // channels of a convolution
  int kernel = 1;                             // taps per side
  int stride = 1, rate = 1;                   // input pixels per output pixel; input pixels between taps
  bool bias = false;                          // adds a trained value per channel
  padding pad{};                              // of convolutions and pooling
  activation act = activation::none;          // of activate
  corners corner = corners::aligned;          // of resize
  float epsilon = 0;                          // of batch_norm
  int window_height = 0, window_width = 0;    // of average_pool; 0: the whole input
  std::array<float, 4> factors{}, offsets{};  // of normalise, per channel; free for own kinds
};

/// Where windows of one axis lie: `out` of them, the first starting `before` pixels ahead of the input.
struct windows {
  int out = 0, before = 0;
};

/// Places windows of `kernel` taps along one axis of `in` pixels.
constexpr windows place(int in, int kernel, int stride, int rate, padding::rule by, int before, int after) {
  const int reach = (kernel - 1) * rate;  // window extent less one
  if (by == padding::rule::given) {
    const int room = in + before + after - reach - 1;
    return {room < 0 ? 0 : room / stride + 1, before};
  }
  const int out = strided(in, stride);
  if (by == padding::rule::centred) return {out, reach / 2};
  const int missing = (out - 1) * stride + reach + 1 - in;
  return {out, missing > 0 ? missing / 2 : 0};
}

/// Where the windows of a convolution or a pooling lie on the rows and on the columns of its input.
constexpr windows rows_of(const op& o, shape in) {
  return place(in.height, o.kernel, o.stride, o.rate, o.pad.by, o.pad.top, o.pad.bottom);
}
constexpr windows columns_of(const op& o, shape in) {
  return place(in.width, o.kernel, o.stride, o.rate, o.pad.by, o.pad.left, o.pad.right);
}

}  // namespace atrous
