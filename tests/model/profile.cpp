// SPDX-License-Identifier: MIT
// A profile lists the steps that a run executes, with times and costs, and leaves the workspace as it was.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/profile.hpp>
#include <atrous/model/ranges.hpp>
#include <atrous/plan/cost.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tensors.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

model<tiny::deeplab, reference> made() {
  return model<tiny::deeplab, reference>(rule_weights::make(graph_of<tiny::deeplab>));
}

constexpr wire classified_300(wire image) { return image >> in("logits", pointwise{.out = 300}); }
inline constexpr network many_classes{classified_300, {5, 7, 3}};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a profile has the steps of a run for labels, at the image's extents") {
  const auto net = made();
  const image photo = made_picture(25, 31, 3, 1);
  workspace<reference> w;
  const std::vector<step_time> steps = profile(net, all_of(photo), w, 3);
  const plan& p = net.prepare(w, 25, 31);
  REQUIRE(steps.size() == p.steps.size() - 1);  // all but probabilities
  std::int64_t madds = 0;
  for (const step_time& s : steps) {
    CHECK(s.seconds > 0);
    CHECK(s.seconds < 10);
    CHECK(s.costs.bytes > 0);
    CHECK(s.kind == word(p.steps[static_cast<std::size_t>(s.step)].form.kind));
    madds += s.costs.madds;
  }
  const std::int64_t pooled =
      16 * 16 * (2 * 2 - 1);  // that branch's 16 channels to 16, in all pixels but one
  CHECK(madds == total(net.runner().network_at(25, 31)).madds - pooled);
  CHECK(steps.front().kind == "input");
  CHECK(steps.front().out == shape{25, 31, 3});
  CHECK(steps.back().kind == "labels");
  CHECK(steps.back().out == shape{25, 31, 1});
  CHECK(steps[1].layer == "root");
  CHECK(steps[1].window == "3x3 /2");
}

TEST_CASE("a profile of many classes asks for logits") {
  const model<many_classes, reference> net(rule_weights::make(graph_of<many_classes>));
  const image photo = made_picture(5, 7, 3, 1);
  workspace<reference> w;
  const std::vector<step_time> steps = profile(net, all_of(photo), w, 1);
  REQUIRE(steps.size() == 2);
  CHECK(steps[1].layer == "logits");
}

TEST_CASE("the hook of a workspace is called, ends a profile, and is given back") {
  const auto net = made();
  const image photo = made_picture(25, 31, 3, 1);
  workspace<reference> w;
  int calls = 0, most = 1 << 20;
  w.on_step = [&](int, int) { return ++calls < most; };
  const int steps = static_cast<int>(profile(net, all_of(photo), w, 2).size());
  CHECK(calls == 3 * (steps + 1));

  calls = 0;
  most = steps;
  CHECK_THROWS_AS(profile(net, all_of(photo), w, 2), cancelled);
  CHECK(calls == steps);
  REQUIRE(w.on_step);
  calls = 0;
  most = 1 << 20;
  CHECK(net.labels(all_of(photo), w).data == net.labels(all_of(photo)).data);
  CHECK(calls == steps + 1);

  w.on_step = {};
  profile(net, all_of(photo), w, 1);
  CHECK_FALSE(w.on_step);
}

TEST_CASE("a profile of no runs and of no image is refused") {
  const auto net = made();
  workspace<reference> w;
  w.on_step = [](int, int) { return true; };
  const image photo = made_picture(25, 31, 3, 1);
  CHECK_THROWS_WITH_AS(profile(net, all_of(photo), w, 0), "runs: expected at least 1, found 0",
                       std::invalid_argument);
  CHECK_THROWS_AS(profile(net, pixels_view(), w), std::invalid_argument);
  CHECK(w.on_step);
}

TEST_CASE("the table of a profile has a line for every step and their sum") {
  const std::vector<step_time> steps{
      {0, "", "input", "", {5, 7, 3}, 0.001, {0, 2'000'000}},
      {2, "conv", "convolution", "3x3 /2", {3, 4, 8}, 0.003, {6'000'000, 1'000'000}}};
  CHECK(lines_of(text_of(steps)) ==
        std::vector<std::string>{
            "step  layer  kind         window    out     ms    share  GFLOP/s    MB  GB/s",
            "   0         input                5x7x3  1.000   25.0 %           2.00   2.0",
            "   2  conv   convolution  3x3 /2  3x4x8  3.000   75.0 %      4.0  1.00   0.3",
            "      total                              4.000  100.0 %      3.0  3.00   0.8"});
  CHECK(lines_of(text_of(std::span<const step_time>{})).size() == 2);
}

TEST_CASE("ranges are those of the feature maps, and half has an end") {
  tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const image photo = made_picture(25, 31, 3, 1);
  const auto largest_of = [&](auto net) {
    workspace<typename decltype(net)::policy> w(2);
    const std::vector<step_range> found = ranges(net, all_of(photo), w);
    CHECK(w.step_largest.empty());
    float most = 0;
    for (float each : net.logits(all_of(photo), w).data) most = std::max(most, std::abs(each));
    CHECK((found.back().largest == most || !std::isfinite(most)));
    CHECK(lines_of(text_of(found)).size() == found.size() + 2);
    return found.back().largest;
  };
  const float plain = largest_of(model<tiny::deeplab, openmp>(weights));
  CHECK(largest_of(model<tiny::deeplab, reference>(weights)) == doctest::Approx(plain));
  CHECK(largest_of(model<tiny::deeplab, openmp_half>(weights)) == doctest::Approx(plain).epsilon(0.02));

  changeable_tensors huge(weights);
  for (std::size_t i = 0; i < 5; ++i) huge.number("logits/semantic/biases", i) = 60000;
  for (std::size_t i = 0; i < 16 * 5; ++i) huge.number("logits/semantic/weights", i) = 60000;
  weights = huge.set();
  const float large = largest_of(model<tiny::deeplab, openmp>(weights));
  CHECK(std::isfinite(large));
  CHECK(large > half::most);
  CHECK(std::isinf(largest_of(model<tiny::deeplab, openmp_half>(weights))));

  huge.number("logits/semantic/weights", 7) = 70000;
  CHECK_THROWS_WITH_AS((model<tiny::deeplab, openmp_half>(huge.set())),
                       "logits/semantic: folded weights are beyond what the policy openmp-half can store",
                       std::invalid_argument);
  workspace<openmp> w;
  std::vector<float> few(3);
  w.step_largest = few;
  const model<tiny::deeplab, openmp> net(huge.set());
  CHECK_THROWS_AS(net.labels(all_of(photo), w), std::invalid_argument);
}
