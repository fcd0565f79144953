// SPDX-License-Identifier: MIT
#pragma once
// DeepLabv3 and DeepLabv3+ on any backbone (Chen et al. 2017; 2018b, section 3.1). The last node of either is the resize
// of the logits to the image's extents; what enters it are the logits.
#include <optional>

#include <atrous/networks/aspp.hpp>
#include <atrous/networks/backbone.hpp>

namespace atrous {

/// The decoder of DeepLabv3+: for every stride, the encoder's features on the grid of the backbone's features
/// of that stride, concatenated with a narrow projection of these, and refined by some convolutions.
///
///   context     what the pyramid made, any extents
///   out         extents of the backbone's features of the last stride, `filters` channels
///   parameters  decoder/feature_projection0, decoder/decoder_conv0_depthwise, ... (separable) or
///               decoder/decoder_conv0/decoder_conv0_1, ... (dense); with suffix _1 in the second stage
///   rules       strides descend; the backbone offers features of each; at most 3 stages and 3 convolutions
struct decoder {
  int_list strides{4};  // one stage each
  int projection = 48;  // channels of the projected low-level features
  int convolutions = 2;
  int kernel = 3;  // of the convolutions; those of 1 x 1 are never separable
  int filters = 256;
  bool dense = false;                 // ordinary convolutions instead of separable ones
  bool joined = false;                // nothing between the depthwise and the pointwise halves
  bool bias = false;                  // dense convolutions add a bias in front of their batch norm, too
  bool low_first = false;             // the projected low-level features come in front of the encoder's
  corners corner = corners::aligned;  // of the resize to the low-level features' extents
  float epsilon = 1e-5F;              // of every batch norm

  constexpr wire operator()(wire context, const features& taps) const {
    const bool small = strides.count <= 3 && convolutions >= 0 && convolutions <= 3;
    context.net->expect(
        small, {rule::layer_must_obey_its_own_rules, {strides.count, convolutions, 0}, context.shape()});
    for (int k = 0; small && k < strides.count; ++k) {
      const int before = k == 0 ? strides[0] + 1 : strides[k - 1];
      context.net->expect(strides[k] < before,
                          {rule::decoder_strides_must_descend, {before, strides[k], 0}, context.shape()});
      context = stage(context, taps.at(strides[k]), k);
    }
    return context;
  }

 private:
  constexpr wire stage(wire context, wire low, int k) const {
    const normed after{.epsilon = epsilon};
    const label name =
        k == 0 ? label("decoder/feature_projection0") : label("decoder/feature_projection0_", k);
    const wire detail = low >> in(name, pointwise{.out = projection, .bias = bias} >> after);
    const wire around = context >> resize_to(low.shape(), corner);
    wire x = low_first ? concat(detail, around) : concat(around, detail);
    for (int i = 0; i < convolutions; ++i) x = dense || kernel == 1 ? plain(x, k, i) : split(x, k, i);
    return x;
  }

  /// decoder_conv0_depthwise, decoder_conv1_pointwise; of the second stage decoder_conv0_1_depthwise.
  constexpr wire split(wire x, int k, int i) const {
    constexpr const char* later[] = {"decoder/decoder_conv0_", "decoder/decoder_conv1_",
                                     "decoder/decoder_conv2_"};
    const normed after{.epsilon = epsilon};
    const label name = k == 0 ? label("decoder/decoder_conv", i) : label(later[i], k);
    return x >> separable{.name = name,
                          .out = filters,
                          .kernel = kernel,
                          .between = after,
                          .after = after,
                          .joined = joined};
  }

  /// decoder_conv0/decoder_conv0_1, ..._2; of the second stage decoder_conv0_1/decoder_conv0_1_1, ..._2.
  constexpr wire plain(wire x, int k, int i) const {
    constexpr const char* names[] = {"decoder/decoder_conv0/decoder_conv0_",
                                     "decoder/decoder_conv0_1/decoder_conv0_1_",
                                     "decoder/decoder_conv0_2/decoder_conv0_2_"};
    return x >> in({names[k], i + 1},
                   convolution{.out = filters, .kernel = kernel, .bias = bias} >> normed{.epsilon = epsilon});
  }
};

/// Class scores of every pixel of `x`, brought to the image's extents.
constexpr wire classified(wire x, wire image, int classes, corners corner) {
  return x >> in("logits/semantic", pointwise{.out = classes, .bias = true}) >>
         resize_to(image.shape(), corner);
}

/// The separable pyramid with the published rates for a backbone's output stride; 6, 12, 18 if it has none.
template <backbone Backbone>
constexpr aspp pyramid_for(const Backbone& features_of) {
  if constexpr (requires { int(features_of.output_stride); }) {
    return {.rates = pyramid_rates(features_of.output_stride)};
  } else {
    return {};
  }
}

/// What stands on a backbone. What is left out is as published: `{.refine = {.strides = {8, 4}}}`.
struct head {
  std::optional<aspp> pyramid{};    // none: pyramid_for the backbone
  decoder refine{};                 // no strides: DeepLabv3, which classifies what the pyramid made
  corners last = corners::aligned;  // of the resize of the logits
};

/// DeepLabv3+: backbone, pyramid, decoder, logits, one resize. Separable as in the paper's best rows, unless `top` says
/// otherwise: `deeplab_v3_plus(image, xception65{.output_stride = 8}, 21)`. Returns height x width x classes.
template <backbone Backbone>
constexpr wire deeplab_v3_plus(wire image, const Backbone& features_of, int classes, const head& top = {}) {
  const features taps = features_from(features_of, image);
  const aspp pyramid = top.pyramid ? *top.pyramid : pyramid_for(features_of);
  return classified(top.refine(taps.high >> pyramid, taps), image, classes, top.last);
}

/// DeepLabv3: the same without a decoder, logits at the output stride. Returns height x width x classes.
template <backbone Backbone>
constexpr wire deeplab_v3(wire image, const Backbone& features_of, int classes, head top = {}) {
  top.refine.strides = {};
  return deeplab_v3_plus(image, features_of, classes, top);
}

}  // namespace atrous
