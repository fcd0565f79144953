// Recording at run time: names are the recorder's own, and a broken rule is told in a sentence with both shapes.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/batch_norm.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/layers/depthwise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/xception.hpp>

#include "../support/scratch.hpp"

namespace {

using namespace atrous;

/// What recording on an image of 9 x 11 x 4 says.
std::string said(const std::function<wire(wire)>& define, shape image = {9, 11, 4}) {
  return message_of<std::invalid_argument>([&] { record(define, image); });
}

/// The name of every parameter, in order.
std::vector<std::string> names(graph_view g) {
  std::vector<std::string> all;
  for (int i = 0; i < g.size(); ++i)
    for (const parameter& p : g.parameters_of(i)) all.push_back(g.parameter_name(i, p));
  return all;
}

/// A backbone that offers what it is told to.
struct with_taps {
  bool low = true, stride8 = false, stride16 = false;
  features operator()(wire image) const {
    const wire four = image >> pointwise{.out = 8, .stride = 4}, eight = four >> max_pool{},
               sixteen = eight >> max_pool{};
    features taps{.high = sixteen};
    if (low) taps.low = four;
    if (stride8) taps.stride8 = eight;
    if (stride16) taps.stride16 = sixteen;
    return taps;
  }
};

}  // namespace

TEST_CASE("names made at run time outlive their makers") {
  std::optional<graph> g;
  {
    auto scope = std::make_unique<std::string>("a long name that no small string holds in itself");
    auto suffix = std::make_unique<std::string>("_and_a_suffix_just_as_long_as_the_name");
    g.emplace(record(
        [&](wire x) {
          return x >> in(std::string_view(*scope), in({"unit_", 3, *suffix}, pointwise{.out = 2}));
        },
        {9, 11, 4}));
    scope->assign(scope->size(), '#');
    suffix->assign(suffix->size(), '#');
  }
  CHECK(names(*g) == std::vector<std::string>{"a long name that no small string holds in itself/"
                                              "unit_3_and_a_suffix_just_as_long_as_the_name/weights"});
  const graph moved = std::move(*g);
  g.reset();
  CHECK(names(moved).front().starts_with("a long name"));
}

TEST_CASE("a thousand names") {
  const auto define = [](wire x) {
    for (int i = 0; i < 1000; ++i)
      x = x >> in(("layer number " + std::to_string(i)).c_str(), pointwise{.out = 2, .bias = true});
    return x;
  };
  const graph g = record(define, {2, 2, 2});
  CHECK(names(g).size() == 2000);
  CHECK(names(g)[0] == "layer number 0/weights");
  CHECK(names(g)[1999] == "layer number 999/biases");
}

TEST_CASE("scopes nest, close, and may be opened again") {
  const graph g = record(
      [](wire x) {
        x = x >> in("a", in("b", pointwise{.out = 2}) >> batch_norm{});
        x = x >> pointwise{.out = 2};
        return x >> in("a", [](wire y) { return y >> in("b/c", depthwise{}); });
      },
      {9, 11, 4});
  CHECK(names(g) == std::vector<std::string>{"a/b/weights", "a/gamma", "a/beta", "a/moving_mean",
                                             "a/moving_variance", "weights", "a/b/c/depthwise_weights"});
}

TEST_CASE("labels spell names with numbers in them") {
  CHECK(label("aspp0").str() == "aspp0");
  CHECK(label("unit_", 12).str() == "unit_12");
  CHECK(label("separable_conv", 1, "_depthwise").str() == "separable_conv1_depthwise");
}

TEST_CASE("any callable is a layer") {
  const auto by_lambda = [](wire x) { return x >> pointwise{.out = 3}; };
  const std::function<wire(wire)> by_function = by_lambda;
  CHECK(record([&](wire x) { return x >> by_lambda >> by_function; }, {9, 11, 4}).nodes.size() == 3);
}

TEST_CASE("concatenations of any number of parts") {
  for (int n : {1, 2, 7, 500}) {
    const graph g = record(
        [n](wire x) {
          const std::vector<wire> parts(static_cast<std::size_t>(n), x);
          return concat(std::span<const wire>(parts));
        },
        {9, 11, 4});
    CHECK(g.nodes.back().out == shape{9, 11, 4 * n});
    CHECK(graph_view(g).inputs(1).size() == static_cast<std::size_t>(n));
  }
  const graph three = record([](wire x) { return concat(x, x >> pointwise{.out = 2}, x); }, {9, 11, 4});
  CHECK(three.nodes.back().out.channels == 10);
}

TEST_CASE("sums and concatenations that do not fit") {
  CHECK(said([](wire x) { return x + (x >> pointwise{.out = 2}); }) ==
        "addition needs equal shapes: 9x11x4 and 9x11x2");
  CHECK(said([](wire x) { return (x >> depthwise{.stride = 2}) + x; }) ==
        "addition needs equal shapes: 5x6x4 and 9x11x4");
  CHECK(said([](wire x) { return concat(x >> depthwise{.stride = 2}, x); }) ==
        "concatenation needs equal extents: 5x6x4 and 9x11x4");
  CHECK(said([](wire x) { return scale(x, x >> average_pool{} >> pointwise{.out = 3}); }) ==
        "scale needs one value per channel: 9x11x4 and 1x1x3");
  CHECK(said([](wire x) { return scale(x, x); }) == "scale needs one value per channel: 9x11x4 and 9x11x4");
}

TEST_CASE("wires of two networks do not mix") {
  recorder other({9, 11, 4});
  const wire foreign{&other, 0};
  const std::string expected = "wires must belong to one network: 9x11x4 and 9x11x4";
  CHECK(said([&](wire x) { return x + foreign; }) == expected);
  CHECK(said([&](wire x) { return concat(x, foreign); }) == expected);
  CHECK(said([&](wire x) { return scale(x, foreign); }) == expected);
}

TEST_CASE("windows that break their rules") {
  CHECK(said([](wire x) { return x >> convolution{.out = 2, .kernel = 4}; }) ==
        "kernel must be odd: 4x1x1 and 9x11x4");
  CHECK(said([](wire x) { return x >> max_pool{.kernel = 2}; }) == "kernel must be odd: 2x2x1 and 9x11x4");
  CHECK(said([](wire x) { return x >> depthwise{.stride = 2, .rate = 2}; }) ==
        "rate and stride exclude each other: 3x2x2 and 9x11x4");
  const std::string positive = "kernel stride and rate must be positive: ";
  CHECK(said([](wire x) { return x >> depthwise{.kernel = 0}; }) == positive + "0x1x1 and 9x11x4");
  CHECK(said([](wire x) { return x >> depthwise{.stride = 0}; }) == positive + "3x0x1 and 9x11x4");
  CHECK(said([](wire x) { return x >> depthwise{.rate = -1}; }) == positive + "3x1x-1 and 9x11x4");
  CHECK(said([](wire x) { return x >> average_pool{.height = 2, .width = 2, .stride = 0}; }) ==
        positive + "2x2x0 and 9x11x4");
  CHECK(said([](wire x) {
          return x >> convolution{.out = 2, .kernel = 3, .pad = padding::given(-1, 0, 0, 0)};
        }) == "padding must not be negative: -1x0x0 and 9x11x4");
  CHECK(said([](wire x) { return x >> depthwise{.rate = 5, .pad = padding::none()}; }) ==
        "window must fit into the padded input: 3x1x5 and 9x11x4");
  CHECK(said([](wire x) { return x >> average_pool{.height = 10, .width = 2}; }) ==
        "window must fit into the padded input: 10x2x1 and 9x11x4");
}

TEST_CASE("numbers that break the other rules") {
  CHECK(said([](wire x) { return x >> pointwise{}; }) == "channels must be positive: 1x1x0 and 9x11x4");
  CHECK(said([](wire x) { return x >> convolution{.out = -3}; }) ==
        "channels must be positive: 1x1x-3 and 9x11x4");
  CHECK(said([](wire x) { return x >> resize{0, 4}; }) == "resize needs positive extents: 0x4x4 and 9x11x4");
  CHECK(said([](wire x) { return x >> batch_norm{.epsilon = -1}; }) ==
        "epsilon must not be negative: 9x11x4 and 9x11x4");
  CHECK(said([](wire x) { return x; }, {0, 11, 4}) == "image must not be empty: 0x11x4 and 0x11x4");
  CHECK(said([](wire x) { return x; }, {9, 11, 0}) == "image must not be empty: 9x11x0 and 9x11x0");
}

TEST_CASE("extents beyond the limits") {
  CHECK(said([](wire x) { return x >> resize{1 << 20, 1 << 10}; }) == "nothing thrown");
  CHECK(said([](wire x) {
          return x >> resize{(1 << 20) + 1, 4};
        }) == "extents must not exceed 2 to 20: 1048577x4x4 and 9x11x4");
  CHECK(said([](wire x) {
          return x >> resize{1 << 20, 1 << 15};
        }) == "feature map must not exceed 2 to 36 elements: 1048576x32768x4 and 9x11x4");
  CHECK(said([](wire x) { return x; }, {1, 1 << 21, 3}).starts_with("extents must not exceed 2 to 20"));
  const std::string wide = said([](wire x) {
    for (int k = 0; k < 20; ++k) x = concat(x, x);
    return x;
  });
  CHECK(wide.starts_with("extents must not exceed 2 to 20: "));
}

TEST_CASE("layers and poolings that say nothing") {
  struct silent {
    constexpr op describe() const { return {}; }
  };
  CHECK(said([](wire x) { return x >> silent{}; }) == "layer must say what it is: 9x11x4 and 9x11x4");
  CHECK(said([](wire x) { return x >> max_pool{.kernel = 3, .pad = padding::given(3, 0, 0, 0)}; }) ==
        "pooling window must see the input: 3x3x0 and 9x11x4");
  CHECK(said([](wire x) { return x >> max_pool{.pad = {.outside = padding::border::per_channel}}; }) ==
        "pooling has no border values: 9x11x4 and 9x11x4");
  const auto nothing = [](wire) { return features{}; };
  CHECK(said([&](wire x) { return deeplab_v3(x, nothing, 5); }) ==
        "backbone must offer high features: 9x11x4 and 9x11x4");
  CHECK_THROWS_AS(record([](wire) { return concat(std::span<const wire>()); }, {9, 11, 4}),
                  std::invalid_argument);
}

TEST_CASE("layers that the output does not need are left out, with their parameters") {
  const graph g = record(
      [](wire x) {
        static_cast<void>(x >> in("unused", pointwise{.out = 7}) >> depthwise{});
        const wire y = x >> in("used", pointwise{.out = 2});
        static_cast<void>(y >> in("unused", pointwise{.out = 7}));
        return y;
      },
      {9, 11, 4});
  CHECK(names(g) == std::vector<std::string>{"used/weights"});
  CHECK(g.nodes.size() == 2);
  CHECK(g.output == 1);
}

TEST_CASE("the output must be a wire of the network") {
  recorder other({9, 11, 4});
  CHECK(said([&](wire) { return wire{&other, 0}; }) == "wires must belong to one network: 9x11x4 and 9x11x4");
}

TEST_CASE("a mistake names the scope it is in") {
  CHECK(said([](wire x) {
          return x >> in("head", in({"unit_", 2}, pointwise{}));
        }) == "channels must be positive: 1x1x0 and 9x11x4 in head/unit_2");
}

TEST_CASE("backbones and decoders that break their rules") {
  const shape image{64, 64, 3};
  CHECK(says(said([](wire x) { return mobilenet_v2{.output_stride = 4}(x).high; }, image),
             "output stride must be 8 16 or 32: 4x4x0 and 64x64x3"));
  CHECK(says(said([](wire x) { return mobilenet_v2{.width = 0}(x).high; }, image),
             "width multiplier must be positive"));
  CHECK(says(said([](wire x) { return xception{.layers = 50}(x).high; }, image),
             "layer must obey its own rules: 50x0x0"));
  CHECK(says(said([](wire x) { return resnet{.layers = 34}(x).high; }, image),
             "layer must obey its own rules: 34x0x0"));
  const auto decoded = [&](const with_taps& taps, int_list strides) {
    return said(
        [&](wire x) {
          return deeplab_v3_plus(x, taps, 5,
                                 {.pyramid = aspp{.channels = 8}, .refine = {.strides = strides}});
        },
        image);
  };
  const std::string offer = "backbone must offer features of this stride: ";
  CHECK(decoded({.low = false}, {4}) == offer + "4x4x0 and 4x4x8");
  CHECK(decoded({}, {8}) == offer + "8x8x0 and 4x4x8");
  CHECK(decoded({.stride8 = true}, {16, 8, 4}) == offer + "16x16x0 and 4x4x8");
  CHECK(decoded({}, {2}) == offer + "2x2x0 and 4x4x8");
  CHECK(says(decoded({.stride8 = true}, {4, 8}), "decoder strides must descend: 4x8x0 and "));
  CHECK(decoded({.stride8 = true, .stride16 = true}, {16, 8, 4}) == "nothing thrown");
}

TEST_CASE("named taps are the wires that were offered") {
  recorder r({64, 64, 3});
  const features taps = with_taps{.stride8 = true, .stride16 = true}(wire{&r, 0});
  CHECK(taps.at(4).shape() == shape{16, 16, 8});
  CHECK(taps.at(8).shape() == shape{8, 8, 8});
  CHECK(taps.at(16).id == taps.high.id);
}

TEST_CASE("a lenient recorder keeps the first mistake and goes on") {
  recorder r({9, 11, 4}, false);
  const wire x{&r, 0};
  const wire y =
      x >> convolution{.out = 2, .kernel = 4, .stride = 0} >> depthwise{.rate = 50, .pad = padding::none()};
  CHECK((y + x).shape() == y.shape());
  CHECK(r.first.broken == rule::kernel_stride_and_rate_must_be_positive);
  CHECK(r.first.left == shape{4, 0, 1});
  CHECK(r.first.right == shape{9, 11, 4});
}

TEST_CASE("every rule has its sentence") {
  CHECK(sentence(rule::layer_must_say_what_it_is) == "layer must say what it is");
  CHECK(sentence(rule::backbone_must_offer_high_features) == "backbone must offer high features");
  CHECK(sentence(rule::width_multiplier_must_be_positive) == "width multiplier must be positive");
  CHECK(sentence(rule::layer_must_obey_its_own_rules) == "layer must obey its own rules");
}
