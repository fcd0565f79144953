// SPDX-License-Identifier: MIT
#pragma once
// What a backbone is: anything that makes features of an image. A user's own needs no base class and no
// registration; the published ones share the arithmetic of the output stride below.
#include <concepts>

#include <atrous/graph/layer.hpp>

namespace atrous {

/// What a backbone hands over: `high` for the pyramid, `low` (stride 4) and, for decoders of several stages,
/// the features of strides 8 and 16. `{low, high}` is the short form; a wire that is left out is not offered.
struct features {
  wire low{};
  wire high{};
  wire stride8{};
  wire stride16{};

  /// The features whose grid is the image's divided by `stride`.
  ///
  ///   rules  the backbone offers features of this stride
  constexpr wire at(int stride) const {
    const wire found = stride == 4 ? low : stride == 8 ? stride8 : stride == 16 ? stride16 : wire{};
    high.net->expect(static_cast<bool>(found),
                     {rule::backbone_must_offer_features_of_this_stride, {stride, stride, 0}, high.shape()});
    return found ? found : high;
  }
};

/// Any callable from the image's wire to features.
template <class B>
concept backbone = requires(const B& b, wire image) {
  { b(image) } -> std::same_as<features>;
};

/// What a backbone makes of an image.
///
///   rules  there are features for the pyramid
template <backbone Backbone>
constexpr features features_from(const Backbone& body, wire image) {
  features taps = body(image);
  const bool any = static_cast<bool>(taps.high);
  image.net->expect(any, {rule::backbone_must_offer_high_features, image.shape(), image.shape()});
  if (!any) taps.high = image;  // a lenient recorder goes on
  return taps;
}

/// How far one unit of a backbone strides and how far apart its taps lie.
struct unit_step {
  int stride = 1, rate = 1;
};

/// Which units spread their taps for a stride that is given up. Implementations that agree on every tensor disagree on this.
enum class spread {
  next_unit,    // those behind the unit that loses its stride (TensorFlow, torchvision)
  whole_stage,  // that unit and all behind it (segmentation_models_pytorch)
  next_stage,   // those of the stages behind (jfzhang95's MobileNetV2)
};

/// Spends the output stride unit by unit (TensorFlow's stack_blocks_dense): once `current`
/// has reached `target`, a unit keeps its grid, and taps spread instead.
struct stride_budget {
  int target = 16;
  int current = 1;  // stride of what has been built so far
  int rate = 1;
  spread how = spread::next_unit;
  int waiting = 1;  // by how much the rate grows with the next stage

  /// Called where units of other channels begin; only `next_stage` needs to know.
  constexpr void begin_stage() {
    rate *= waiting;
    waiting = 1;
  }
  constexpr unit_step next(int stride) {
    if (current < target) {
      current *= stride;
      return {stride, 1};
    }
    const int old = rate;
    (how == spread::next_stage ? waiting : rate) *= stride;
    return {1, how == spread::whole_stage ? rate : old};
  }
};

/// The budget of a backbone whose root has already strided `root`.
///
///   rules  the output stride is 8, 16 or 32
constexpr stride_budget budget_for(wire image, int output_stride, int root, spread how = spread::next_unit) {
  image.net->expect(
      output_stride == 8 || output_stride == 16 || output_stride == 32,
      {rule::output_stride_must_be_8_16_or_32, {output_stride, output_stride, 0}, image.shape()});
  return {.target = output_stride, .current = root, .how = how};
}

}  // namespace atrous
