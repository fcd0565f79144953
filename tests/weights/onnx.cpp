// ONNX models read back by the format's own rules: names, versions, types, bytes of initialisers; what is refused; one file
// or two. That ONNX Runtime computes the same is checked in tests/onnx.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <atrous/weights/onnx.hpp>

#include "../support/rule_weights.hpp"
#include "../support/scratch.hpp"
#include "../support/tensors.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

struct read_node {
  std::string type, name;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, std::vector<std::int64_t>> numbers;
  std::map<std::string, float> reals;
  std::map<std::string, std::string> texts;
};
struct read_initialiser {
  std::vector<std::int64_t> shape;
  int type = 0;
  std::string raw;
  std::map<std::string, std::string> external;
};
struct read_value {
  std::string name;
  int type = 0;
  std::vector<std::string> shape;
};
struct read_model {
  std::int64_t ir_version = 0, opset = 0;
  std::string producer, doc, name;
  std::map<std::string, std::string> metadata;
  std::vector<read_node> nodes;
  std::map<std::string, read_initialiser> initialisers;
  std::vector<read_value> inputs, outputs;

  const read_node& node(const std::string& wanted) const {
    for (const read_node& n : nodes) {
      if (n.name == wanted) return n;
    }
    throw std::out_of_range("no node " + wanted);
  }
  const read_node* of_type(const std::string& type) const {
    for (const read_node& n : nodes) {
      if (n.type == type) return &n;
    }
    return nullptr;
  }
};

std::pair<std::string, std::string> pair_in(protozero::pbf_reader message) {
  std::pair<std::string, std::string> made;
  while (message.next()) {
    std::string& into = message.tag() == 1 ? made.first : made.second;
    into = message.get_string();
  }
  return made;
}

void read_attribute(protozero::pbf_reader message, read_node& into) {
  std::string name, text;
  std::vector<std::int64_t> numbers;
  int type = 0;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        name = message.get_string();
        break;
      case 2:
        into.reals[name] = message.get_float();
        break;
      case 3:
      case 8:
        numbers.push_back(message.get_int64());
        break;
      case 4:
        text = message.get_string();
        break;
      case 20:
        type = message.get_enum();
        break;
      default:
        FAIL("attribute with field ", message.tag());
    }
  }
  if (into.reals.contains(name)) {
    CHECK(type == 1);
    return;
  }
  CHECK(type == (!text.empty() ? 3 : numbers.size() == 1 ? 2 : 7));
  if (text.empty())
    into.numbers[name] = numbers;
  else
    into.texts[name] = text;
}

read_node node_in(protozero::pbf_reader message) {
  read_node made;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        made.inputs.push_back(message.get_string());
        break;
      case 2:
        made.outputs.push_back(message.get_string());
        break;
      case 3:
        made.name = message.get_string();
        break;
      case 4:
        made.type = message.get_string();
        break;
      case 5:
        read_attribute(message.get_message(), made);
        break;
      default:
        FAIL("node with field ", message.tag());
    }
  }
  return made;
}

std::pair<std::string, read_initialiser> initialiser_in(protozero::pbf_reader message) {
  std::string name;
  read_initialiser made;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        made.shape.push_back(message.get_int64());
        break;
      case 2:
        made.type = message.get_enum();
        break;
      case 8:
        name = message.get_string();
        break;
      case 9:
        made.raw = message.get_string();
        break;
      case 13:
        made.external.insert(pair_in(message.get_message()));
        break;
      case 14:
        CHECK(message.get_enum() == 1);
        break;
      default:
        FAIL("tensor with field ", message.tag());
    }
  }
  return {name, made};
}

read_value value_in(protozero::pbf_reader message) {
  read_value made;
  while (message.next()) {
    if (message.tag() == 1) made.name = message.get_string();
    if (message.tag() == 3) CHECK(message.get_string().size() > 10);
    if (message.tag() != 2) continue;
    protozero::pbf_reader type = message.get_message();
    REQUIRE(type.next(1));
    protozero::pbf_reader tensor = type.get_message();
    REQUIRE(tensor.next(1));
    made.type = tensor.get_enum();
    REQUIRE(tensor.next(2));
    protozero::pbf_reader shape = tensor.get_message();
    while (shape.next(1)) {
      protozero::pbf_reader extent = shape.get_message();
      REQUIRE(extent.next());
      made.shape.push_back(extent.tag() == 1 ? std::to_string(extent.get_int64()) : extent.get_string());
    }
  }
  return made;
}

void read_graph(protozero::pbf_reader message, read_model& into) {
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        into.nodes.push_back(node_in(message.get_message()));
        break;
      case 2:
        into.name = message.get_string();
        break;
      case 5: {
        const auto made = initialiser_in(message.get_message());
        CHECK(into.initialisers.insert(made).second);
        break;
      }
      case 11:
        into.inputs.push_back(value_in(message.get_message()));
        break;
      case 12:
        into.outputs.push_back(value_in(message.get_message()));
        break;
      default:
        CHECK(message.tag() == 10);
        message.skip();
    }
  }
}

read_model read_back(const std::filesystem::path& path) {
  const std::string bytes = contents_of(path);
  protozero::pbf_reader message(bytes);
  read_model made;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        made.ir_version = message.get_int64();
        break;
      case 2:
        made.producer = message.get_string();
        break;
      case 6:
        made.doc = message.get_string();
        break;
      case 7:
        read_graph(message.get_message(), made);
        break;
      case 8: {
        protozero::pbf_reader opset = message.get_message();
        while (opset.next(2)) made.opset = opset.get_int64();
        break;
      }
      case 14:
        made.metadata.insert(pair_in(message.get_message()));
        break;
      default:
        CHECK(message.tag() == 3);
        message.skip();
    }
  }
  return made;
}

std::vector<float> floats(const std::string& raw) {
  std::vector<float> numbers(raw.size() / sizeof(float));
  std::memcpy(numbers.data(), raw.data(), raw.size());
  return numbers;
}

/// Every input of a node is the image, an initialiser or what a node before it makes, and no name means two things.
void check_wiring(const read_model& m) {
  std::set<std::string> known{""}, names;
  for (const read_value& v : m.inputs) known.insert(v.name);
  for (const auto& [name, tensor] : m.initialisers) CHECK(known.insert(name).second);
  for (const read_node& n : m.nodes) {
    CHECK_MESSAGE(names.insert(n.name).second, n.name);
    for (const std::string& input : n.inputs) CHECK_MESSAGE(known.contains(input), input);
    for (const std::string& output : n.outputs) CHECK_MESSAGE(known.insert(output).second, output);
  }
  for (const read_value& v : m.outputs) CHECK(known.contains(v.name));
}

const std::vector<std::string> any_image{"batch", "3", "height", "width"};

template <class Define>
std::string refusal(const Define& define, const tensor_set& weights = {}) {
  const scratch s;
  const std::string said = message_of<std::invalid_argument>([&] {
    write_onnx(s.folder / "refused.onnx", define, {33, 47, 3}, weights);
  });
  CHECK(is_plain_line(said));
  CHECK(std::filesystem::is_empty(s.folder));
  return said;
}

struct prelu {
  constexpr op describe() const { return {.kind = op_kind::own}; }
};

}  // namespace

TEST_CASE("an ONNX model has the names of the scopes") {
  const scratch s;
  const graph g = record(tiny::deeplab);
  const auto made = write_onnx(s.folder / "m.onnx", tiny::deeplab, rule_weights::make(g),
                               {.name = "tiny", .metadata = {{"class_names", "[\"a\"]"}}});
  const read_model m = read_back(s.folder / "m.onnx");
  CHECK(m.ir_version == 8);
  CHECK(m.opset == 17);
  CHECK(m.producer == "atrous");
  CHECK(m.name == "tiny");
  CHECK(m.metadata == std::map<std::string, std::string>{{"class_names", "[\"a\"]"}});
  CHECK(says(m.doc, "image float32 (batch, 3, height, width)"));
  CHECK(made.nodes == m.nodes.size());
  CHECK(made.bytes == std::filesystem::file_size(s.folder / "m.onnx"));
  CHECK(made.data_bytes == 0);
  REQUIRE((m.inputs.size() == 1 && m.outputs.size() == 1));
  CHECK(m.inputs[0].name == "image");
  CHECK(m.inputs[0].type == 1);
  CHECK(m.inputs[0].shape == any_image);
  CHECK(m.outputs[0].name == "logits");
  CHECK(m.outputs[0].shape == std::vector<std::string>{"batch", "5", "height", "width"});
  CHECK(made.output == "logits float32 (batch, 5, height, width)");
  check_wiring(m);
  const read_node& root = m.node("root/Conv");
  CHECK(root.inputs == std::vector<std::string>{"Add", "root/weights", "root/biases"});
  CHECK(root.numbers.at("strides") == std::vector<std::int64_t>{2, 2});
  CHECK(root.numbers.at("pads") == std::vector<std::int64_t>{1, 1, 1, 1});
  CHECK(m.node("aspp1_depthwise/Conv").numbers.at("group") == std::vector<std::int64_t>{24});
  CHECK(m.node("aspp2_depthwise/Conv").numbers.at("dilations") == std::vector<std::int64_t>{2, 2});
  CHECK(m.node("inverted/depthwise/Conv").texts.at("auto_pad") == "SAME_UPPER");
  CHECK(m.node("image_pooling/Conv").inputs[0] == "GlobalAveragePool");
  CHECK(m.of_type("BatchNormalization") == nullptr);
}

TEST_CASE("an ONNX model is the same every time") {
  const scratch s;
  const graph g = record(tiny::deeplab);
  for (const char* name : {"a.onnx", "b.onnx"})
    write_onnx(s.folder / name, tiny::deeplab, rule_weights::make(g));
  CHECK(contents_of(s.folder / "a.onnx") == contents_of(s.folder / "b.onnx"));
  // What it is checked for changes nothing but the recording.
  write_onnx(s.folder / "c.onnx", tiny::plus, {64, 80, 3}, rule_weights::make(g));
  CHECK(contents_of(s.folder / "a.onnx") == contents_of(s.folder / "c.onnx"));
}

TEST_CASE("kernels are turned, batch norm and borders are folded") {
  static constexpr padding per_channel{.outside = padding::border::per_channel};
  const auto define = [](wire image) {
    return image >> in("dense", convolution{.out = 2, .kernel = 3, .bias = true, .pad = per_channel}) >>
           in("apart", depthwise{} >> in("BatchNorm", batch_norm{.epsilon = 0}));
  };
  const graph g = record(define, {9, 9, 3});
  changeable_tensors weights(rule_weights::make(g));
  const auto chosen = [&](const char* name, std::vector<float> numbers) {
    weights.put(name, {static_cast<std::int64_t>(numbers.size())}, numbers);
  };
  chosen("dense/biases", {10, 20});
  chosen("dense/border", {1, 2, 4});
  chosen("apart/BatchNorm/gamma", {2, 3});
  chosen("apart/BatchNorm/beta", {1, 5});
  chosen("apart/BatchNorm/moving_mean", {1, 2});
  chosen("apart/BatchNorm/moving_variance", {4, 1});
  std::vector<float> kernel(54), depthwise(18);  // rows, columns, in, out
  for (std::size_t i = 0; i < 54; ++i) kernel[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < 18; ++i) depthwise[i] = static_cast<float>(i);
  weights.put("dense/weights", {3, 3, 3, 2}, kernel);
  weights.put("apart/depthwise_weights", {3, 3, 2, 1}, depthwise);
  const scratch s;
  write_onnx(s.folder / "m.onnx", define, {9, 9, 3}, weights.set());
  const read_model m = read_back(s.folder / "m.onnx");
  check_wiring(m);
  const auto shape_of = [&](const char* name) { return m.initialisers.at(name).shape; };
  const auto numbers_of = [&](const char* name) { return floats(m.initialisers.at(name).raw); };
  CHECK(shape_of("dense/weights") == std::vector<std::int64_t>{2, 3, 3, 3});
  const std::vector<float> turned = numbers_of("dense/weights");
  CHECK(turned[0] == 0);
  CHECK(turned[1] == 6);                // the next tap
  CHECK(turned[9] == 2);                // the next input
  CHECK(turned[27 + 9 + 8] == 48 + 3);  // second output, second input, last tap
  CHECK(shape_of("dense/border") == std::vector<std::int64_t>{1, 3, 1, 1});
  float sum = 10;
  for (std::size_t i = 0; i < 54; i += 2) sum += kernel[i] * std::vector<float>{1, 2, 4}[i / 2 % 3];
  CHECK(numbers_of("dense/biases")[0] == sum);
  CHECK(shape_of("apart/depthwise_weights") == std::vector<std::int64_t>{2, 1, 3, 3});
  CHECK(numbers_of("apart/depthwise_weights")[1] == 2);      // gamma / sqrt(variance) = 1
  CHECK(numbers_of("apart/depthwise_weights")[9 + 1] == 9);  // 3
  CHECK(numbers_of("apart/biases") == std::vector<float>{0, -1});
  CHECK(m.nodes.back().outputs == std::vector<std::string>{"logits"});
  CHECK(m.outputs[0].shape == std::vector<std::string>{"batch", "2", "height", "width"});
}

TEST_CASE("extents follow what they followed when the network was recorded") {
  const auto define = [](wire image) {
    const wire half = image >> in("half", convolution{.out = 4, .kernel = 3, .stride = 2});
    const wire fixed = half >> in("fixed", [](wire x) { return x >> resize{7, 5, corners::half_pixel}; });
    const wire back = fixed >> in("back", [&](wire x) { return x >> resize_to(half.shape()); });
    return back >> in("twice", [](wire x) {
             return x >> resize{2 * x.shape().height, 3 * x.shape().width, corners::asymmetric};
           });
  };
  const scratch s;
  const auto summary =
      write_onnx(s.folder / "m.onnx", define, {33, 47, 3}, rule_weights::make(record(define, {33, 47, 3})));
  const read_model m = read_back(s.folder / "m.onnx");
  check_wiring(m);
  const auto shapes = [&](const char* name) {
    std::vector<std::int64_t> numbers(m.initialisers.at(name).raw.size() / 8);
    std::memcpy(numbers.data(), m.initialisers.at(name).raw.data(), 8 * numbers.size());
    return numbers;
  };
  CHECK(m.initialisers.at("fixed/extents").type == 7);
  CHECK(shapes("fixed/extents") == std::vector<std::int64_t>{7, 5});
  CHECK(m.node("back/Concat").inputs == std::vector<std::string>{"back/Shape", "half/Shape"});
  CHECK(m.node("half/Shape").numbers.at("start") == std::vector<std::int64_t>{2});
  CHECK(m.node("back/Resize").texts.at("coordinate_transformation_mode") == "align_corners");
  CHECK(m.node("twice/Resize").texts.at("coordinate_transformation_mode") == "asymmetric");
  CHECK(floats(m.initialisers.at("twice/scales").raw) == std::vector<float>{1, 1, 2, 3});
  CHECK(summary.output == "logits float32 (batch, 4, rows, columns)");
}

TEST_CASE("every activation is one operator") {
  const auto define = [](wire x) {
    for (const activation act : {activation::none, activation::relu, activation::relu6,
                                 activation::hard_sigmoid, activation::hard_swish})
      x = x >> activate{act};
    return x;
  };
  const scratch s;
  write_onnx(s.folder / "m.onnx", define, {9, 9, 3}, {});
  const read_model m = read_back(s.folder / "m.onnx");
  check_wiring(m);
  std::vector<std::string> types;
  for (const read_node& n : m.nodes) types.push_back(n.type);
  CHECK(types == std::vector<std::string>{"Identity", "Relu", "Clip", "HardSigmoid", "HardSwish"});
  CHECK(m.node("Clip").inputs == std::vector<std::string>{"Relu", "clip/0", "clip/6"});
  CHECK(floats(m.initialisers.at("clip/6").raw) == std::vector<float>{6});
  CHECK(m.initialisers.at("clip/6").shape.empty());
  CHECK(m.node("HardSigmoid").reals.at("alpha") == 1 / 6.0F);
}

TEST_CASE("a network that takes one size only is exported for it") {
  const auto define = [](wire image) {
    image.net->expect(image.shape().height == 33, {rule::layer_must_obey_its_own_rules, image.shape(), {}});
    return image >> average_pool{} >> resize_to(image.shape());
  };
  const scratch s;
  const auto made = write_onnx(s.folder / "m.onnx", define, {33, 47, 3}, {});
  CHECK(made.input == "image float32 (batch, 3, 33, 47)");
  CHECK(made.output == "logits float32 (batch, 3, 33, 47)");
}

TEST_CASE("labels are bytes where they fit") {
  const scratch s;
  for (const int classes : {256, 257}) {
    const auto define = [&](wire image) {
      return image >> in("c", pointwise{.out = classes}) >> resize_to(image.shape());
    };
    const auto made = write_onnx(s.folder / "m.onnx", define, {9, 9, 3},
                                 rule_weights::make(record(define, {9, 9, 3})), {.argmax = true});
    const read_model m = read_back(s.folder / "m.onnx");
    check_wiring(m);
    CHECK(m.outputs[0].name == "labels");
    CHECK(m.outputs[0].type == (classes == 256 ? 2 : 7));
    CHECK(m.outputs[0].shape == std::vector<std::string>{"batch", "height", "width"});
    CHECK(m.nodes.back().type == (classes == 256 ? "Cast" : "ArgMax"));
    CHECK(says(made.output, classes == 256 ? "labels uint8 (" : "labels int64 ("));
  }
}

TEST_CASE("large tensors can lie in a file beside the model") {
  const scratch s;
  const tensor_set weights = rule_weights::make(record(tiny::deeplab));
  write_onnx(s.folder / "one.onnx", tiny::deeplab, weights);
  const auto made = write_onnx(s.folder / "two.onnx", tiny::deeplab, weights, {.external = true});
  CHECK(made.bytes == std::filesystem::file_size(s.folder / "two.onnx"));
  CHECK(made.data_bytes == std::filesystem::file_size(s.folder / "two.onnx.data"));
  const read_model one = read_back(s.folder / "one.onnx"), two = read_back(s.folder / "two.onnx");
  check_wiring(two);
  const std::string data = contents_of(s.folder / "two.onnx.data");
  int outside = 0;
  for (const auto& [name, tensor] : two.initialisers) {
    const read_initialiser& same = one.initialisers.at(name);
    CHECK(tensor.shape == same.shape);
    if (tensor.external.empty()) {
      CHECK(tensor.raw == same.raw);
      CHECK(tensor.raw.size() < 1024);
      continue;
    }
    ++outside;
    CHECK(tensor.external.at("location") == "two.onnx.data");
    const std::size_t offset = std::stoul(tensor.external.at("offset"));
    CHECK(offset % 4096 == 0);
    CHECK(data.substr(offset, std::stoul(tensor.external.at("length"))) == same.raw);
  }
  CHECK(outside > 5);
}

TEST_CASE("beyond what one message holds, large tensors lie outside without being asked for") {
  const scratch s;
  onnx_builder build;
  const auto none = [] { return std::span<const std::byte>(); };
  build.add_tensor("a", {1 << 14, 1 << 14}, none);  // 1 GiB each
  build.add_tensor("b", {(1 << 14) - 1, 1 << 14}, none);
  CHECK(onnx_file(s.folder / "m.onnx", build.made, {}, false).data_bytes() == 0);
  build.add_tensor("c", {1 << 14}, none);
  const onnx_file parted(s.folder / "m.onnx", build.made, {}, false);
  CHECK(parted.data_bytes() == std::uint64_t{1} << 31);
  CHECK(parted.bytes() < 1000);
  // Numbers that are not there leave nothing behind.
  CHECK(says(message_of<std::invalid_argument>([&] { parted.write(); }),
             "tensor a: expected 1073741824 bytes, found 0"));
  CHECK(std::filesystem::is_empty(s.folder));
}

TEST_CASE("names are their owner's") {
  const auto define = [](wire x) {
    const auto twice = [](wire y) { return y >> relu{} >> relu{}; };
    return x >> in("logits", twice) >> in("line\nbreak", twice) >> in("caf\xc3\xa9\xff", relu{});
  };
  const scratch s;
  write_onnx(s.folder / "m.onnx", define, {9, 9, 3}, {});
  const read_model m = read_back(s.folder / "m.onnx");
  check_wiring(m);
  CHECK(m.node("logits/Relu_1").inputs == std::vector<std::string>{"logits/Relu"});
  CHECK(m.node("line\\x0abreak/Relu").outputs[0] == "line\\x0abreak/Relu");
  CHECK(m.node("caf\xc3\xa9\\xff/Relu").outputs[0] == "logits");
}

TEST_CASE("what has no form in ONNX is refused by name") {
  const std::string own = refusal([](wire image) { return image >> in("bend/it", prelu{}); });
  CHECK(says(own, "layer 1, bend/it: a primitive of one's own (kind 1000)"));
  const std::string extents = refusal([](wire x) {
    return x >> in("odd", resize{x.shape().height / 2 + 5, x.shape().width});
  });
  CHECK(says(extents, "layer 1, odd: its extents (21x47x3)"));
  const std::string window = refusal([](wire x) {
    return x >> in("part", average_pool{x.shape().height / 2, 3});
  });
  CHECK(says(window, "layer 1, part: the pooling window"));
  const std::string structure =
      refusal([](wire x) { return x.shape().height > 40 ? x >> relu{} : x >> relu6{}; });
  CHECK(says(structure, "an image of 50x87x3 than for 33x47x3"));
  const std::string odd = refusal([](wire x) { return x >> activate{static_cast<activation>(77)}; });
  CHECK(says(odd, "layer 1: an activation (number 77)"));
}

TEST_CASE("weights that do not fit or are not finite leave no file") {
  const auto define = [](wire image) { return image >> in("c", pointwise{.out = 2}); };
  const scratch s;
  CHECK_THROWS_AS(write_onnx(s.folder / "m.onnx", define, {9, 9, 3}, {}), weights_mismatch);
  changeable_tensors weights(rule_weights::make(record(define, {9, 9, 3})));
  weights.number("c/weights", 3) = std::numeric_limits<float>::infinity();
  CHECK(says(refusal(define, weights.set()), "tensor c/weights: element 3 of 6 is inf"));
  CHECK(std::filesystem::is_empty(s.folder));
  CHECK_THROWS_AS(write_onnx(s.folder / "no" / "m.onnx", define, {9, 9, 3},
                             rule_weights::make(record(define, {9, 9, 3}))),
                  std::runtime_error);
}
