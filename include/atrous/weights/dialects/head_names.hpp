// SPDX-License-Identifier: MIT
#pragma once
// The pyramids, decoders and classifiers in the words of PyTorch's implementations (module_names.hpp has the notation).
#include <atrous/weights/dialects/module_names.hpp>

namespace atrous {

/// segmentation_models_pytorch. A dense branch of the pyramid stands where a separable one has its halves.
inline constexpr module_names smp_v3plus_head[] = {
    {"image_pooling", "decoder.aspp.0.convs.4.1", "decoder.aspp.0.convs.4.2"},
    {"aspp0", "decoder.aspp.0.convs.0.0", "decoder.aspp.0.convs.0.1"},
    {"aspp#_depthwise", "decoder.aspp.0.convs.{1}.0.0"},
    {"aspp#_pointwise", "decoder.aspp.0.convs.{1}.0.1", "decoder.aspp.0.convs.{1}.1"},
    {"aspp#", "decoder.aspp.0.convs.{1}.0", "decoder.aspp.0.convs.{1}.1"},
    {"concat_projection", "decoder.aspp.0.project.0", "decoder.aspp.0.project.1"},
    {"last_conv_depthwise", "decoder.aspp.1.0"},
    {"last_conv_pointwise", "decoder.aspp.1.1", "decoder.aspp.2"},
    {"decoder/feature_projection0", "decoder.block1.0", "decoder.block1.1"},
    {"decoder/decoder_conv0_depthwise", "decoder.block2.0.0"},
    {"decoder/decoder_conv0_pointwise", "decoder.block2.0.1", "decoder.block2.1"},
    {"logits/semantic", "segmentation_head.0"},
};
inline constexpr module_names smp_v3_head[] = {
    {"image_pooling", "decoder.aspp.convs.4.1", "decoder.aspp.convs.4.2"},
    {"aspp#", "decoder.aspp.convs.{1}.0", "decoder.aspp.convs.{1}.1"},
    {"concat_projection", "decoder.aspp.project.0", "decoder.aspp.project.1"},
    {"last_conv", "decoder.conv", "decoder.bn"},
    {"logits/semantic", "segmentation_head.0"},
};

/// The same in files of segmentation_models_pytorch before 0.6, when the decoder was a plain sequence.
inline constexpr module_names smp_v3_sequence_head[] = {
    {"image_pooling", "decoder.0.convs.4.1", "decoder.0.convs.4.2"},
    {"aspp#", "decoder.0.convs.{1}.0", "decoder.0.convs.{1}.1"},
    {"concat_projection", "decoder.0.project.0", "decoder.0.project.1"},
    {"last_conv", "decoder.1", "decoder.2"},
    {"logits/semantic", "segmentation_head.0"},
};

inline constexpr module_names torchvision_head[] = {
    {"image_pooling", "classifier.0.convs.4.1", "classifier.0.convs.4.2"},
    {"aspp#", "classifier.0.convs.{1}.0", "classifier.0.convs.{1}.1"},
    {"concat_projection", "classifier.0.project.0", "classifier.0.project.1"},
    {"last_conv", "classifier.1", "classifier.2"},
    {"logits/semantic", "classifier.4"},
};

/// VainF; separable after its convert_to_separable_conv.
inline constexpr module_names vainf_v3plus_head[] = {
    {"image_pooling", "classifier.aspp.convs.4.1", "classifier.aspp.convs.4.2"},
    {"aspp#_depthwise", "classifier.aspp.convs.{1}.0.body.0"},
    {"aspp#_pointwise", "classifier.aspp.convs.{1}.0.body.1", "classifier.aspp.convs.{1}.1"},
    {"aspp#", "classifier.aspp.convs.{1}.0", "classifier.aspp.convs.{1}.1"},
    {"concat_projection", "classifier.aspp.project.0", "classifier.aspp.project.1"},
    {"decoder/feature_projection0", "classifier.project.0", "classifier.project.1"},
    {"decoder/decoder_conv0_depthwise", "classifier.classifier.0.body.0"},
    {"decoder/decoder_conv0_pointwise", "classifier.classifier.0.body.1", "classifier.classifier.1"},
    {"decoder/decoder_conv0/decoder_conv0_1", "classifier.classifier.0", "classifier.classifier.1"},
    {"logits/semantic", "classifier.classifier.3"},
};
inline constexpr module_names vainf_v3_head[] = {
    {"image_pooling", "classifier.classifier.0.convs.4.1", "classifier.classifier.0.convs.4.2"},
    {"aspp#_depthwise", "classifier.classifier.0.convs.{1}.0.body.0"},
    {"aspp#_pointwise", "classifier.classifier.0.convs.{1}.0.body.1", "classifier.classifier.0.convs.{1}.1"},
    {"aspp#", "classifier.classifier.0.convs.{1}.0", "classifier.classifier.0.convs.{1}.1"},
    {"concat_projection", "classifier.classifier.0.project.0", "classifier.classifier.0.project.1"},
    {"last_conv_depthwise", "classifier.classifier.1.body.0"},
    {"last_conv_pointwise", "classifier.classifier.1.body.1", "classifier.classifier.2"},
    {"last_conv", "classifier.classifier.1", "classifier.classifier.2"},
    {"logits/semantic", "classifier.classifier.4"},
};

inline constexpr module_names jfzhang95_head[] = {
    {"image_pooling", "aspp.global_avg_pool.1", "aspp.global_avg_pool.2"},
    {"aspp#", "aspp.aspp{1+1}.atrous_conv", "aspp.aspp{1+1}.bn"},
    {"concat_projection", "aspp.conv1", "aspp.bn1"},
    {"decoder/feature_projection0", "decoder.conv1", "decoder.bn1"},
    {"decoder/decoder_conv0/decoder_conv0_#", "decoder.last_conv.{1*4-4}", "decoder.last_conv.{1*4-3}"},
    {"logits/semantic", "decoder.last_conv.8"},
};

inline constexpr module_names bubbliiiing_head[] = {
    {"image_pooling", "aspp.branch5_conv", "aspp.branch5_bn"},
    {"aspp#", "aspp.branch{1+1}.0", "aspp.branch{1+1}.1"},
    {"concat_projection", "aspp.conv_cat.0", "aspp.conv_cat.1"},
    {"decoder/feature_projection0", "shortcut_conv.0", "shortcut_conv.1"},
    {"decoder/decoder_conv0/decoder_conv0_#", "cat_conv.{1*4-4}", "cat_conv.{1*4-3}"},
    {"logits/semantic", "cls_conv"},
};

/// mmsegmentation, with and without decoder.
inline constexpr module_names mmseg_head[] = {
    {"image_pooling", "decode_head.image_pool.1.conv", "decode_head.image_pool.1.bn"},
    {"aspp#", "decode_head.aspp_modules.{1}.conv", "decode_head.aspp_modules.{1}.bn"},
    {"aspp#_depthwise", "decode_head.aspp_modules.{1}.depthwise_conv.conv",
     "decode_head.aspp_modules.{1}.depthwise_conv.bn"},
    {"aspp#_pointwise", "decode_head.aspp_modules.{1}.pointwise_conv.conv",
     "decode_head.aspp_modules.{1}.pointwise_conv.bn"},
    {"concat_projection", "decode_head.bottleneck.conv", "decode_head.bottleneck.bn"},
    {"decoder/feature_projection0", "decode_head.c1_bottleneck.conv", "decode_head.c1_bottleneck.bn"},
    {"decoder/decoder_conv#_depthwise", "decode_head.sep_bottleneck.{1}.depthwise_conv.conv",
     "decode_head.sep_bottleneck.{1}.depthwise_conv.bn"},
    {"decoder/decoder_conv#_pointwise", "decode_head.sep_bottleneck.{1}.pointwise_conv.conv",
     "decode_head.sep_bottleneck.{1}.pointwise_conv.bn"},
    {"logits/semantic", "decode_head.conv_seg"},
};

inline constexpr module_names hugging_face_head[] = {
    {"image_pooling", "segmentation_head.conv_pool.convolution", "segmentation_head.conv_pool.normalization"},
    {"aspp0", "segmentation_head.conv_aspp.convolution", "segmentation_head.conv_aspp.normalization"},
    {"concat_projection", "segmentation_head.conv_projection.convolution",
     "segmentation_head.conv_projection.normalization"},
    {"logits/semantic", "segmentation_head.classifier.convolution"},
};

}  // namespace atrous
