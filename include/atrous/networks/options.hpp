// SPDX-License-Identifier: MIT
#pragma once
// Every published network as one plain description, so that programs and importers can choose at run time
// what users' code writes as a function of wires. Both record the same graph.
#include <array>

#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>
#include <atrous/networks/original_xception.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/xception.hpp>

namespace atrous {

/// The published backbones: xception, original_xception, resnet, mobilenet_v2.
enum class body { xception, original_xception, resnet, mobilenet_v2 };

/// A DeepLab network in full.
struct deeplab_options {
  body backbone = body::xception;
  int layers = 65;                         // of a modified Xception (41, 65, 71) or a ResNet (50, 101)
  resnet_root root = resnet_root::beta;    // of a ResNet
  double width = 1;                        // of MobileNetV2
  std::array<int, 3> multi_grid{1, 1, 1};  // of the modified Xceptions and the ResNets
  int output_stride = 16;
  int pooling_crop_height = 0;  // image pooling over such a part of the image; 0: over all of it
  int pooling_crop_width = 0;
  aspp pyramid{};
  decoder refine{};  // no strides: DeepLabv3, logits at the output stride
  int classes = 21;
  corners last = corners::aligned;  // of the resize of the logits
};

/// The description's network behind a backbone.
template <backbone Backbone>
constexpr wire build_on(wire image, const Backbone& features_of, const deeplab_options& o) {
  aspp pyramid = o.pyramid;
  if (o.pooling_crop_height > 0 && o.pooling_crop_width > 0 && o.output_stride > 0) {
    pyramid.pooling_height = strided(o.pooling_crop_height, o.output_stride);
    pyramid.pooling_width = strided(o.pooling_crop_width, o.output_stride);
  }
  return deeplab_v3_plus(image, features_of, o.classes,
                         {.pyramid = pyramid, .refine = o.refine, .last = o.last});
}

/// The described network: height x width x 3 -> height x width x classes.
constexpr wire build(wire image, const deeplab_options& o) {
  switch (o.backbone) {
    case body::xception:
      return build_on(image, xception{o.layers, o.output_stride, o.multi_grid}, o);
    case body::original_xception:
      return build_on(image, original_xception{o.output_stride}, o);
    case body::resnet:
      return build_on(image, resnet{o.layers, o.root, o.output_stride, o.multi_grid}, o);
    case body::mobilenet_v2:
      break;
  }
  return build_on(image, mobilenet_v2{.output_stride = o.output_stride, .width = o.width}, o);
}

}  // namespace atrous
