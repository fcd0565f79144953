// SPDX-License-Identifier: MIT
// Multiply-adds stage by stage, and the figures that the authors printed.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <atrous/networks/names.hpp>
#include <atrous/plan/paper.hpp>

namespace {

using namespace atrous;

graph recorded_as(std::string_view name) {
  const deeplab_options options = network_named(name);
  return record([&](wire x) { return build(x, options); }, {513, 513, 3});
}

/// Multiply-adds by the paper's rule of all nodes whose scope begins with `prefix`.
std::int64_t profiled_under(graph_view g, std::string_view prefix) {
  std::int64_t sum = 0;
  for (int i = 0; i < g.size(); ++i) {
    if (g.scope_name(g[i].scope).starts_with(prefix)) sum += profiled_madds(g[i]);
  }
  return sum;
}

std::int64_t pyramid_madds(graph_view g) {
  std::int64_t sum = cost_under(g, "image_pooling").madds + cost_under(g, "concat_projection").madds;
  for (const node& n : g.nodes) sum += g.scope_name(n.scope).starts_with("aspp") ? n.madds : 0;
  return sum;
}
std::int64_t pyramid_profiled(graph_view g) {
  return profiled_under(g, "image_pooling") + profiled_under(g, "concat_projection") +
         profiled_under(g, "aspp");
}

TEST_CASE("stages of Xception-65 at output stride 16") {
  const graph owned = recorded_as("deeplabv3plus_xception65");
  const graph_view g = owned;
  const auto stage = [&](std::string_view scope) { return cost_under(g, scope).madds; };
  CHECK(stage("xception_65/entry_flow/conv1_1") + stage("xception_65/entry_flow/conv1_2") == 1'274'481'504);
  CHECK(stage("xception_65/entry_flow/block1") == 2'165'492'544);
  CHECK(stage("xception_65/entry_flow/block2") == 2'118'456'960);
  CHECK(stage("xception_65/entry_flow/block3") == 3'851'246'256);
  CHECK(stage("xception_65/middle_flow") == 28'045'809'792);
  CHECK(stage("xception_65/exit_flow/block1") == 3'366'996'336);
  CHECK(stage("xception_65/exit_flow/block2") == 7'747'964'928);
  CHECK(profiled_under(g, "xception_65/exit_flow/block2") == 7'750'434'816);
  CHECK(pyramid_madds(g) == 2'701'383'680);
  CHECK(pyramid_profiled(g) == 2'712'829'952);
  CHECK(profiled_under(g, "aspp3_depthwise") == 23'887'872);
  CHECK(stage("decoder") == 2'674'009'008);
  CHECK(stage("logits") == 89'462'016);
}

TEST_CASE("stages of Xception-65 at output stride 8") {
  const graph owned = recorded_as("deeplabv3plus_xception65_os8");
  const graph_view g = owned;
  CHECK(cost_under(g, "xception_65/entry_flow/block3").madds == 6'118'273'200);
  CHECK(cost_under(g, "xception_65/middle_flow").madds == 108'809'500'800);
  CHECK(profiled_under(g, "xception_65/middle_flow") == 108'850'699'776);
  CHECK(cost_under(g, "xception_65/exit_flow/block1").madds == 13'062'956'400);
  CHECK(profiled_under(g, "xception_65/exit_flow/block1") == 13'065'880'320);
  CHECK(cost_under(g, "xception_65/exit_flow/block2").madds == 30'059'827'200);
  CHECK(profiled_under(g, "xception_65/exit_flow/block2") == 30'074'535'936);
  CHECK(pyramid_madds(g) == 10'479'065'088);
  CHECK(pyramid_profiled(g) == 10'532'093'952);
}

TEST_CASE("stages of Xception-71") {
  const graph owned = recorded_as("deeplabv3plus_xception71");
  const std::int64_t expected[] = {2'165'492'544, 3'367'605'888, 2'821'364'480, 6'118'273'200, 5'695'169'480};
  for (int b = 1; b <= 5; ++b) {
    CHECK(cost_under(owned, "xception_71/entry_flow/block" + std::to_string(b)).madds == expected[b - 1]);
  }
}

struct stages {
  std::string_view network;
  std::int64_t blocks[4], profiled[4], pyramid, pyramid_profiled, decoder, logits, additions, pooled;
};
constexpr stages resnet101_stages[] = {{"deeplabv3plus_resnet101",
                                        {3'224'080'384, 4'454'514'688, 28'333'375'488, 16'272'064'512},
                                        {3'224'080'384, 4'454'514'688, 28'333'375'488, 18'124'111'872},
                                        16'343'957'504,
                                        19'274'203'136,
                                        21'675'368'448,
                                        89'462'016,
                                        48'987'904,
                                        19'170'432 + 1'639'168},
                                       {"deeplabv3plus_resnet101_os8",
                                        {3'224'080'384, 5'122'457'600, 109'925'171'200, 63'130'828'800},
                                        {3'224'080'384, 5'122'457'600, 111'702'310'912, 71'466'221'568},
                                        63'408'242'688,
                                        76'983'631'872,
                                        21'675'368'448,
                                        89'462'016,
                                        143'720'192,
                                        19'170'432 + 1'081'600},
                                       {"deeplabv3_resnet101_os32",
                                        {3'224'080'384, 4'454'514'688, 27'651'801'088, 4'318'298'112},
                                        {3'224'080'384, 4'454'514'688, 27'651'801'088, 4'662'755'328},
                                        4'337'762'304,
                                        4'833'214'464,
                                        0,
                                        1'553'664,
                                        43'253'504,
                                        19'170'432 + 1'935'104}};

TEST_CASE("stages of ResNet-101 at every output stride") {
  for (const stages& s : resnet101_stages) {
    CAPTURE(s.network);
    const graph owned = recorded_as(s.network);
    const graph_view g = owned;
    CHECK(profiled_under(g, "resnet_v1_101/conv1_") == 7'418'623'680);
    for (int b = 0; b < 4; ++b) {
      const std::string scope = "resnet_v1_101/block" + std::to_string(b + 1);
      CHECK(cost_under(g, scope).madds == s.blocks[b]);
      CHECK(profiled_under(g, scope) == s.profiled[b]);
    }
    CHECK(pyramid_madds(g) == s.pyramid);
    CHECK(pyramid_profiled(g) == s.pyramid_profiled);
    CHECK(cost_under(g, "decoder").madds == s.decoder);
    CHECK(cost_under(g, "logits").madds == s.logits);
    std::int64_t additions = 0, pooled = 0;
    for (int i = 0; i < g.size(); ++i) {
      if (g[i].what.kind == op_kind::add) additions += profiled_extras(g, i);
      if (g[i].what.kind == op_kind::max_pool) pooled += profiled_extras(g, i);
    }
    CHECK(additions == s.additions);
    CHECK(pooled == s.pooled);
  }
}

TEST_CASE("the original Xception owns what Chollet's does") {
  const graph g = record([](wire x) { return original_xception{}(x).high; }, {299, 299, 3});
  CHECK(total(g).parameters == 20'861'480);
}

TEST_CASE("rows of a cost table add up to the total") {
  const graph g = recorded_as("deeplabv3plus_xception65");
  cost sum;
  for (const cost_row& row : cost_rows(g)) {
    CHECK(!row.layer.empty());
    sum += row.costs;
  }
  CHECK(sum == total(g));
  CHECK(sum == cost{41'258'213, 54'035'303'024});
}

TEST_CASE("Tables 3 and 5 of the paper") {
  const double expected[] = {81.0201,   276.1757,  2435.3712, 4870.5938, 102.7825, 898.6929, 1797.2340,
                             297.9212,  2623.6093, 5247.0668, 52.4284,   74.1951,  67.9997,  601.7377,
                             1203.3396, 240.8451,  2149.9092, 4299.6826, 89.7621,  790.1219, 1580.1047,
                             262.5906,  2338.1474, 4676.1556, 54.1651,   928.8134, 177.1035, 3055.3477};
  const auto rows = paper_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(text_of(rows[i]));
    const double here = computed(rows[i]);
    CHECK(std::abs(here - expected[i]) < 0.0001);
    if (rows[i].paper != 101.28) CHECK(std::abs(here - rows[i].paper) < 0.005);  // 101.28 is a misprint
  }
  CHECK(text_of(rows[3]) == "deeplabv3_resnet101_os8 multi-scale flip");
}

TEST_CASE("released checkpoints") {
  // Where the rule's own figure is not known (MobileNetV2 on Cityscapes), the printed one alone counts.
  const double expected[] = {2.7527, 152.592, 0.875, 2.833, 21.27, 433.24, 418.66, 8677.93};
  const double digits[] = {0.00005, 0.0005, 0.0005, 0.0005, 0.02, 0.02, 0.005, 0.005};
  const auto rows = released_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(text_of(rows[i]));
    CHECK(std::abs(computed(rows[i]) - expected[i]) < digits[i] + 1e-9);
    CHECK(std::abs(computed(rows[i]) - rows[i].paper) < 0.02);
  }
  CHECK(text_of(rows[6]) == "deeplabv3plus_xception65 1025x2049x3");
}

}  // namespace
