// SPDX-License-Identifier: MIT
// What the steps of a plan compute and move, against the network as a whole and against sums by hand.
#include <doctest/doctest.h>

#include <string>

#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/plan/step_cost.hpp>

namespace {

using namespace atrous;

step_cost sum_of(graph_view g, const plan& p) {
  step_cost sum;
  for (const step& s : p.steps) {
    const step_cost c = cost_of(g, p, s);
    sum.madds += c.madds;
    sum.bytes += c.bytes;
  }
  return sum;
}

/// The step of a kind in the plan of one layer or two, at 5x7 and for two images.
template <class Define>
step_cost only(step_kind kind, const Define& define, number_sizes sizes = {}, plan_options options = {}) {
  const graph g = record(define, {5, 7, 4});
  const plan p = make_plan(g, 2, options);
  const step* found = nullptr;
  for (const step& s : p.steps) {
    if (s.form.kind != kind) continue;
    REQUIRE(found == nullptr);
    found = &s;
  }
  REQUIRE(found != nullptr);
  return cost_of(g, p, *found, sizes);
}

/// A user's primitive.
struct gain {
  constexpr op describe() const { return {.kind = op_kind::own}; }
  constexpr parameter_list parameters(shape in) const { return {{"gain", role::own, {in.channels}}}; }
  constexpr std::int64_t madds(shape in) const { return elements(in); }
};

/// Multiply-adds that a bias of each image saves: those of a pooled branch in all pixels but one.
std::int64_t saved(const plan& p) {
  std::int64_t all = 0;
  for (const step& s : p.steps) {
    if (s.bias < 0) continue;
    const shape y = p.values[static_cast<std::size_t>(s.y)].extent;
    for (const step& part : p.steps)
      if (part.y == s.bias) all += std::int64_t{part.weights.channels} * (elements(y) - y.channels) * p.batch;
  }
  return all;
}

}  // namespace

TEST_CASE("multiply-adds of the steps of every published network are those of the network") {
  for (std::string_view name : published_networks()) {
    const deeplab_options o = network_named(name);
    for (shape s : {shape{1, 1, 3}, shape{65, 33, 3}, shape{512, 333, 3}}) {
      const graph g = record([&](wire image) { return build(image, o); }, s);
      for (int batch : {1, 2}) {
        for (const plan_options& options : {plan_options{}, plan_options::keep_everything()}) {
          const plan p = make_plan(g, batch, options);
          CHECK_MESSAGE(sum_of(g, p).madds == total(g).madds * batch - saved(p), name, " at ", text_of(s));
        }
      }
    }
  }
}

TEST_CASE("a convolution reads its weights, its input and what it adds, and writes its output") {
  const auto net = [](wire x) { return x >> convolution{.out = 3, .kernel = 3, .bias = true}; };
  const step_cost dense = only(step_kind::convolution, net);
  CHECK(dense.madds == 2 * 5 * 7 * 3 * 4 * 9);
  CHECK(dense.bytes == 4 * (3 * 4 * 9 + 3 + 2 * 5 * 7 * (4 + 3)));
  CHECK(only(step_kind::convolution, net, {.element = 2}).bytes == dense.bytes / 2);

  const auto summed = [](wire x) {
    return x + (x >> pointwise{.out = 4} >> normed{.act = activation::none});
  };
  CHECK(only(step_kind::convolution, summed).bytes == 4 * (4 * 4 + 4 + 2 * 5 * 7 * (4 + 4 + 4)));
}

TEST_CASE("a separable step moves nothing between its halves") {
  const auto net = [](wire x) { return x >> separable{.name = "s", .out = 6, .stride = 2}; };
  const step_cost both = only(step_kind::separable, net);
  CHECK(both.madds == 2 * (3 * 4 * 4 * 9 + 3 * 4 * 4 * 6));
  CHECK(both.bytes == 4 * (4 * 9 + 4 + 4 * 6 + 6 + 2 * 5 * 7 * 4 + 2 * 3 * 4 * 6));
}

TEST_CASE("batch norm that is not folded reads scale and shift") {
  const step_cost alone = only(step_kind::batch_norm, [](wire x) { return x >> max_pool{} >> normed{}; });
  CHECK(alone.madds == 0);
  CHECK(alone.bytes == 4 * (2 * 4 + 2 * 3 * 4 * (4 + 4)));
}

TEST_CASE("own primitives say what they compute and own") {
  const step_cost own = only(step_kind::own, [](wire x) { return x >> gain{}; });
  CHECK(own.madds == 2 * 5 * 7 * 4);
  CHECK(own.bytes == 4 * (4 + 2 * 5 * 7 * (4 + 4)));
}

TEST_CASE("the image and the results count by their own sizes") {
  const auto net = [](wire x) { return x >> pointwise{.out = 3, .stride = 4} >> resize_to(x.shape()); };
  CHECK(only(step_kind::input, net).bytes == 2 * 5 * 7 * 4 * (1 + 4));
  CHECK(only(step_kind::input, net, {.element = 2, .pixel = 4}).bytes == 2 * 5 * 7 * 4 * (4 + 2));
  CHECK(only(step_kind::labels, net, {.element = 2}).bytes == 2 * (2 * 2 * 3 * 2 + 5 * 7));
  CHECK(only(step_kind::probabilities, net, {.element = 2}).bytes == 2 * (2 * 2 * 3 * 2 + 5 * 7 * 3 * 4));
}
