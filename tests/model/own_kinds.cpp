// Primitives of a user's own: another shape, rules, weights, several kinds in one policy.
#include <doctest/doctest.h>

#include <atrous/backend/reference.hpp>
#include <atrous/graph/compose.hpp>
#include <atrous/layers/activation.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/scratch.hpp"

namespace {

using namespace atrous;

constexpr auto own_kind(int n) { return static_cast<op_kind>(static_cast<int>(op_kind::own) + n); }

/// Every 2 x 2 pixels become one of four times the channels.
struct space_to_depth {
  constexpr op describe() const { return {.kind = own_kind(0)}; }
  constexpr void check(recorder& net, shape in) const {
    net.expect(in.height % 2 == 0 && in.width % 2 == 0, {rule::layer_must_obey_its_own_rules, {2, 2, 0}, in});
  }
  constexpr shape output(shape in) const { return {in.height / 2, in.width / 2, in.channels * 4}; }
};

/// gains[c] * x + offsets[c], and a number of its own.
struct affine {
  float more = 0;
  constexpr op describe() const { return {.kind = own_kind(1), .factors = {more, 0, 0, 0}}; }
  constexpr parameter_list parameters(shape in) const {
    return {{"gains", role::own, {in.channels}}, {"offsets", role::own, {in.channels}}};
  }
};

struct with_own_kinds : reference {
  template <structure S>
  static void own(const operands<float>& o) {
    for (int n = 0; n < o.y.batch; ++n)
      for (int i = 0; i < o.y.height; ++i)
        for (int j = 0; j < o.y.width; ++j)
          for (int c = 0; c < o.y.channels; ++c) o.y.at(n, i, j)[c] = value<S>(o, n, i, j, c);
  }

 private:
  template <structure S>
  static float value(const operands<float>& o, int n, int i, int j, int c) {
    if constexpr (S.kind == static_cast<step_kind>(own_kind(0))) {
      const int part = c / o.x.channels;
      return o.x.at(n, 2 * i + part / 2, 2 * j + part % 2)[c % o.x.channels];
    } else {  // the parameters of a layer lie behind each other
      const float *gains = o.weights.kernel, *offsets = gains + o.y.channels;
      return gains[c] * o.x.at(n, i, j)[c] + offsets[c] + o.run->what.factors[0];
    }
  }
};

constexpr wire define(wire x) { return x >> space_to_depth{} >> in("scaled", affine{.more = 3}) >> relu6{}; }
inline constexpr network own{define, {4, 6, 3}};
static_assert(plan_of<own>.steps.size() == 6);
static_assert(graph_of<own>.nodes.back().out == shape{2, 3, 12});

}  // namespace

TEST_CASE("own kinds compute what they say") {
  const tensor_set weights = rule_weights::make(graph_of<own>);
  std::vector<float> gains(12), offsets(12);
  read_floats(*weights.find("scaled/gains"), gains);
  read_floats(*weights.find("scaled/offsets"), offsets);
  const image picture = made_picture(8, 6);
  const model<own, with_own_kinds> net(weights);
  const tensor<float> found = net.logits(all_of(picture));
  REQUIRE(found.extent == shape{4, 3, 12});
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int c = 0; c < 12; ++c) {
        const int row = 2 * i + c / 6, column = 2 * j + c / 3 % 2;
        const float x = picture.pixels[static_cast<std::size_t>((row * 6 + column) * 3 + c % 3)];
        const auto k = static_cast<std::size_t>(c);
        CHECK(found.view().at(0, i, j)[c] == std::min(std::max(gains[k] * x + offsets[k] + 3, 0.0F), 6.0F));
      }
    }
  }
}

TEST_CASE("own rules are told for the sizes that break them") {
  const model<own, with_own_kinds> net(rule_weights::make(graph_of<own>));
  const image picture = made_picture(5, 6);
  CHECK(message_of<std::invalid_argument>([&] { net.logits(all_of(picture)); }) ==
        "layer must obey its own rules: 2x2x0 and 5x6x3");
}
