// A network known at compile time and the same network put together at run time give the same bits.
#include <doctest/doctest.h>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/networks/names.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

inline constexpr network pascal{
    [](wire image) { return build(image, network_named("deeplabv3_mobilenet_v2_pascal")); }, {65, 65, 3}};
inline constexpr network ade{
    [](wire image) { return build(image, network_named("deeplabv3plus_mobilenet_v2_ade20k32")); },
    {65, 65, 3}};

// Compilers may record the terms of a sum and the parts of a concatenation in either order, and another one at
// compile time than at run time.
constexpr wire of_unordered_terms(wire x) {
  const wire sum = (x >> in("a", convolution{.out = 4, .kernel = 3})) + (x >> in("b", pointwise{.out = 4}));
  return concat(sum >> in("c", depthwise{}), sum >> in("d", pointwise{.out = 3, .bias = true})) >> relu{};
}
inline constexpr network unordered{of_unordered_terms, {9, 9, 3}};

template <const network& Net, class P>
void check(std::initializer_list<crop> crops) {
  const image picture = made_picture(80, 90);
  const tensor_set weights = rule_weights::make(record(Net));
  const model<Net, P> fixed(weights);
  const inference<P> free = runtime<P>(Net.define, Net.image, weights);
  workspace<P> w;
  for (const crop& c : crops) {
    CHECK(fixed.logits(c.of(picture), w).data == free.logits(c.of(picture)).data);
    CHECK(fixed.labels(c.of(picture), w).data == free.labels(c.of(picture)).data);
  }
}

}  // namespace

TEST_CASE("both forms give the same bits, tiny DeepLab with a module of each backbone") {
  check<tiny::deeplab, reference>({crop(33, 47), crop(64, 64, 3, 5), crop(1, 1)});
  check<tiny::deeplab, openmp>({crop(33, 47), crop(64, 64, 3, 5), crop(1, 1)});
}

TEST_CASE("both forms give the same bits, published networks") {
  check<pascal, openmp>({crop(65, 65), crop(33, 47, 9, 2), crop(2, 3)});
  check<ade, openmp>({crop(65, 65), crop(33, 47, 9, 2), crop(2, 3)});
  check<ade, reference>({crop(33, 47, 9, 2)});
}

TEST_CASE("both forms give the same bits, whatever the order of recording") {
  check<unordered, reference>({crop(9, 9), crop(5, 17)});
  check<unordered, openmp>({crop(9, 9), crop(5, 17)});
}

TEST_CASE("a step of a kind that the policy has no kernel for is refused with its structure") {
  struct unknown {
    constexpr op describe() const { return {.kind = static_cast<op_kind>(1004)}; }
  };
  try {
    runtime<reference>([](wire x) { return x >> unknown{}; }, {9, 9, 3}, {});
    FAIL("not refused");
  } catch (const std::invalid_argument& error) {
    CHECK(std::string(error.what()) ==
          "reference: no kernel for own kind 1004, kernel 0, stride 0; a policy lists "
          "kernels for kinds of its own in own_structures");
  }
}
