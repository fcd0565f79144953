// SPDX-License-Identifier: MIT
// Folding and fusing must not change what a network computes: cases where it would be tempting.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/model/runtime_model.hpp>

#include "../support/rule_weights.hpp"

using namespace atrous;

namespace {

/// The largest difference between what the fused and the unfused plan give on a small image.
float fusion_error(wire (*define)(wire), shape image) {
  const graph g = record(define, image);
  const tensor_set weights = rule_weights::make(g);
  std::vector<float> numbers(static_cast<std::size_t>(elements(image)));
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = std::sin(static_cast<float>(k));
  const pixels_view pixels(numbers.data(), image);
  const runtime_model<reference> fused(define, image, weights);
  const runtime_model<reference> kept(define, image, weights, plan_options::keep_everything());
  const tensor<float> a = fused.logits(pixels), b = kept.logits(pixels);
  REQUIRE(a.extent == b.extent);
  float worst = 0;
  for (std::size_t k = 0; k < a.data.size(); ++k) worst = std::max(worst, std::abs(a.data[k] - b.data[k]));
  return worst;
}

constexpr padding valued{.outside = padding::border::per_channel};

}  // namespace

TEST_CASE("an activation before a depthwise leaves the values of its border alone") {
  CHECK(fusion_error([](wire x) { return x >> relu{} >> depthwise{.pad = valued}; }, {5, 6, 3}) < 1e-5F);
}

TEST_CASE("a pointwise that pads is no second half of a separable") {
  const auto define = [](wire x) {
    return x >> depthwise{} >> convolution{.out = 4, .pad = padding::given(1, 1, 1, 1)};
  };
  CHECK(record(define, {5, 6, 3}).nodes.back().out == shape{7, 8, 4});
  CHECK(fusion_error(define, {5, 6, 3}) < 1e-5F);
}

TEST_CASE("layers that the output does not need are left out") {
  const auto define = [](wire x) {
    const wire unused = x >> in("unused", pointwise{.out = 5}) >> relu{};
    return unused.shape().channels == 5 ? x >> in("used", pointwise{.out = 2}) : unused;
  };
  const graph g = record(define, {4, 4, 3});
  CHECK(g.nodes.size() == 2);
  REQUIRE(g.parameters.size() == 1);
  CHECK(graph_view(g).parameter_name(1, g.parameters[0]) == "used/weights");
  CHECK(fusion_error(define, {4, 4, 3}) == 0);
}

TEST_CASE("sizes beyond all memory are refused, not computed with") {
  const auto refused = [](auto define, shape image, const char* why) {
    CHECK_THROWS_WITH_AS(record(define, image), doctest::Contains(why), std::invalid_argument);
  };
  refused([](wire x) { return x; }, {1 << 21, 1, 1}, "extents must not exceed 2 to 20");
  refused([](wire x) { return x; }, {1 << 20, 1 << 20, 1}, "feature map must not exceed 2 to 36");
  refused([](wire x) { return x >> depthwise{.rate = 2'000'000'000}; }, {5, 5, 3}, "extents must not exceed");
  refused([](wire x) { return x >> depthwise{.pad = padding::given(2147483647, 0, 0, 0)}; }, {5, 5, 3},
          "extents");
  refused([](wire x) { return concat(x, x, x); }, {1, 1, 1 << 19}, "extents must not exceed");
  refused([](wire x) { return x >> max_pool{.kernel = 1, .stride = 1, .pad = padding::given(1, 1, 1, 1)}; },
          {5, 5, 3}, "pooling window must see the input");
  refused([](wire x) { return x >> max_pool{.pad = valued}; }, {5, 5, 3}, "pooling has no border values");
}
