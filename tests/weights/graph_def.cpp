// SPDX-License-Identifier: MIT
// Frozen TensorFlow graphs: a real one gives the published weights and nothing else.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/safetensors.hpp>
#include <atrous/weights/tensorflow/graph_def.hpp>

#include "../support/scratch.hpp"
#include "../support/shared.hpp"
#include "../support/tensorflow_files.hpp"

namespace {

using atrous::element_type;

// A TensorProto: its type, its shape, and its numbers as fields that `add` writes.
template <class Add>
std::string tensor(std::int32_t dtype, const std::vector<std::int64_t>& shape, Add add) {
  std::string text;
  protozero::pbf_writer w(text);
  w.add_enum(1, dtype);
  w.add_message(2, tensorflow_files::shape_message(shape));
  add(w);
  return text;
}

std::string tensor(const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
  return tensor(1, shape,
                [&](protozero::pbf_writer& w) { w.add_packed_float(5, numbers.begin(), numbers.end()); });
}

// A node of a graph; `value` is a Const's tensor.
std::string node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                 const std::string& value = {}) {
  std::string text, of_value, attribute, graph;
  protozero::pbf_writer w(text);
  w.add_string(1, name);
  w.add_string(2, op);
  for (const std::string& input : inputs) w.add_string(3, input);
  if (!value.empty()) {
    protozero::pbf_writer(of_value).add_message(8, value);
    protozero::pbf_writer(attribute).add_string(1, "value");
    protozero::pbf_writer(attribute).add_message(2, of_value);
    w.add_message(5, attribute);
  }
  protozero::pbf_writer(graph).add_message(1, text);
  return graph;
}

std::string variable(const std::string& name, const std::string& value) {
  return node(name, "Const", {}, value) + node(name + "/read", "Identity", {name});
}

atrous::tensor_set read(const std::string& graph) {
  return atrous::read_graph_def(bytes_of(graph), "bad.pb");
}

// What is said of a graph, which must be one plain line.
std::string refusal_of(const std::string& graph) {
  const auto message = message_of<std::runtime_error>([&] { read(graph); });
  CAPTURE(message);
  CHECK(message.starts_with("bad.pb: "));
  CHECK(is_plain_line(message));
  CHECK(message.size() < 600);
  return message.substr(std::string_view("bad.pb: ").size());
}

std::vector<float> floats_of(const std::string& graph, const char* name = "w") {
  const auto set = read(graph);
  REQUIRE(set.find(name) != nullptr);
  std::vector<float> floats(set.find(name)->elements());
  atrous::read_floats(*set.find(name), floats);
  return floats;
}

std::vector<std::string> names_in(const std::string& graph) {
  std::vector<std::string> names;
  for (const auto& t : read(graph).tensors) names.push_back(t.name);
  return names;
}

using names = std::vector<std::string>;
using floats = std::vector<float>;

}  // namespace

TEST_CASE("a frozen graph holds the published weights, bit for bit, and nothing else") {
  const auto path = shared("models/tensorflow/mobilenet_v2_pascal/frozen_inference_graph.pb");
  const auto weights = shared("models/deeplabv3_mobilenet_v2_pascal.safetensors");
  if (!path || !weights) return;
  const auto set = atrous::read_graph_def(*path), expected = atrous::read_safetensors(*weights);
  CHECK(set.source == path->string());
  CHECK(set.container == "TensorFlow frozen graph");
  CHECK(set.keep != nullptr);
  REQUIRE(set.tensors.size() == expected.tensors.size());
  for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
    const auto &a = set.tensors[i], &b = expected.tensors[i];
    CAPTURE(b.name);
    CHECK(a.name == b.name);
    CHECK(a.type == b.type);
    CHECK(a.shape == b.shape);
    CHECK(a.strides.empty());
    CHECK(std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end()));
  }
  const atrous::mapped_file file(*path), other(*weights);
  CHECK(atrous::is_graph_def(file.bytes()));
  CHECK_FALSE(atrous::is_graph_def(other.bytes()));
  // A graph ends wherever a node does; what is read of a cut one must be whole.
  for (std::size_t k = 0; k < 300; ++k) {
    const auto cut = file.bytes().first(file.bytes().size() * k / 300);
    try {
      for (const auto& tensor : atrous::read_graph_def(cut, "cut").tensors) {
        REQUIRE(expected.find(tensor.name) != nullptr);
        CHECK(tensor.shape == expected.find(tensor.name)->shape);
      }
    } catch (const std::runtime_error& error) {
      CHECK(std::string_view(error.what()).starts_with("cut: "));
    }
  }
}

TEST_CASE("weights are what layers take, whatever passes it on") {
  const std::string w = tensor({2}, {1, 2});
  CHECK(names_in(variable("w", w) + node("shape", "Const", {}, w) + node("r", "Reshape", {"x", "shape"})) ==
        names{"w"});
  CHECK(names_in(node("b", "Const", {}, w) + node("a", "Const", {}, w) +
                 node("add", "BiasAdd", {"x:0", "b:0"}) + node("conv", "Conv2D", {"x", "a", "^c"})) ==
        names{"a", "b"});
  CHECK(names_in(node("conv", "Conv2D", {"x", "one"}) + node("one", "Identity", {"two"}) +
                 node("two", "Identity", {"w:0"}) + node("w", "Const", {}, w)) == names{"w"});
  for (const char* op : {"DepthwiseConv2dNative", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
    CHECK(names_in(node("w", "Const", {}, w) + node("layer", op, {"x", "w"})) == names{"w"});
  const std::string circle =
      node("a", "Identity", {"b"}) + node("b", "Identity", {"a"}) + node("c", "Conv2D", {"a"});
  CHECK(names_in(circle + variable("w", w)) == names{"w"});
  const auto whole = [](protozero::pbf_writer& p) { p.add_bytes(4, std::string(8, '\0')); };
  CHECK(names_in(variable("w", w) + variable("i", tensor(3, {2}, whole)) +
                 variable("s", tensor(7, {2}, whole)) + variable("unknown", tensor(99, {2}, whole)) +
                 variable("none", "") + variable("scalar", tensor({}, {1}))) == names{"w"});
}

TEST_CASE("numbers are read in every form") {
  CHECK(floats_of(variable("w", tensor({2, 2}, {1, 2, 3, 4}))) == floats{1, 2, 3, 4});
  CHECK(floats_of(variable("w", tensor({5}, {1, 2}))) == floats{1, 2, 2, 2, 2});
  CHECK(floats_of(variable("w", tensor({3}, {7}))) == floats{7, 7, 7});
  CHECK(floats_of(variable("w", tensor({3}, {}))) == floats{0, 0, 0});
  CHECK(floats_of(variable("w", tensor({0, 3}, {}))) == floats{});
  CHECK(floats_of(variable("w", tensor(1, {3}, [](protozero::pbf_writer& w) {
                             w.add_float(5, 1);
                             w.add_float(5, 2);
                             w.add_float(5, 3);
                           }))) == floats{1, 2, 3});
  CHECK(floats_of(variable("w", tensor(1, {2}, [](protozero::pbf_writer& w) {
                             const floats numbers{1.5F, -2};
                             w.add_bytes(4, std::string(reinterpret_cast<const char*>(numbers.data()), 8));
                           }))) == floats{1.5F, -2});
  CHECK(floats_of(variable("w", tensor(2, {3}, [](protozero::pbf_writer& w) {
                             const std::vector<double> numbers{1.5, -2};
                             w.add_packed_double(6, numbers.begin(), numbers.end());
                             w.add_double(6, 3);
                           }))) == floats{1.5F, -2, 3});
  const std::vector<std::int32_t> halves{0x3c00, 0xc000};
  CHECK(floats_of(variable("w", tensor(19, {3}, [&](protozero::pbf_writer& w) {
                             w.add_packed_int32(13, halves.begin(), halves.end());
                             w.add_int32(13, 0x4200);
                           }))) == floats{1, -2, 3});
  CHECK(floats_of(variable("w", tensor(14, {2}, [&](protozero::pbf_writer& w) {
                             w.add_packed_int32(13, halves.begin(), halves.begin() + 1);
                           }))) == floats{0.0078125F, 0.0078125F});
}

TEST_CASE("graphs that do not fit are refused") {
  CHECK(refusal_of("\x08\x01") == "expected a frozen graph, found a SavedModel");
  CHECK(refusal_of(node("w", "VariableV2") + node("v", "VarHandleOp")) ==
        "expected a frozen graph, found one whose 2 variables are elsewhere, in a checkpoint");
  CHECK(refusal_of(node("x", "Placeholder")) == "expected weights in Const nodes, found none among 1 nodes");
  CHECK(refusal_of("") == "expected weights in Const nodes, found none among 0 nodes");
  CHECK(says(refusal_of("node {\n"), "graph: expected a protocol buffer message, found a damaged one"));
  const std::string good = variable("w", tensor({2}, {1, 2}));
  CHECK(refusal_of(good + good) == "tensor \"w\": expected each name once, found it twice");
  CHECK(says(refusal_of(variable("", tensor({2}, {1, 2}))), "expected a name, found an empty one"));
  for (std::size_t size = 0; size < good.size(); ++size) refusal_of(good.substr(0, size));
  CHECK(atrous::is_graph_def(bytes_of(good)));
  for (const char* other : {"", "\x08\x01", "\x0a\x7f", "PK\3\4", "\x80\x02}", "\x0a\0"})
    CHECK_FALSE(atrous::is_graph_def(bytes_of(other)));
}

TEST_CASE("tensors of a graph that do not fit are refused") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto with = [](const std::string& value) { return refusal_of(variable("a\nb", value)); };
  const std::string at = "tensor \"a\\x0ab\": ";
  CHECK(with(tensor({2}, {1, 2, 3})) == at + "float 2: expected 8 bytes, found 12");
  CHECK(with(tensor(1, {2}, [](protozero::pbf_writer& w) { w.add_bytes(4, "seven b"); })) ==
        at + "float 2: expected 8 bytes, found 7");
  CHECK(with(tensor(1, {0}, [](protozero::pbf_writer& w) { w.add_bytes(4, "x"); })) ==
        at + "float 0: expected 0 bytes, found 1");
  CHECK(with(tensor({-1}, {1})) == at + "float -1: expected a shape that fits into memory");
  CHECK(says(with(tensor({most, 2}, {1})), "expected a shape that fits into memory"));
  CHECK(says(with(tensor({most}, {1})), "expected a shape that fits into memory"));
  CHECK(says(with(tensor(std::vector<std::int64_t>(65, 1), {1})), "expected at most 64 extents"));
  CHECK(says(with(tensor({1 << 30}, {1, 2})), "expected at most 67108864 bytes of repeated numbers"));
  CHECK(says(with(tensor({1 << 20, 1 << 20}, {1})), "expected at most 67108864 bytes of repeated numbers"));
  const std::string half = tensor({10 << 20}, {1, 2});
  CHECK(says(refusal_of(variable("a", half) + variable("b", half)),
             "tensor \"b\": float 10485760: expected at most"));
  CHECK(says(with("\x08"), at + "expected a protocol buffer message, found a damaged one"));
}
