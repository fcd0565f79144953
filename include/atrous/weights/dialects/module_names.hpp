// SPDX-License-Identifier: MIT
#pragma once
// How PyTorch's implementations name the modules of a network, as tables. `#` in a scope of ours stands for a number; {1}
// in a name of theirs is the first of these, {1+1} one more, {2-1} the second less one; {m} is the number of units of
// Xception's middle flow.
#include <array>
#include <span>
#include <string_view>

namespace atrous {

/// One layer: its scope here, and there the module of the convolution and that of the batch norm behind it.
struct module_names {
  std::string_view scope, layer, norm{};
};

/// ResNet's, in torchvision's words, which all have taken over.
inline constexpr module_names resnet_modules[] = {
    {"conv1", "conv1", "bn1"},
    {"conv1_1", "stem.0", "stem.1"},
    {"conv1_2", "stem.3", "stem.4"},
    {"conv1_3", "stem.6", "stem.7"},
    {"block#/unit_#/conv#", "layer{1}.{2-1}.conv{3}", "layer{1}.{2-1}.bn{3}"},
    {"block#/unit_#/shortcut", "layer{1}.{2-1}.downsample.0", "layer{1}.{2-1}.downsample.1"},
};

/// MobileNetV2's in torchvision's words: the activation is a part of a nested module.
inline constexpr module_names nested_mobilenet_modules[] = {
    {"Conv", "features.0.0", "features.0.1"},
    {"expanded_conv/depthwise", "features.1.conv.0.0", "features.1.conv.0.1"},
    {"expanded_conv/project", "features.1.conv.1", "features.1.conv.2"},
    {"expanded_conv_#/expand", "features.{1+1}.conv.0.0", "features.{1+1}.conv.0.1"},
    {"expanded_conv_#/depthwise", "features.{1+1}.conv.1.0", "features.{1+1}.conv.1.1"},
    {"expanded_conv_#/project", "features.{1+1}.conv.2", "features.{1+1}.conv.3"},
    {"Conv_1", "features.18.0", "features.18.1"},
};

/// The same in two halves, cut where the decoder takes its features (VainF).
inline constexpr module_names halved_mobilenet_modules[] = {
    {"Conv", "low_level_features.0.0", "low_level_features.0.1"},
    {"expanded_conv/depthwise", "low_level_features.1.conv.0.0", "low_level_features.1.conv.0.1"},
    {"expanded_conv/project", "low_level_features.1.conv.1", "low_level_features.1.conv.2"},
    {"expanded_conv_1/expand", "low_level_features.2.conv.0.0", "low_level_features.2.conv.0.1"},
    {"expanded_conv_1/depthwise", "low_level_features.2.conv.1.0", "low_level_features.2.conv.1.1"},
    {"expanded_conv_1/project", "low_level_features.2.conv.2", "low_level_features.2.conv.3"},
    {"expanded_conv_2/expand", "low_level_features.3.conv.0.0", "low_level_features.3.conv.0.1"},
    {"expanded_conv_2/depthwise", "low_level_features.3.conv.1.0", "low_level_features.3.conv.1.1"},
    {"expanded_conv_2/project", "low_level_features.3.conv.2", "low_level_features.3.conv.3"},
    {"expanded_conv_#/expand", "high_level_features.{1+1}.conv.0.0", "high_level_features.{1+1}.conv.0.1"},
    {"expanded_conv_#/depthwise", "high_level_features.{1+1}.conv.1.0", "high_level_features.{1+1}.conv.1.1"},
    {"expanded_conv_#/project", "high_level_features.{1+1}.conv.2", "high_level_features.{1+1}.conv.3"},
};

/// MobileNetV2's as one flat sequence a block, activations counted (tonylins, jfzhang95, bubbliiiing).
inline constexpr module_names flat_mobilenet_modules[] = {
    {"Conv", "features.0.0", "features.0.1"},
    {"expanded_conv/depthwise", "features.1.conv.0", "features.1.conv.1"},
    {"expanded_conv/project", "features.1.conv.3", "features.1.conv.4"},
    {"expanded_conv_#/expand", "features.{1+1}.conv.0", "features.{1+1}.conv.1"},
    {"expanded_conv_#/depthwise", "features.{1+1}.conv.3", "features.{1+1}.conv.4"},
    {"expanded_conv_#/project", "features.{1+1}.conv.6", "features.{1+1}.conv.7"},
};

/// MobileNetV2's in transformers.
inline constexpr module_names hugging_face_mobilenet_modules[] = {
    {"Conv", "conv_stem.first_conv.convolution", "conv_stem.first_conv.normalization"},
    {"expanded_conv/depthwise", "conv_stem.conv_3x3.convolution", "conv_stem.conv_3x3.normalization"},
    {"expanded_conv/project", "conv_stem.reduce_1x1.convolution", "conv_stem.reduce_1x1.normalization"},
    {"expanded_conv_#/expand", "layer.{1-1}.expand_1x1.convolution", "layer.{1-1}.expand_1x1.normalization"},
    {"expanded_conv_#/depthwise", "layer.{1-1}.conv_3x3.convolution", "layer.{1-1}.conv_3x3.normalization"},
    {"expanded_conv_#/project", "layer.{1-1}.reduce_1x1.convolution", "layer.{1-1}.reduce_1x1.normalization"},
};

/// MobileNetV3-Large's in torchvision: what stands behind the place of squeeze and excitation moves up where it is absent,
/// and the first block has no expansion.
inline constexpr module_names mobilenet_v3_modules[] = {
    {"Conv", "0.0", "0.1"},
    {"expanded_conv/depthwise", "1.block.0.0", "1.block.0.1"},
    {"expanded_conv/project", "1.block.1.0", "1.block.1.1"},
    {"expanded_conv_#/expand", "{1+1}.block.0.0", "{1+1}.block.0.1"},
    {"expanded_conv_#/depthwise", "{1+1}.block.1.0", "{1+1}.block.1.1"},
    {"expanded_conv_#/squeeze_excite/fc#", "{1+1}.block.2.fc{2}"},
    {"expanded_conv_1/project", "2.block.2.0", "2.block.2.1"},
    {"expanded_conv_2/project", "3.block.2.0", "3.block.2.1"},
    {"expanded_conv_6/project", "7.block.2.0", "7.block.2.1"},
    {"expanded_conv_7/project", "8.block.2.0", "8.block.2.1"},
    {"expanded_conv_8/project", "9.block.2.0", "9.block.2.1"},
    {"expanded_conv_9/project", "10.block.2.0", "10.block.2.1"},
    {"expanded_conv_#/project", "{1+1}.block.3.0", "{1+1}.block.3.1"},
    {"Conv_1", "16.0", "16.1"},
};

/// The modified Xception's in timm.
inline constexpr module_names timm_xception_modules[] = {
    {"entry_flow/conv1_#", "stem_{1-1}.conv", "stem_{1-1}.bn"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_depthwise",
     "blocks_{1-1}.stack.conv{2}.conv_dw", "blocks_{1-1}.stack.conv{2}.bn_dw"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_pointwise",
     "blocks_{1-1}.stack.conv{2}.conv_pw", "blocks_{1-1}.stack.conv{2}.bn_pw"},
    {"entry_flow/block#/unit_1/xception_module/shortcut", "blocks_{1-1}.shortcut.conv",
     "blocks_{1-1}.shortcut.bn"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_depthwise",
     "blocks_{1+2}.stack.conv{2}.conv_dw", "blocks_{1+2}.stack.conv{2}.bn_dw"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_pointwise",
     "blocks_{1+2}.stack.conv{2}.conv_pw", "blocks_{1+2}.stack.conv{2}.bn_pw"},
    {"exit_flow/block1/unit_1/xception_module/shortcut", "blocks_{m+3}.shortcut.conv",
     "blocks_{m+3}.shortcut.bn"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_depthwise",
     "blocks_{m+3}.stack.conv{1}.conv_dw", "blocks_{m+3}.stack.conv{1}.bn_dw"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_pointwise",
     "blocks_{m+3}.stack.conv{1}.conv_pw", "blocks_{m+3}.stack.conv{1}.bn_pw"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_depthwise",
     "blocks_{m+4}.stack.conv{1}.conv_dw", "blocks_{m+4}.stack.conv{1}.bn_dw"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_pointwise",
     "blocks_{m+4}.stack.conv{1}.conv_pw", "blocks_{m+4}.stack.conv{1}.bn_pw"},
};

/// The same in bubbliiiing's words.
inline constexpr module_names bubbliiiing_xception_modules[] = {
    {"entry_flow/conv1_#", "conv{1}", "bn{1}"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_depthwise", "block{1}.sepconv{2}.depthwise",
     "block{1}.sepconv{2}.bn1"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_pointwise", "block{1}.sepconv{2}.pointwise",
     "block{1}.sepconv{2}.bn2"},
    {"entry_flow/block#/unit_1/xception_module/shortcut", "block{1}.skip", "block{1}.skipbn"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_depthwise", "block{1+3}.sepconv{2}.depthwise",
     "block{1+3}.sepconv{2}.bn1"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_pointwise", "block{1+3}.sepconv{2}.pointwise",
     "block{1+3}.sepconv{2}.bn2"},
    {"exit_flow/block1/unit_1/xception_module/shortcut", "block20.skip", "block20.skipbn"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_depthwise", "block20.sepconv{1}.depthwise",
     "block20.sepconv{1}.bn1"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_pointwise", "block20.sepconv{1}.pointwise",
     "block20.sepconv{1}.bn2"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_depthwise", "conv{1+2}.depthwise",
     "conv{1+2}.bn1"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_pointwise", "conv{1+2}.pointwise",
     "conv{1+2}.bn2"},
};

/// Cadene's Xception, and what jfzhang95 made of it: `rep` counts activations, which the first two blocks of jfzhang95 and
/// the first of VainF do not begin with. Of VainF's there is no batch norm between the halves.
inline constexpr module_names jfzhang95_xception_modules[] = {
    {"entry_flow/conv1_#", "conv{1}", "bn{1}"},
    {"entry_flow/block3/unit_1/xception_module/separable_conv#_depthwise", "block3.rep.{1*3-2}.conv1",
     "block3.rep.{1*3-2}.bn"},
    {"entry_flow/block3/unit_1/xception_module/separable_conv#_pointwise", "block3.rep.{1*3-2}.pointwise",
     "block3.rep.{1*3-1}"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_depthwise", "block{1}.rep.{2*3-3}.conv1",
     "block{1}.rep.{2*3-3}.bn"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_pointwise", "block{1}.rep.{2*3-3}.pointwise",
     "block{1}.rep.{2*3-2}"},
    {"entry_flow/block#/unit_1/xception_module/shortcut", "block{1}.skip", "block{1}.skipbn"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_depthwise", "block{1+3}.rep.{2*3-2}.conv1",
     "block{1+3}.rep.{2*3-2}.bn"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_pointwise",
     "block{1+3}.rep.{2*3-2}.pointwise", "block{1+3}.rep.{2*3-1}"},
    {"exit_flow/block1/unit_1/xception_module/shortcut", "block20.skip", "block20.skipbn"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_depthwise", "block20.rep.{1*3-2}.conv1",
     "block20.rep.{1*3-2}.bn"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_pointwise", "block20.rep.{1*3-2}.pointwise",
     "block20.rep.{1*3-1}"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_depthwise", "conv{1+2}.conv1", "conv{1+2}.bn"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_pointwise", "conv{1+2}.pointwise", "bn{1+2}"},
};
inline constexpr module_names vainf_xception_modules[] = {
    {"entry_flow/conv1_#", "conv{1}", "bn{1}"},
    {"entry_flow/block1/unit_1/xception_module/separable_conv#_depthwise", "block1.rep.{1*3-3}.conv1"},
    {"entry_flow/block1/unit_1/xception_module/separable_conv#_pointwise", "block1.rep.{1*3-3}.pointwise",
     "block1.rep.{1*3-2}"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_depthwise", "block{1}.rep.{2*3-2}.conv1"},
    {"entry_flow/block#/unit_1/xception_module/separable_conv#_pointwise", "block{1}.rep.{2*3-2}.pointwise",
     "block{1}.rep.{2*3-1}"},
    {"entry_flow/block#/unit_1/xception_module/shortcut", "block{1}.skip", "block{1}.skipbn"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_depthwise", "block{1+3}.rep.{2*3-2}.conv1"},
    {"middle_flow/block1/unit_#/xception_module/separable_conv#_pointwise",
     "block{1+3}.rep.{2*3-2}.pointwise", "block{1+3}.rep.{2*3-1}"},
    {"exit_flow/block1/unit_1/xception_module/shortcut", "block12.skip", "block12.skipbn"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_depthwise", "block12.rep.{1*3-2}.conv1"},
    {"exit_flow/block1/unit_1/xception_module/separable_conv#_pointwise", "block12.rep.{1*3-2}.pointwise",
     "block12.rep.{1*3-1}"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_depthwise", "conv{1+2}.conv1"},
    {"exit_flow/block2/unit_1/xception_module/separable_conv#_pointwise", "conv{1+2}.pointwise", "bn{1+2}"},
};

}  // namespace atrous
