// SPDX-License-Identifier: MIT
// Networks as boxes in frames, and as a text for Graphviz.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include <atrous/networks/names.hpp>
#include <atrous/plan/dot.hpp>

namespace {

using namespace atrous;

graph recorded(std::string_view name) {
  const deeplab_options o = network_named(name);
  return record([&](wire image) { return build(image, o); }, {65, 97, 3});
}

/// "MobilenetV2 | expanded_conv_2 | project: 1x1 + norm", every box with the frames around it.
std::set<std::string> boxes_of(graph_view g) {
  const diagram d = diagram_of(g);
  std::set<std::string> all;
  for (const diagram_box& b : d.boxes) {
    std::string line = b.name + ": " + b.does;
    for (int f = b.frame; f > 0; f = d.frames[static_cast<std::size_t>(f)].outer)
      line = d.frames[static_cast<std::size_t>(f)].name + " | " + line;
    all.insert(line);
  }
  return all;
}

std::size_t count(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  return static_cast<std::size_t>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), wanted), std::sregex_iterator()));
}

/// Boxes that arrows name are declared, braces close, nothing but printable ASCII.
void check_form(const std::string& text) {
  std::set<std::string> declared{"output"};
  const std::regex box(R"((?:^|\n) +(b\d+) \[label=<)"), arrow(R"((?:^|\n) +(b\d+) -> (\w+))");
  for (std::sregex_iterator i(text.begin(), text.end(), box), end; i != end; ++i)
    CHECK(declared.insert((*i)[1]).second);
  for (std::sregex_iterator i(text.begin(), text.end(), arrow), end; i != end; ++i)
    CHECK((declared.contains((*i)[1]) && declared.contains((*i)[2])));
  CHECK(std::count(text.begin(), text.end(), '{') == std::count(text.begin(), text.end(), '}'));
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
}

}  // namespace

TEST_CASE("batch norm and activations share the box of their convolution") {
  const std::set<std::string> mobile = boxes_of(recorded("deeplabv3plus_mobilenet_v2"));
  for (const char* box :
       {"image: normalise", "MobilenetV2 | Conv: 3x3 /2 + norm + relu6",
        "MobilenetV2 | expanded_conv_2 | depthwise: 3x3 depthwise + norm + relu6",
        "MobilenetV2 | expanded_conv_2 | project: 1x1 + norm",
        "MobilenetV2 | expanded_conv_2 | add: ", "average pool: ", "image_pooling: 1x1 + norm + relu",
        "aspp3_depthwise: 3x3 @18 depthwise + norm + relu", "concat: ", "decoder | concat: ",
        "decoder | resize: ", "decoder | feature_projection0: 1x1 + norm + relu",
        "logits/semantic: 1x1 + bias", "resize: "})
    CHECK_MESSAGE(mobile.contains(box), box);
}

TEST_CASE("an activation that follows a sum goes to the convolution that alone reads it") {
  const std::set<std::string> xception = boxes_of(recorded("deeplabv3plus_xception65"));
  for (const char* box :
       {"xception_65 | middle_flow/block1 | unit_7/xception_module | separable_conv1_depthwise: relu + 3x3 "
        "depthwise + norm",
        "xception_65 | middle_flow/block1 | unit_7/xception_module | separable_conv1_pointwise: 1x1 + norm + "
        "relu",
        "xception_65 | entry_flow | block1/unit_1/xception_module | shortcut: 1x1 /2 + norm"})
    CHECK_MESSAGE(xception.contains(box), box);
  const std::set<std::string> residual = boxes_of(recorded("deeplabv3plus_resnet50"));
  CHECK(residual.contains("resnet_v1_50 | block1 | unit_1/bottleneck_v1 | add: relu"));
  CHECK(residual.contains("resnet_v1_50 | max pool: 3x3 /2"));
}

TEST_CASE("what two read keeps a box of its own") {
  const auto net = [](wire x) {
    const wire y = x >> in("conv", pointwise{.out = 4});
    const wire z = y >> in("norm", batch_norm{}), a = z >> relu{};
    return z + (a >> in("left", pointwise{.out = 4})) + (a >> in("right", pointwise{.out = 4})) + y;
  };
  const std::set<std::string> boxes = boxes_of(record(net, {5, 5, 3}));
  CHECK(boxes == std::set<std::string>{"image: ", "conv: 1x1", "norm: ", "activate: relu", "left: 1x1",
                                       "right: 1x1", "add: "});
}

TEST_CASE("every published network has a picture") {
  for (std::string_view name : published_networks()) {
    const graph owned = recorded(name);
    const graph_view g = owned;
    const std::string text = dot_of(g, name);
    check_form(text);
    const diagram d = diagram_of(g);
    const auto windowed = std::count_if(g.nodes.begin(), g.nodes.end(), [](const node& n) {
      return n.what.kind == op_kind::convolution || n.what.kind == op_kind::depthwise;
    });
    CHECK(std::count_if(d.boxes.begin(), d.boxes.end(), [](const diagram_box& b) { return b.layer; }) >=
          windowed);
    CHECK(count(text, R"(\n  b\d+ \[label)") == d.boxes.size());
    cost sum;
    for (const diagram_box& b : d.boxes) sum += b.costs;
    CHECK(sum == total(g));
    CHECK_MESSAGE(count(text, "penwidth") == (name.starts_with("deeplabv3plus") ? 1 : 0), name);
  }
}

TEST_CASE("shortcuts and features of a decoder are marked") {
  const std::string xception = dot_of(recorded("deeplabv3plus_xception65"));
  CHECK(count(xception, R"(-> b\d+ \[weight=1 color="#8250df"\])") == 16);
  CHECK(count(xception, "features from inside") == 1);
  CHECK(count(dot_of(recorded("deeplabv3_resnet50")), "features from inside") == 0);
}

TEST_CASE("names cannot leave their labels") {
  const std::string hostile = "\"]; a->b <B>&amp;\\N\n{}\x7f\xc3\xa9\xff";
  const auto net = [&](wire x) {
    const auto two = in("first", pointwise{.out = 2}) >> in("second", pointwise{.out = 2});
    return x >> in(label(std::string_view(hostile)), two);
  };
  const std::string text = dot_of(record(net, {5, 5, 3}), hostile);
  const std::string spelt =
      "&#34;]; a-&#62;b &#60;B&#62;&#38;amp;&#92;N&#92;x0a{}&#92;x7f&#92;xc3&#92;xa9&#92;xff";
  check_form(text);
  CHECK(text.find("<B>" + spelt + "</B>") != std::string::npos);             // the title
  CHECK(text.find("label=<" + spelt + "> labeljust") != std::string::npos);  // the frame
  CHECK(text.find("tooltip=\"" + spelt + "/first&#10;6 parameters, 150 ") != std::string::npos);
  CHECK(text.find("a->b") == std::string::npos);
}

TEST_CASE("networks without scopes and without layers have pictures, too") {
  check_form(dot_of(record([](wire x) { return x; }, {1, 1, 1})));
  check_form(dot_of(record([](wire x) { return x >> pointwise{.out = 2} >> relu{}; }, {1, 1, 1})));
  CHECK(boxes_of(record([](wire x) { return concat(x, x) >> pointwise{.out = 2} >> relu{}; }, {1, 1, 1})) ==
        std::set<std::string>{"image: ", "concat: ", "convolution: 1x1 + relu"});
  const auto two = in("a", pointwise{.out = 2}) >> in("b", pointwise{.out = 2});
  CHECK(boxes_of(record([&](wire x) { return x >> in("scope", two); }, {1, 1, 1})) ==
        std::set<std::string>{"image: ", "scope | a: 1x1", "scope | b: 1x1"});
}
