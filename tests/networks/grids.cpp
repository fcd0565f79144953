// SPDX-License-Identifier: MIT
// Output strides, rates and extents of the backbones, and the rules that a description must obey.
#include <doctest/doctest.h>

#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>

namespace {

using namespace atrous;

/// Rate and stride of the convolution in a scope, "rate/stride", and what comes out of it.
struct found {
  int rate = 0, stride = 0, height = 0, channels = 0;
  friend bool operator==(const found&, const found&) = default;
};
std::ostream& operator<<(std::ostream& out, const found& f) {
  return out << "rate " << f.rate << " stride " << f.stride << " height " << f.height << " channels "
             << f.channels;
}

found convolution_in(graph_view g, std::string_view scope) {
  for (int i = 0; i < g.size(); ++i) {
    const op& o = g[i].what;
    const bool convolves = o.kind == op_kind::convolution || o.kind == op_kind::depthwise;
    if (convolves && g.scope_name(g[i].scope) == scope)
      return {o.rate, o.stride, g[i].out.height, g[i].out.channels};
  }
  return {};
}

graph recorded_as(std::string_view name, shape image = {513, 513, 3}) {
  const deeplab_options options = network_named(name);
  return record([&](wire x) { return build(x, options); }, image);
}

std::string refusal(const std::function<wire(wire)>& define, shape image = {65, 65, 3}) {
  try {
    record(define, image);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("rates of Xception-65 follow the output stride") {
  const auto module = [](const graph& g, std::string_view block, int unit, std::string_view layer) {
    return convolution_in(g, "xception_65/" + std::string(block) + "/unit_" + std::to_string(unit) +
                                 "/xception_module/" + std::string(layer));
  };
  const auto check = [&](int output_stride, found entry3, found middle, found exit1, found exit2) {
    CAPTURE(output_stride);
    const graph g = recorded_as("deeplabv3plus_xception65_os" + std::to_string(output_stride));
    CHECK(module(g, "entry_flow/block1", 1, "separable_conv3_depthwise") == found{1, 2, 129, 128});
    CHECK(module(g, "entry_flow/block3", 1, "separable_conv3_depthwise") == entry3);
    CHECK(module(g, "middle_flow/block1", 16, "separable_conv1_depthwise") == middle);
    CHECK(module(g, "exit_flow/block1", 1, "separable_conv3_depthwise") == exit1);
    CHECK(module(g, "exit_flow/block2", 1, "separable_conv3_depthwise") == exit2);
  };
  check(32, {1, 2, 33, 728}, {1, 1, 33, 728}, {1, 2, 17, 1024}, {1, 1, 17, 1536});
  check(16, {1, 2, 33, 728}, {1, 1, 33, 728}, {1, 1, 33, 1024}, {2, 1, 33, 1536});
  check(8, {1, 1, 65, 728}, {2, 1, 65, 728}, {2, 1, 65, 1024}, {4, 1, 65, 1536});
}

TEST_CASE("multi-grid multiplies the rates of the last module") {
  deeplab_options options = network_named("deeplabv3plus_xception65");
  std::get<xception>(options.backbone).multi_grid = {1, 2, 4};
  const graph g = record([&](wire x) { return build(x, options); }, {513, 513, 3});
  const std::string module = "xception_65/exit_flow/block2/unit_1/xception_module/separable_conv";
  CHECK(convolution_in(g, module + "1_depthwise").rate == 2);
  CHECK(convolution_in(g, module + "2_depthwise").rate == 4);
  CHECK(convolution_in(g, module + "3_depthwise").rate == 8);
}

TEST_CASE("rates of ResNet follow output stride and multi-grid") {
  const auto conv2 = [](const graph& g, int block, int unit) {
    return convolution_in(g, "resnet_v1_101/block" + std::to_string(block) + "/unit_" + std::to_string(unit) +
                                 "/bottleneck_v1/conv2");
  };
  const graph at16 = recorded_as("deeplabv3_resnet101");
  CHECK(conv2(at16, 1, 3) == found{1, 2, 65, 64});
  CHECK(conv2(at16, 2, 4) == found{1, 2, 33, 128});
  CHECK(conv2(at16, 3, 23) == found{1, 1, 33, 256});
  CHECK(conv2(at16, 4, 1) == found{2, 1, 33, 512});
  CHECK(conv2(at16, 4, 3) == found{8, 1, 33, 512});
  const graph at8 = recorded_as("deeplabv3_resnet101_os8");
  CHECK(conv2(at8, 2, 4) == found{1, 1, 65, 128});
  CHECK(conv2(at8, 3, 1) == found{2, 1, 65, 256});
  CHECK(conv2(at8, 4, 2) == found{8, 1, 65, 512});
  const graph at32 = recorded_as("deeplabv3_resnet101_plain_os32");
  CHECK(conv2(at32, 3, 23) == found{1, 2, 17, 256});
  CHECK(conv2(at32, 4, 3) == found{1, 1, 17, 512});
  CHECK(convolution_in(at32, "resnet_v1_101/conv1") == found{1, 2, 257, 64});
}

TEST_CASE("rates of MobileNetV2 and of the original Xception") {
  const graph mobile = recorded_as("deeplabv3plus_mobilenet_v2");
  CHECK(convolution_in(mobile, "MobilenetV2/expanded_conv_13/depthwise") == found{1, 1, 33, 576});
  CHECK(convolution_in(mobile, "MobilenetV2/expanded_conv_14/depthwise") == found{2, 1, 33, 960});
  CHECK(convolution_in(mobile, "decoder/feature_projection0") == found{1, 1, 129, 48});
  const graph first = recorded_as("deeplabv3plus_xception_os8");
  const std::string name = "/xception_module/separable_conv1_depthwise";
  CHECK(convolution_in(first, "xception/entry_flow/block3/unit_1" + name) == found{1, 1, 65, 256});
  CHECK(convolution_in(first, "xception/middle_flow/block1/unit_8" + name) == found{2, 1, 65, 728});
  CHECK(convolution_in(first, "xception/exit_flow/block1/unit_1" + name) == found{2, 1, 65, 728});
  CHECK(convolution_in(first, "xception/exit_flow/block2/unit_1" + name) == found{4, 1, 65, 1024});
}

TEST_CASE("channels of MobileNetV2 are rounded as its authors do") {
  const auto channels = [](double width) {
    const mobilenet_v2 net{.width = width};
    return std::vector<int>{net.scaled(32), net.scaled(16), net.scaled(24),  net.scaled(32),
                            net.scaled(64), net.scaled(96), net.scaled(160), net.scaled(320)};
  };
  CHECK(channels(1) == std::vector<int>{32, 16, 24, 32, 64, 96, 160, 320});
  CHECK(channels(0.5) == std::vector<int>{16, 8, 12, 16, 32, 48, 80, 160});
  CHECK(make_divisible(132, 8, 8) == 136);
  CHECK(make_divisible(11.2, 8, 8) == 16);  // 8 would be more than a tenth below
  CHECK(make_divisible(3, 8, 8) == 8);
}

TEST_CASE("two decoder stages end on the finer grid") {
  deeplab_options options = network_named("deeplabv3plus_mobilenet_v2");
  options.refine.strides = {8, 4};
  const graph g = record([&](wire x) { return build(x, options); }, {97, 129, 3});
  CHECK(convolution_in(g, "decoder/decoder_conv0_depthwise") == found{1, 1, 13, 304});
  CHECK(convolution_in(g, "decoder/decoder_conv0_1_depthwise") == found{1, 1, 25, 304});
  CHECK(convolution_in(g, "logits/semantic") == found{1, 1, 25, 21});
}

TEST_CASE("image pooling over a part of the image leaves several cells") {
  deeplab_options options = network_named("deeplabv3_mobilenet_v2");
  options.pooling_crop_height = options.pooling_crop_width = 65;
  const graph g = record([&](wire x) { return build(x, options); }, {97, 129, 3});
  CHECK(convolution_in(g, "image_pooling") == found{1, 1, 3, 256});  // 7 rows, window 5
  const auto define = [&](wire x) { return build(x, options); };
  CHECK(refusal(define, {33, 33, 3}).starts_with("window must fit into the padded input: 5x5x1 and 3x3x320"));
}

TEST_CASE("a description that breaks a rule is refused") {
  const auto with_stride = [](int stride) {
    return [stride](wire x) { return deeplab_v3_plus(x, xception65{.output_stride = stride}, 21); };
  };
  CHECK(refusal(with_stride(16)).empty());
  CHECK(refusal(with_stride(4)).starts_with("output stride must be 8 16 or 32: 4x4x0"));
  const auto with_decoder = [](int_list strides, int output_stride) {
    return [=](wire x) {
      return deeplab_v3_plus(x, mobilenet_v2{.output_stride = output_stride}, 21,
                             {.refine = {.strides = strides}});
    };
  };
  CHECK(refusal(with_decoder({16, 8, 4}, 16)).empty());
  CHECK(refusal(with_decoder({4, 8}, 16)).starts_with("decoder strides must descend: 4x8x0"));
  CHECK(
      refusal(with_decoder({16, 4}, 8)).starts_with("backbone must offer features of this stride: 16x16x0"));
  CHECK(refusal(with_decoder({2}, 16)).starts_with("backbone must offer features of this stride: 2x2x0"));
  const auto narrow = [](wire x) { return deeplab_v3(x, mobilenet_v2{.width = 0}, 21); };
  CHECK(refusal(narrow).starts_with("width multiplier must be positive"));
  const auto unknown = [](wire x) { return deeplab_v3(x, resnet{.layers = 51}, 21); };
  CHECK(refusal(unknown).starts_with("layer must obey its own rules: 51x0x0"));
  CHECK_THROWS_AS((int_list{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
                  std::invalid_argument);  // 65
}

TEST_CASE("a pyramid takes any number of rates, a decoder any number of convolutions") {
  const auto record_with = [](const head& top) {
    return record([&](wire x) { return deeplab_v3_plus(x, mobilenet_v2{}, 21, top); }, {65, 65, 3});
  };
  const graph wide =
      record_with({.pyramid = aspp{.rates = {1, 2, 3, 4, 5, 6, 7, 8}, .dense = true, .image_pooling = false},
                   .refine = {.convolutions = 3, .kernel = 1, .filters = 64}});
  CHECK(convolution_in(wide, "aspp8") == found{8, 1, 5, 256});
  CHECK(convolution_in(wide, "image_pooling") == found{});
  CHECK(convolution_in(wide, "decoder/decoder_conv0/decoder_conv0_3") == found{1, 1, 17, 64});
  const graph bare =
      record_with({.pyramid = aspp{.rates = {}}, .refine = {.projection = 32, .convolutions = 0}});
  CHECK(convolution_in(bare, "decoder/feature_projection0") == found{1, 1, 17, 32});
  CHECK(convolution_in(bare, "decoder/decoder_conv0_depthwise") == found{});
  CHECK(convolution_in(bare, "concat_projection") == found{1, 1, 5, 256});
}

TEST_CASE("what a head leaves out is as published") {
  const auto rate = [](const head& top) {
    const graph g = record(
        [&](wire x) { return deeplab_v3_plus(x, mobilenet_v2{.output_stride = 8}, 21, top); }, {65, 65, 3});
    return convolution_in(g, "aspp3_depthwise").rate;
  };
  CHECK(rate({}) == 36);
  CHECK(rate({.refine = {.strides = {8, 4}}}) == 36);  // still that of the output stride
  CHECK(rate({.pyramid = aspp{}}) == 18);
  const graph coarse = record(
      [](wire x) { return deeplab_v3(x, mobilenet_v2{}, 21, {.refine = {.filters = 7}}); }, {65, 65, 3});
  CHECK(convolution_in(coarse, "decoder/feature_projection0") == found{});
  CHECK(convolution_in(coarse, "logits/semantic") == found{1, 1, 5, 21});
}

}  // namespace
