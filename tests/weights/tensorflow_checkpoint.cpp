// SPDX-License-Identifier: MIT
// TensorFlow checkpoints: real ones give the numbers that TensorFlow saved; a cut or a flipped bit anywhere is told.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/weights/fold.hpp>
#include <atrous/weights/safetensors.hpp>
#include <atrous/weights/tensorflow/checkpoint.hpp>

#include "../support/checkpoint_text.hpp"
#include "../support/shared.hpp"

namespace {

using namespace tensorflow_files;
using atrous::element_type;

constexpr const char* tiny = "models/tensorflow/tiny";
constexpr const char* pascal = "models/tensorflow/mobilenet_v2_pascal";

void check_equal(const atrous::stored_tensor& found, const atrous::stored_tensor& expected) {
  CAPTURE(expected.name);
  CHECK(found.type == expected.type);
  CHECK(found.shape == expected.shape);
  CHECK(std::equal(found.bytes.begin(), found.bytes.end(), expected.bytes.begin(), expected.bytes.end()));
}

void check_values(const atrous::stored_tensor* found, const nlohmann::json& values) {
  REQUIRE(found != nullptr);
  CAPTURE(found->name);
  std::vector<float> floats(found->elements());
  atrous::read_floats(*found, floats);
  REQUIRE(values.size() == std::min<std::size_t>(floats.size(), 21));
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(floats[i] == values[i].get<float>());
}

}  // namespace

TEST_CASE("a training checkpoint holds the published weights, bit for bit") {
  const auto folder = shared(pascal), weights = shared("models/deeplabv3_mobilenet_v2_pascal.safetensors");
  if (!folder || !weights) return;
  const auto expected = atrous::read_safetensors(*weights);
  for (const char* name :
       {"", "model.ckpt-30000", "model.ckpt-30000.index", "model.ckpt-30000.data-00000-of-00001"}) {
    const auto set = atrous::read_checkpoint(*folder / name);
    CHECK(set.source == (*folder / "model.ckpt-30000").string());
    CHECK(set.container == "TensorFlow checkpoint");
    CHECK(set.tensors.size() == 272 + 1 + 164);
    CHECK(set.others.empty());
    for (const auto& tensor : expected.tensors) {
      REQUIRE(set.find(tensor.name) != nullptr);
      check_equal(*set.find(tensor.name), tensor);
    }
    check_values(set.find("global_step"), {30000});
    CHECK(set.find("global_step")->type == element_type::i64);
    CHECK(set.find("logits/semantic/biases/Momentum") != nullptr);
    verify_all(set);
  }
  CHECK(atrous::is_checkpoint(*folder));
  CHECK(atrous::is_checkpoint(*folder / "model.ckpt-30000"));
  CHECK(atrous::is_checkpoint(*folder / "model.ckpt-30000.data-00000-of-00001"));
  CHECK_FALSE(atrous::is_checkpoint(*weights));
  CHECK_FALSE(atrous::is_checkpoint("absent"));
}

TEST_CASE("every type of number is read, from every shard") {
  const auto folder = shared(tiny);
  if (!folder) return;
  const auto set = atrous::read_checkpoint(*folder / "sharded.ckpt");
  const auto expected = nlohmann::json::parse(contents_of(*folder / "sharded.json"));
  for (const auto& [name, what] : expected.items()) {
    if (what["dtype"] == "object") continue;
    check_values(set.find(name), what["values"]);
    CHECK(set.find(name)->shape == what["shape"].get<std::vector<std::int64_t>>());
  }
  const auto type_of = [&set](const char* name) { return set.find(name)->type; };
  CHECK(type_of("extra/double") == element_type::f64);
  CHECK(type_of("extra/half") == element_type::f16);
  CHECK(type_of("extra/bfloat16") == element_type::bf16);
  CHECK(type_of("extra/int8") == element_type::i8);
  CHECK(type_of("extra/int16") == element_type::i16);
  CHECK(type_of("extra/int32") == element_type::i32);
  CHECK(type_of("extra/uint8") == element_type::u8);
  CHECK(type_of("extra/bool") == element_type::boolean);
  REQUIRE(set.others.size() == 1);
  CHECK(set.others.front().name == "extra/strings");
  CHECK(set.find("extra/strings") == nullptr);
  CHECK(set.tensors.size() + 1 == expected.size());
  verify_all(set);
  const auto adam = atrous::read_checkpoint(*folder / "adam.ckpt.index");
  const auto slots = nlohmann::json::parse(contents_of(*folder / "adam.json"));
  CHECK(adam.tensors.size() == slots.size());
  for (const auto& [name, values] : slots.items()) check_values(adam.find(name), values);
  verify_all(adam);
}

TEST_CASE("what cannot be read is refused with the reason") {
  const auto folder = shared(tiny);
  if (!folder) return;
  const auto said = [](const std::filesystem::path& path) {
    return message_of<std::runtime_error>([&] { atrous::read_checkpoint(path); });
  };
  CHECK(says(said(*folder / "partitioned.ckpt"),
             "partitioned.ckpt.index: tensor \"logits/semantic/weights\": "
             "expected a whole variable, found a partitioned one, saved in 3 slices"));
  const auto old = *folder / "version1.ckpt";
  CHECK(atrous::is_checkpoint(old));
  CHECK(says(said(old), "version1.ckpt: expected a version 2 checkpoint"));
  CHECK(says(refusal_of(contents_of(old)), "expected a version 2 checkpoint"));
  CHECK(says(said(*folder),
             "expected a file named checkpoint or one of the form PREFIX.index, found 3 of the latter"));
  CHECK(said("absent.ckpt") == "absent.ckpt.index: cannot be opened: No such file or directory");
  const scratch here;
  here.file("a.index", index({{"w", tensor_entry{}.text()}}));
  CHECK(says(said(here.folder / "a"), "a.data-00000-of-00001: cannot be opened"));
  here.file("a.data-00000-of-00001", "abc");
  CHECK(says(said(here.folder / "a"),
             "a.data-00000-of-00001: tensor \"w\": expected 4 bytes from byte 0, found a file of 3"));
}

TEST_CASE("a folder has the checkpoint that its text names, or the only one") {
  const scratch here;
  const auto make = [&here](const std::string& prefix) {
    here.file(prefix + ".index", index({{prefix, tensor_entry{.sum = check_sum("abcd")}.text()}}));
    here.file(prefix + ".data-00000-of-00001", "abcd");
  };
  const auto read = [&here] { return atrous::read_checkpoint(here.folder).tensors.at(0).name; };
  CHECK_THROWS_AS(read(), std::runtime_error);
  make("one");
  CHECK(read() == "one");
  make("two");
  CHECK_THROWS_AS(read(), std::runtime_error);
  const std::string all = "all_model_checkpoint_paths: \"one\"\n";
  here.file("checkpoint", all + "model_checkpoint_path: \"two\"\n");
  CHECK(read() == "two");
  here.file("checkpoint", "  model_checkpoint_path : '" + (here.folder / "one").string() + "'");
  CHECK(read() == "one");
  here.file("checkpoint", "model_checkpoint_path: \"/moved/since/two\"\r\n" + all);
  CHECK(read() == "two");
  make("caf\xc3\xa9 \"3\"");
  here.file("checkpoint", "model_checkpoint_path: \"caf\\303\\251 \\\"\\063\\\"\"");
  CHECK(read() == "caf\xc3\xa9 \"3\"");
  for (const char* wrong :
       {"x", "model_checkpoint_path: two", "model_checkpoint_path: \"two", "model_checkpoint_path: \"\\",
        "model_checkpoint_path", "all_model_checkpoint_paths: \"one\""}) {
    here.file("checkpoint", wrong);
    CHECK(message_of<std::runtime_error>(read) ==
          (here.folder / "checkpoint").string() + ": expected model_checkpoint_path: \"NAME\", found none");
  }
  here.file("checkpoint", "model_checkpoint_path: \"three\"");
  CHECK(says(message_of<std::runtime_error>(read), "three.index: cannot be opened"));
}

TEST_CASE("every cut of a checkpoint is refused") {
  const auto folder = shared(tiny);
  if (!folder) return;
  for (const auto& [name, shards] : {std::pair("sharded.ckpt", 2), std::pair("adam.ckpt", 1)}) {
    const checkpoint_text good(*folder / name, shards);
    for (std::size_t size = 0; size < good.index.size(); ++size) {
      auto cut = good;
      cut.index.resize(size);
      CHECK(cut.refusal().starts_with("bad.index: not a sorted table"));
    }
    for (std::size_t shard = 0; shard < good.shards.size(); ++shard) {
      auto cut = good;
      while (!cut.shards[shard].empty()) {
        cut.shards[shard].pop_back();
        CHECK(cut.refusal().starts_with("bad.data-0000" + std::to_string(shard) + "-of-"));
      }
    }
  }
}

TEST_CASE("every flipped bit of a checkpoint is told") {
  const auto folder = shared(tiny);
  if (!folder) return;
  for (const auto& [name, shards] : {std::pair("sharded.ckpt", 2), std::pair("adam.ckpt", 1)}) {
    checkpoint_text text(*folder / name, shards);
    const auto flip_each = [&text](std::string& file, const std::string& expected) {
      for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
        const auto flip = [&] { file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8); };
        flip();
        CAPTURE(bit);
        CHECK(text.refusal().starts_with(expected));
        flip();
      }
    };
    flip_each(text.index, "bad.index: ");
    for (std::size_t shard = 0; shard < text.shards.size(); ++shard)
      flip_each(text.shards[shard], "bad.data-0000" + std::to_string(shard) + "-of-0000" +
                                        std::to_string(shards) + ": tensor \"");
    verify_all(text.read());
  }
}

TEST_CASE("check sums of data wait until a tensor is used") {
  const std::string good = "abcdefgh";
  const auto made = index({{"a", tensor_entry{.sum = check_sum("abcd")}.text()},
                           {"b", tensor_entry{.offset = 4, .sum = check_sum("efgh")}.text()}});
  const checkpoint_text damaged(made, {"abcdefgH"});
  const auto set = damaged.read();
  set.verify(*set.find("a"));
  const auto part = [&set](std::size_t from, std::size_t size) {
    return atrous::stored_tensor{"renamed", element_type::u8, {}, set.find("b")->bytes.subspan(from, size)};
  };
  for (const auto& tensor : {*set.find("b"), part(0, 1), part(3, 1)}) {
    CHECK(message_of<std::runtime_error>([&] { set.verify(tensor); }) ==
          "bad.data-00000-of-00001: tensor \"b\": " + atrous::damaged(check_sum("efgh"), check_sum("efgH")));
  }
  set.verify(part(0, 0));
  const std::string others = "not of the file";
  set.verify({"c", element_type::u8, {}, bytes_of(others)});
  CHECK_THROWS_AS(verify_all(set), std::runtime_error);
  const checkpoint_text whole(made, {good});
  const auto shared_set = whole.read();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&shared_set] { verify_all(shared_set); });
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a network takes no damaged tensor") {
  using namespace atrous;
  const graph net =
      record([](wire x) { return x >> in("logits", pointwise{.out = 2, .bias = true}); }, {5, 5, 1});
  const std::array<float, 4> numbers{1, 2, 3, 4};
  std::string data(reinterpret_cast<const char*>(numbers.data()), sizeof(numbers));
  const auto made =
      index({{"logits/biases",
              tensor_entry{.shape = {2}, .offset = 8, .size = 8, .sum = check_sum(data.substr(8))}.text()},
             {"logits/weights",
              tensor_entry{.shape = {1, 1, 1, 2}, .size = 8, .sum = check_sum(data.substr(0, 8))}.text()}});
  const auto layer = [&] {
    const checkpoint_text text(made, {data});
    const auto set = text.read();
    const binding b = bind(net, set);
    return folder(net, b)(source{net.output, -1});
  };
  CHECK(layer().kernel == std::vector<float>{1, 2});
  CHECK(layer().bias == std::vector<float>{3, 4});
  data[9] = static_cast<char>(data[9] ^ 1);
  CHECK(says(message_of<std::runtime_error>(layer), "tensor \"logits/biases\": expected check sum 0x"));
}

TEST_CASE("text in the place of a parameter is missing, with the reason") {
  using namespace atrous;
  const graph net = record([](wire x) { return x >> in("logits", pointwise{.out = 2}); }, {5, 5, 1});
  const std::string lengths = word(1), sum = word(check_sum(lengths)), data = "\x01" + sum + "x";
  const checkpoint_text text(
      index({{"logits/weights",
              tensor_entry{.dtype = 7, .shape = {1}, .size = 6, .sum = check_sum(lengths + sum + "x")}
                  .text()}}),
      {data});
  const auto set = text.read();
  verify_all(set);
  const auto report = compare(net, set);
  CHECK(report.missing == std::vector<std::string>{"logits/weights (found, but not as numbers)"});
  CHECK(report.unexpected.empty());
}
