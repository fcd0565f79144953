// SPDX-License-Identifier: MIT
// The variables of every recorded network are those of the authors' own graph, by name and shape.
#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>

#include "../support/shared.hpp"

namespace {

using namespace atrous;

using variables = std::map<std::string, std::string>;  // name to shape, "3x3x64x1"

variables recorded_variables(const deeplab_options& options) {
  const graph owned = record([&](wire image) { return build(image, options); }, {65, 65, 3});
  const graph_view g = owned;
  variables found;
  for (int i = 0; i < g.size(); ++i) {
    for (const parameter& p : g.parameters_of(i)) {
      std::string extents;
      for (int k = 0; k < p.rank(); ++k) {
        extents += (k > 0 ? "x" : "") + std::to_string(p.extents[static_cast<std::size_t>(k)]);
      }
      const bool added = found.emplace(g.parameter_name(i, p), extents).second;
      CHECK_MESSAGE(added, "twice: " << g.parameter_name(i, p));
    }
  }
  return found;
}

void check_list(std::string_view list, const deeplab_options& options) {
  CAPTURE(list);
  const auto path = shared("weights/tensorflow/" + std::string(list) + ".txt");
  if (!path) return;
  variables expected;
  std::ifstream file(*path);
  for (std::string name, extents; file >> name >> extents;) expected[name] = extents;
  REQUIRE(!expected.empty());
  const variables found = recorded_variables(options);
  CHECK(found.size() == expected.size());
  for (const auto& variable : expected) {
    CAPTURE(variable.first);
    const auto it = found.find(variable.first);
    const std::string here = it == found.end() ? "missing" : it->second;
    CHECK(here == variable.second);
  }
}

void check_list(std::string_view list, std::string_view network) { check_list(list, network_named(network)); }

TEST_CASE("variables of Xception") {
  check_list("xception_41_voc21", "deeplabv3plus_xception41");
  check_list("xception_65_voc21", "deeplabv3plus_xception65");
  check_list("xception_65_voc21_nodecoder", "deeplabv3_xception65");
  check_list("xception_65_voc21_nosc", "deeplabv3plus_xception65_dense");
  check_list("xception_71_voc21", "deeplabv3plus_xception71");
}

TEST_CASE("variables of ResNet") {
  check_list("resnet_v1_101_beta_voc21_nosc", "deeplabv3plus_resnet101");
  check_list("resnet_v1_101_beta_voc21_sc", "deeplabv3plus_resnet101_separable");
  check_list("resnet_v1_50_beta_voc21_nosc", "deeplabv3plus_resnet50");
  check_list("resnet_v1_50_beta_voc21_sc", "deeplabv3plus_resnet50_separable");
  check_list("resnet_v1_50_voc21_sc", "deeplabv3plus_resnet50_plain_separable");
}

TEST_CASE("variables of MobileNetV2") {
  check_list("mobilenet_v2_voc21", "deeplabv3_mobilenet_v2");
  check_list("mobilenet_v2_voc21", "deeplabv3_mobilenet_v2_pascal");
  check_list("mobilenet_v2_dm05_voc21", "deeplabv3_mobilenet_v2_dm05");
  check_list("mobilenet_v2_decoder_voc21", "deeplabv3plus_mobilenet_v2");
  check_list("mobilenet_v2_dm05_decoder_voc21", "deeplabv3plus_mobilenet_v2_dm05");
}

TEST_CASE("variables of two decoder stages") {
  deeplab_options options = network_named("deeplabv3plus_mobilenet_v2");
  options.refine.strides = {8, 4};
  check_list("mobilenet_v2_decoder84_voc21", options);
}

TEST_CASE("dense convolutions of a second decoder stage carry its number twice") {
  deeplab_options options = network_named("deeplabv3plus_mobilenet_v2_dense");
  options.refine.strides = {8, 4};
  const variables found = recorded_variables(options);
  CHECK(found.at("decoder/decoder_conv0/decoder_conv0_2/weights") == "3x3x256x256");
  CHECK(found.at("decoder/decoder_conv0_1/decoder_conv0_1_1/weights") == "3x3x304x256");
  CHECK(found.at("decoder/decoder_conv0_1/decoder_conv0_1_2/weights") == "3x3x256x256");
  CHECK(found.at("decoder/feature_projection0_1/weights") == "1x1x144x48");
}

TEST_CASE("the structure does not depend on the image") {
  for (const std::string_view name : published_networks()) {
    CAPTURE(name);
    const deeplab_options options = network_named(name);
    const auto define = [&](wire image) { return build(image, options); };
    const graph large = record(define, {129, 97, 3});
    for (const shape image : {shape{1, 1, 3}, {2, 3, 3}, {64, 64, 3}, {33, 470, 3}}) {
      const graph g = record(define, image);
      CHECK(g.nodes.size() == large.nodes.size());
      CHECK(g.edges == large.edges);
      CHECK(g.parameters.size() == large.parameters.size());
      CHECK(g.nodes.back().out == shape{image.height, image.width, options.classes});
    }
  }
}

}  // namespace
