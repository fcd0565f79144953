// SPDX-License-Identifier: MIT
#pragma once
// Every published network as one plain description, so that programs and importers can choose at run time
// what users' code writes as a function of wires. Both record the same graph.
#include <variant>

#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>
#include <atrous/networks/mobilenet_v3.hpp>
#include <atrous/networks/original_xception.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/resnet_v1b.hpp>
#include <atrous/networks/xception.hpp>

namespace atrous {

/// One of the published backbones.
using published_backbone =
    std::variant<xception, original_xception, resnet, resnet_v1b, mobilenet_v2, mobilenet_v3>;

/// A DeepLab network in full.
struct deeplab_options {
  published_backbone backbone = xception{};
  int pooling_crop_height = 0;  // image pooling over such a part of the image; 0: over all of it
  int pooling_crop_width = 0;
  aspp pyramid{};
  decoder refine{};  // no strides: DeepLabv3, logits at the output stride
  int classes = 21;
  corners last = corners::aligned;  // of the resize of the logits

  constexpr int output_stride() const {
    return std::visit([](const auto& b) { return b.output_stride; }, backbone);
  }
};

/// The described network: height x width x 3 -> height x width x classes.
constexpr wire build(wire image, const deeplab_options& o) {
  aspp pyramid = o.pyramid;
  const int stride = o.output_stride();
  if (o.pooling_crop_height > 0 && o.pooling_crop_width > 0 && stride > 0) {
    pyramid.pooling_height = strided(o.pooling_crop_height, stride);
    pyramid.pooling_width = strided(o.pooling_crop_width, stride);
  }
  const head top{.pyramid = pyramid, .refine = o.refine, .last = o.last};
  return std::visit([&](const auto& body) { return deeplab_v3_plus(image, body, o.classes, top); },
                    o.backbone);
}

}  // namespace atrous
