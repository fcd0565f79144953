// SPDX-License-Identifier: MIT
// Network names: what they mean, and how those that mean nothing are refused.
#include <doctest/doctest.h>

#include <array>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>

namespace {

using namespace atrous;

std::string refusal(std::string_view name) {
  try {
    network_named(name);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("defaults of a name") {
  const deeplab_options x = network_named("deeplabv3plus_xception65");
  CHECK(std::get<xception>(x.backbone).layers == 65);
  CHECK(x.output_stride() == 16);
  CHECK(std::get<xception>(x.backbone).multi_grid == std::array<int, 3>{1, 1, 1});
  CHECK(x.pyramid.rates == int_list{6, 12, 18});
  CHECK(!x.pyramid.dense);
  CHECK(!x.refine.dense);
  CHECK(x.refine.strides == int_list{4});
  CHECK(x.classes == 21);
  CHECK(network_named("deeplabv3_xception65").refine.strides.empty());
  CHECK(std::holds_alternative<original_xception>(network_named("deeplabv3_xception").backbone));
}

TEST_CASE("a ResNet is dense, and its root decides the multi-grid") {
  const deeplab_options beta = network_named("deeplabv3_resnet101_os8");
  const resnet& body = std::get<resnet>(beta.backbone);
  CHECK(body.layers == 101);
  CHECK(body.root == resnet_root::beta);
  CHECK(body.multi_grid == std::array<int, 3>{1, 2, 4});
  CHECK(beta.pyramid.rates == int_list{12, 24, 36});
  CHECK(beta.pyramid.dense);
  CHECK(beta.refine.dense);
  const deeplab_options plain = network_named("deeplabv3plus_resnet50_plain_separable_os32");
  CHECK(std::get<resnet>(plain.backbone).layers == 50);
  CHECK(std::get<resnet>(plain.backbone).root == resnet_root::plain);
  CHECK(std::get<resnet>(plain.backbone).multi_grid == std::array<int, 3>{1, 1, 1});
  CHECK(plain.pyramid.rates == int_list{3, 6, 9});
  CHECK(!plain.pyramid.dense);
  CHECK(!plain.refine.dense);
}

TEST_CASE("MobileNetV2 has a width, and atrous branches with the decoder alone") {
  CHECK(network_named("deeplabv3_mobilenet_v2").pyramid.rates.empty());
  CHECK(network_named("deeplabv3_mobilenet_v2").pyramid.image_pooling);
  CHECK(network_named("deeplabv3plus_mobilenet_v2").pyramid.rates == int_list{6, 12, 18});
  CHECK(std::get<mobilenet_v2>(network_named("deeplabv3_mobilenet_v2_dm05").backbone).width == 0.5);
  CHECK(std::get<mobilenet_v2>(network_named("deeplabv3_mobilenet_v2_dm075_os8").backbone).width == 0.75);
  CHECK(std::get<mobilenet_v2>(network_named("deeplabv3plus_mobilenet_v2_dm14_dense_os32").backbone).width ==
        1.4);
  CHECK(std::get<mobilenet_v2>(network_named("deeplabv3plus_mobilenet_v2_dm1").backbone).width == 1);
}

TEST_CASE("the two published MobileNetV2 models") {
  const deeplab_options pascal = network_named("deeplabv3_mobilenet_v2_pascal");
  CHECK(pascal.output_stride() == 8);
  CHECK(pascal.pyramid.rates.empty());
  CHECK(pascal.refine.strides.empty());
  CHECK(pascal.last == corners::aligned);
  const deeplab_options ade = network_named("deeplabv3plus_mobilenet_v2_ade20k32");
  CHECK(ade.output_stride() == 16);
  CHECK(ade.pyramid.rates.empty());
  CHECK(ade.refine.strides == int_list{4});
  CHECK(ade.classes == 32);
  const graph g = record([&](wire x) { return build(x, ade); }, {65, 65, 3});
  int resizes = 0;
  for (const node& n : g.nodes) {
    if (n.what.kind != op_kind::resize) continue;
    ++resizes;
    CHECK(n.what.corner == corners::asymmetric);
  }
  CHECK(resizes == 3);
}

TEST_CASE("every published name is known, once") {
  std::set<std::string_view> names;
  for (const std::string_view name : published_networks()) {
    CHECK(refusal(name) == "");
    CHECK(names.insert(name).second);
  }
}

TEST_CASE("what does not belong is named, with what would") {
  const auto check = [](std::string_view name, std::string_view suffix, std::string_view would) {
    CAPTURE(name);
    const std::string said = refusal(name);
    CHECK(said.starts_with("unknown network \"" + std::string(name) + "\": "));
    CHECK_MESSAGE(said.find("\"" + std::string(suffix) + "\" does not") != std::string::npos, said);
    CHECK_MESSAGE(said.ends_with(std::string(would)), said);
    CHECK(said.find('\n') == std::string::npos);
  };
  check("deeplabv3plus_xception65_foo", "_foo",
        "\"_dense\", \"_separable\", \"_os8\", \"_os16\", \"_os32\" would");
  check("deeplabv3plus_xception65_foo_os8", "_foo", "\"_os32\" would");
  check("deeplabv3plus_xception65_plain", "_plain", "\"_os32\" would");
  check("deeplabv3plus_xception_os32", "_os32", "\"_os8\", \"_os16\" would");
  check("deeplabv3plus_xception_pascal", "_pascal", "\"_os8\", \"_os16\" would");
  check("deeplabv3plus_resnet50_dm05", "_dm05",
        "; \"_plain\", \"_dense\", \"_separable\", \"_os8\", \"_os16\", \"_os32\" would");
  check("deeplabv3plus_resnet50_dense_plain", "_plain", "; \"_os8\", \"_os16\", \"_os32\" would");
  check("deeplabv3plus_resnet50_plain_plain", "_plain",
        "; \"_dense\", \"_separable\", \"_os8\", \"_os16\", \"_os32\" would");
  check("deeplabv3_mobilenet_v2_dm", "_dm", "\"_os32\" would");
  check("deeplabv3_mobilenet_v2_dmx", "_dmx", "\"_os32\" would");
  check("deeplabv3_mobilenet_v2_dm0", "_dm0", "\"_os32\" would");
  check("deeplabv3_mobilenet_v2_dm05000000000", "_dm05000000000", "\"_os32\" would");
  check("deeplabv3_mobilenet_v2_pascal_os16", "_pascal", "\"_os32\" would");
  check("deeplabv3_xception65_os8_dense", "_dense", "; nothing would");
  check("deeplabv3_xception65_os8_os8", "_os8", "; nothing would");
  check("deeplabv3_xception65_os64", "_os64", "\"_os32\" would");
  check("deeplabv3_xception65_", "_", "\"_os32\" would");
  check("deeplabv3_xception99", "xception99", "\"mobilenet_v2\"");
  check("deeplabv3_", "", "\"mobilenet_v2\"");
  CHECK(refusal("") ==
        "unknown network \"\": a name begins with \"deeplabv3plus_\" or \"deeplabv3_\", or is one of "
        "PyTorch's (--help)");
  CHECK(refusal("xception65").find("begins with") != std::string::npos);
}

}  // namespace
