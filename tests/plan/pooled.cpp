// A branch that pools whole images becomes a bias of the projection that reads it.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <span>

#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>

namespace {

using namespace atrous;

constexpr convolution dense{.out = 4, .kernel = 3};
constexpr pointwise projected{.out = 5};

plan planned(const std::function<wire(wire)>& define, plan_options options = {}) {
  return make_plan(record(define, {9, 11, 4}), 1, options);
}
wire pooled(wire x, average_pool pool = {}) {
  return x >> pool >> pointwise{.out = 3} >> relu{} >> resize_to(x.shape());
}

int count(const plan& p, step_kind kind) {
  int found = 0;
  for (const step& s : p.steps) found += s.form.kind == kind ? 1 : 0;
  return found;
}
/// The step with a bias of its own per image, and the one that makes it.
const step* with_bias(const plan& p) {
  for (const step& s : p.steps)
    if (s.bias >= 0) return &s;
  return nullptr;
}
const step* maker_of(const plan& p, int v) {
  for (const step& s : p.steps)
    if (s.y == v) return &s;
  return nullptr;
}
shape extent(const plan& p, int v) { return p.values[static_cast<std::size_t>(v)].extent; }

}  // namespace

TEST_CASE("a pooled branch in front of the others, or behind them, becomes a bias") {
  const auto in_front = [](wire x) {
    return concat(pooled(x), x >> dense) >> projected >> batch_norm{} >> relu{};
  };
  const auto behind = [](wire x) {
    return concat(x >> dense, pooled(x)) >> projected >> batch_norm{} >> relu{};
  };
  const plan a = planned(in_front), b = planned(behind);
  CHECK(count(a, step_kind::resize) == 0);
  for (const plan* p : {&a, &b}) {
    const step* whole = with_bias(*p);
    REQUIRE(whole != nullptr);
    const step* part = maker_of(*p, whole->bias);
    REQUIRE(part != nullptr);
    CHECK(part < whole);
    CHECK(extent(*p, whole->x) == shape{9, 11, 4});
    CHECK(extent(*p, part->x) == shape{1, 1, 3});
    CHECK(extent(*p, whole->bias) == shape{1, 1, 5});
    CHECK(part->form == structure{.kind = step_kind::convolution, .kernel = 1, .stride = 1});
    CHECK(whole->form.after == activation::relu);
    CHECK(whole->weights.layer == part->weights.layer);
    CHECK(whole->weights.norm == part->weights.norm);
    CHECK(part->weights.channels == 3);
    CHECK(whole->weights.channels == 4);
    const int before = p == &a ? 3 : 0;  // channels in front of the other branch
    CHECK(whole->weights.first == before);
    CHECK(part->weights.first == (p == &a ? 0 : 4));
    for (const value& v : p->values)
      if (v.parent == whole->x) CHECK(v.channel == 0);
  }
}

TEST_CASE("where that would change what others read, or leave two parts, the branch stays") {
  const auto stays = [](const std::function<wire(wire)>& define, plan_options options = {}) {
    const plan p = planned(define, options);
    return with_bias(p) == nullptr && count(p, step_kind::resize) == 1;
  };
  CHECK(stays([](wire x) { return concat(x >> dense, pooled(x), x >> dense) >> projected; }));
  CHECK(stays([](wire x) { return concat(pooled(x), x >> dense) >> dense; }));
  CHECK(stays([](wire x) { return concat(pooled(x), x >> dense); }));
  CHECK(stays([](wire x) {
    const wire all = concat(pooled(x), x >> dense);
    return (all >> projected) + (all >> projected);
  }));
  CHECK(stays([](wire x) {
    const wire one = pooled(x);
    return concat(concat(one, x >> dense) >> projected, one) >> dense;
  }));
  CHECK(stays([](wire x) { return concat(pooled(x, {.height = 9, .width = 11}), x >> dense) >> projected; }));
  CHECK(stays([](wire x) { return concat(pooled(x), x >> dense) >> projected; }, {.fuse = false}));
}

TEST_CASE("of two pooled branches one stays, and so does what is nothing else") {
  const plan two = planned([](wire x) { return concat(pooled(x), x >> dense, pooled(x)) >> projected; });
  CHECK(with_bias(two) != nullptr);
  CHECK(count(two, step_kind::resize) == 1);
  const plan alone =
      planned([](wire x) { return concat(std::span<const wire>{std::array{pooled(x)}}) >> projected; });
  CHECK(with_bias(alone) == nullptr);
}

TEST_CASE("published networks have no pooled branch left, at any extent") {
  for (const char* name :
       {"deeplabv3plus_xception65", "deeplabv3_mobilenet_v2_pascal", "deeplabv3plus_resnet50_dense"}) {
    const deeplab_options o = network_named(name);
    for (shape s : {shape{1, 1, 3}, shape{65, 33, 3}, shape{513, 513, 3}}) {
      const plan p = make_plan(record([&](wire image) { return build(image, o); }, s));
      CHECK_MESSAGE(with_bias(p) != nullptr, name, " at ", text_of(s));
    }
  }
}
