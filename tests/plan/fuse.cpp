// What is folded into which step, and what must stay apart.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/xception.hpp>
#include <atrous/plan/planner.hpp>

namespace {

using namespace atrous;

plan planned(const std::function<wire(wire)>& define, plan_options options = {}) {
  return make_plan(record(define, {9, 11, 4}), 1, options);
}

/// The kinds of the steps between the image and the results, a word each.
std::string kinds(const plan& p) {
  std::string all;
  for (const step& s : p.steps) {
    const step_kind k = s.form.kind;
    if (k == step_kind::input || k == step_kind::probabilities || k == step_kind::labels) continue;
    const int own = static_cast<int>(k) - static_cast<int>(step_kind::own);
    all += (all.empty() ? "" : " ") + std::string(word(k)) + (own < 0 ? "" : std::to_string(own));
  }
  return all;
}

constexpr plan_options apart{.pair = false};
constexpr convolution dense{.out = 4, .kernel = 3};

}  // namespace

TEST_CASE("batch norm and activation end up in the convolution") {
  const plan p = planned([](wire x) { return x >> dense >> batch_norm{} >> relu6{}; });
  CHECK(kinds(p) == "convolution");
  CHECK(p.steps[1].form ==
        structure{.kind = step_kind::convolution, .kernel = 3, .stride = 1, .after = activation::relu6});
  CHECK(p.steps[1].weights == source{1, 2});
  CHECK(p.steps[1].node == 3);
  const plan d = planned([](wire x) { return x >> depthwise{} >> batch_norm{} >> relu{}; });
  CHECK(kinds(d) == "depthwise");
  CHECK(d.steps[1].weights == source{1, 2});
  CHECK(d.steps[1].form.after == activation::relu);
}

TEST_CASE("batch norm stays where folding it would change what others read") {
  const plan read_twice = planned([](wire x) {
    const wire y = x >> dense;
    return (y >> batch_norm{}) + y;
  });
  CHECK(kinds(read_twice) == "convolution batch_norm add");
  CHECK(kinds(planned([](wire x) { return x >> dense >> relu{} >> batch_norm{}; })) ==
        "convolution batch_norm");
  CHECK(kinds(planned([](wire x) { return x >> dense >> batch_norm{} >> batch_norm{}; })) ==
        "convolution batch_norm");
  CHECK(kinds(planned([](wire x) { return x >> batch_norm{} >> dense; })) == "batch_norm convolution");
  CHECK(kinds(planned([](wire x) { return ((x >> dense) + x) >> batch_norm{}; })) ==
        "convolution batch_norm");
  CHECK(kinds(planned([](wire x) { return x >> dense >> batch_norm{}; }, {.fold = false})) ==
        "convolution batch_norm");
}

TEST_CASE("what follows a concatenation is not folded into the producer of its last part") {
  const auto parts = [](wire x) { return concat(x >> dense, x >> dense); };
  CHECK(kinds(planned([&](wire x) { return parts(x) >> relu{}; })) == "convolution convolution activate");
  CHECK(kinds(planned([&](wire x) { return parts(x) >> batch_norm{}; })) ==
        "convolution convolution batch_norm");
  const plan sum = planned([&](wire x) { return parts(x) + concat(x, x); });
  CHECK(kinds(sum) == "convolution convolution copy add");
}

TEST_CASE("an activation that only depthwise convolutions read goes into their loads") {
  const plan p = planned([](wire x) { return x >> max_pool{.stride = 1} >> relu{} >> depthwise{}; });
  CHECK(kinds(p) == "max_pool depthwise");
  CHECK(p.steps[2].form.before == activation::relu);
  // Xception: the raw value is read as well
  const plan raw = planned([](wire x) {
    const wire y = x >> dense;
    return (y >> relu{} >> depthwise{}) + y;
  });
  CHECK(kinds(raw) == "convolution depthwise add");
  CHECK(raw.steps[2].form.before == activation::relu);
  CHECK(raw.steps[2].x == raw.steps[1].y);
  const plan clipped = planned([](wire x) { return x >> max_pool{.stride = 1} >> relu6{} >> depthwise{}; });
  CHECK(kinds(clipped) == "max_pool activate depthwise");
  const plan others = planned([](wire x) {
    const wire y = x >> max_pool{.stride = 1} >> relu{};
    return (y >> depthwise{}) + y;
  });
  CHECK(kinds(others) == "max_pool depthwise activate add");
}

TEST_CASE("sums go into the convolution that is made last") {
  const plan p = planned([](wire x) { return ((x >> dense) + x) >> relu{}; });
  CHECK(kinds(p) == "convolution");
  CHECK(p.steps[1].form.sum);
  CHECK(p.steps[1].form.after == activation::relu);
  CHECK(p.steps[1].other == p.steps[0].y);
  CHECK(kinds(planned([](wire x) { return x + (x >> dense); })) == "convolution");
  const plan two = planned([](wire x) { return (x >> dense) + (x >> dense >> batch_norm{}); });
  CHECK(kinds(two) == "convolution convolution");
  CHECK_FALSE(two.steps[1].form.sum);
  CHECK(two.steps[2].form.sum);
  CHECK(two.steps[2].other == two.steps[1].y);
  // three terms: one convolution takes one sum
  const plan three = planned([](wire x) { return (x >> dense) + x + x; });
  CHECK(kinds(three) == "convolution add");
}

TEST_CASE("sums stay apart where a convolution cannot take them") {
  CHECK(kinds(planned([](wire x) { return (x >> depthwise{}) + x; })) == "depthwise add");
  CHECK(kinds(planned([](wire x) { return x + x; })) == "add");
  CHECK(kinds(planned([](wire x) { return (x >> dense >> relu{}) + x; })) == "convolution add");
  CHECK(kinds(planned([](wire x) { return (x >> dense) + x; }, {.fuse = false})) == "convolution add");
  const plan later = planned([](wire x) {  // the other term comes after the convolution
    const wire y = x >> dense;
    return y + (x >> max_pool{.stride = 1});
  });
  CHECK(kinds(later) == "convolution max_pool add");
}

TEST_CASE("a bottleneck of a ResNet is four convolutions") {
  const plan p = planned([](wire x) { return bottleneck{.narrow = 4}(x).out; });
  CHECK(kinds(p) == "convolution convolution convolution convolution");
  const step& last = p.steps[4];
  CHECK(
      last.form ==
      structure{
          .kind = step_kind::convolution, .kernel = 1, .stride = 1, .after = activation::relu, .sum = true});
  CHECK(p.steps[1].form.after == activation::none);  // the shortcut
  CHECK(last.other == p.steps[1].y);
}

TEST_CASE("a module of Xception is three separable steps") {
  const auto module = [](xception_module::skip skip) {
    return [skip](wire x) {
      const wire before = x >> dense;
      return xception_module{.depths = {4, 4, 4}, .shortcut = skip}(before).out;
    };
  };
  const plan same = planned(module(xception_module::skip::identity));
  CHECK(kinds(same) == "convolution separable separable separable");
  CHECK(same.steps[2].form.before == activation::relu);
  CHECK(same.steps[4].form.sum);
  CHECK(same.steps[4].other == same.steps[1].y);
  const plan projected = planned(module(xception_module::skip::projection));
  CHECK(kinds(projected) == "convolution separable separable separable convolution");
  CHECK(projected.steps[5].form.sum);
}

TEST_CASE("depthwise and pointwise pair only where nobody sees what lies between") {
  const pointwise mix{.out = 6};
  CHECK(kinds(planned([&](wire x) { return x >> depthwise{} >> mix; })) == "separable");
  CHECK(kinds(planned([&](wire x) { return x >> depthwise{} >> mix; }, apart)) == "depthwise convolution");
  CHECK(kinds(planned([&](wire x) { return x >> depthwise{.kernel = 5} >> mix; })) ==
        "depthwise convolution");
  CHECK(kinds(planned([&](wire x) { return x >> depthwise{} >> dense; })) == "depthwise convolution");
  const plan read_twice = planned([&](wire x) {
    const wire y = x >> depthwise{};
    return concat(y >> mix, y);
  });
  CHECK(kinds(read_twice) == "depthwise convolution");
}

TEST_CASE("producers write in place into a concatenation") {
  const plan p = planned([](wire x) { return concat(x >> dense, x >> pointwise{.out = 3}) >> dense; });
  CHECK(kinds(p) == "convolution convolution convolution");
  const value &first = p.values[static_cast<std::size_t>(p.steps[1].y)],
              &second = p.values[static_cast<std::size_t>(p.steps[2].y)],
              &whole = p.values[static_cast<std::size_t>(p.steps[3].x)];
  CHECK(whole.extent == shape{9, 11, 7});
  CHECK(first.pixel == 7);
  CHECK(second.pixel == 7);
  CHECK(first.offset == whole.offset);
  CHECK(second.offset == whole.offset + 4);
  CHECK(kinds(planned([](wire x) { return concat(x >> dense, x >> dense); }, {.fuse = false})) ==
        "convolution convolution copy copy");
}

TEST_CASE("a concatenation inside a concatenation lies in place, too") {
  const plan p = planned([](wire x) {
    const wire inner = concat(x >> dense, x >> pointwise{.out = 3});
    return concat(x >> pointwise{.out = 2}, inner) >> dense;
  });
  CHECK(kinds(p) == "convolution convolution convolution convolution");
  const value &a = p.values[static_cast<std::size_t>(p.steps[2].y)],
              &b = p.values[static_cast<std::size_t>(p.steps[3].y)],
              &whole = p.values[static_cast<std::size_t>(p.steps[4].x)];
  CHECK(a.pixel == 9);
  CHECK(a.offset == whole.offset + 2);
  CHECK(b.offset == whole.offset + 6);
}

TEST_CASE("a value that is wanted in two places is copied to the second") {
  const plan twice = planned([](wire x) {
    const wire y = x >> dense;
    return concat(y, y);
  });
  CHECK(kinds(twice) == "convolution copy");
  CHECK(twice.steps[2].x == twice.steps[1].y);
  const plan two = planned([](wire x) {
    const wire y = x >> dense;
    return concat(concat(y, x) >> dense, y);
  });
  CHECK(kinds(two) == "convolution convolution copy");
}

TEST_CASE("the image itself can be part of a concatenation") {
  const plan p = planned([](wire x) { return concat(x >> dense, x); });
  CHECK(kinds(p) == "convolution");
  CHECK(p.values[static_cast<std::size_t>(p.steps[0].y)].pixel == 8);
  const plan scaled = planned([](wire x) { return concat(x >> normalise::to_unit_range(), x); });
  CHECK(kinds(scaled) == "batch_norm");  // whoever reads the image must not see it scaled
}

TEST_CASE("normalisation goes into the input step") {
  const plan p = planned([](wire x) { return x >> normalise::to_unit_range() >> dense; });
  CHECK(kinds(p) == "convolution");
  CHECK(p.steps[0].what.offsets[0] == -1);
  CHECK(p.steps[0].node == 1);
}

TEST_CASE("the last resize becomes part of what gives results") {
  const plan p = planned([](wire x) { return x >> dense >> resize{18, 22}; });
  CHECK(kinds(p) == "convolution");
  CHECK(p.output == shape{18, 22, 4});
  CHECK(p.logits == p.steps[1].y);
  CHECK(p.steps.back().form.kind == step_kind::labels);
  const plan plain = planned([](wire x) { return x >> resize{18, 22} >> dense; });
  CHECK(kinds(plain) == "resize convolution");
  CHECK(plain.output == shape{18, 22, 4});
}

TEST_CASE("what the output does not need is not run") {
  const plan p = planned([](wire x) {
    const wire y = x >> dense >> resize{18, 22};
    static_cast<void>(y >> relu{} >> depthwise{});
    static_cast<void>(x >> pointwise{.out = 7});
    return y;
  });
  CHECK(kinds(p) == "convolution");
}

TEST_CASE("the order in which the terms of a sum were recorded does not matter") {
  const auto define = [](bool second_first) {
    return [=](wire x) {
      const wire early = second_first ? x >> pointwise{.out = 4} : x >> dense;
      const wire late = second_first ? x >> dense : x >> pointwise{.out = 4};
      return second_first ? late + early : early + late;
    };
  };
  for (bool second_first : {false, true}) {
    const plan p = planned(define(second_first));
    CHECK(kinds(p) == "convolution convolution");
    CHECK(p.steps[1].form == structure{.kind = step_kind::convolution, .kernel = 3, .stride = 1});
    CHECK(p.steps[2].form ==
          structure{.kind = step_kind::convolution, .kernel = 1, .stride = 1, .sum = true});
  }
}

TEST_CASE("the image alone is a network") {
  const plan p = planned([](wire x) { return x; });
  CHECK(kinds(p).empty());
  CHECK(p.logits == p.steps[0].y);
}

TEST_CASE("more than 256 classes have no labels step") {
  const auto classes = [](int n) { return [n](wire x) { return x >> pointwise{.out = n}; }; };
  CHECK(planned(classes(256)).labels);
  const plan many = planned(classes(257));
  CHECK_FALSE(many.labels);
  CHECK(many.steps.back().form.kind == step_kind::probabilities);
}

TEST_CASE("own kinds are steps of their own, with their inputs and weights") {
  struct own_layer {
    constexpr op describe() const { return {.kind = static_cast<op_kind>(1003)}; }
    constexpr parameter_list parameters(shape in) const { return {{"gains", role::own, {in.channels}}}; }
  };
  const plan p = planned([](wire x) { return x >> dense >> own_layer{} >> relu{}; });
  CHECK(kinds(p) == "convolution own3 activate");
  CHECK(p.steps[2].weights == source{2, -1});
  CHECK(p.steps[2].x == p.steps[1].y);
}

TEST_CASE("with everything kept every node is a step and has a value") {
  const auto define = [](wire x) {
    const wire y = x >> normalise::to_unit_range() >> dense >> batch_norm{} >> relu{};
    return concat(y + x, y >> depthwise{}) >> pointwise{.out = 3} >> resize{18, 22};
  };
  const plan p = planned(define, plan_options::keep_everything());
  CHECK(kinds(p) == "batch_norm convolution batch_norm activate add depthwise copy copy convolution");
  for (std::size_t node = 0; node + 1 < p.value_of_node.size(); ++node) CHECK(p.value_of_node[node] >= 0);
}

TEST_CASE("nodes that are folded into others leave no value") {
  const plan p = planned([](wire x) {
    return x >> depthwise{} >> batch_norm{} >> relu{} >> pointwise{.out = 6} >> batch_norm{};
  });
  CHECK(kinds(p) == "separable");
  for (int node = 1; node < 5; ++node) CHECK(p.value_of_node[static_cast<std::size_t>(node)] == -1);
  CHECK(p.value_of_node[5] == p.steps[1].y);
}
