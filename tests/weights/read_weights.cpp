// SPDX-License-Identifier: MIT
// Weights of any format: what a file holds decides, not its name.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <atrous/weights/read_weights.hpp>

#include "../support/scratch.hpp"
#include "../support/shared.hpp"
#include "../support/torch_files.hpp"

namespace {

using namespace std::string_literals;
using atrous::read_weights;

std::string refusal(const std::filesystem::path& path) {
  const auto message = message_of<std::runtime_error>([&] { read_weights(path); });
  CAPTURE(message);
  CHECK(message.starts_with(path.string()));
  CHECK(is_plain_line(message));
  return message.substr(std::min(message.size(), path.string().size()));
}

std::string container(const std::filesystem::path& path) {
  const auto set = read_weights(path);
  CHECK(set.keep != nullptr);
  CHECK(set.release);
  CHECK_FALSE(set.tensors.empty());
  return set.container;
}

}  // namespace

TEST_CASE("every format is known by what the file holds") {
  const scratch here;
  for (const auto& [from, expected] :
       {std::pair{"parity/torch/containers/state_dict.pth", "PyTorch zip"},
        {"parity/torch/containers/state_dict.legacy.pth", "PyTorch legacy pickle"},
        {"parity/torch/containers/state_dict.legacy.protocol4.pth", "PyTorch legacy pickle"},
        {"parity/torch/containers/state_dict.safetensors", "safetensors"},
        {"parity/torch/containers/tensors.safetensors", "safetensors"},
        {"models/tensorflow/mobilenet_v2_pascal/frozen_inference_graph.pb", "TensorFlow frozen graph"}}) {
    const auto path = shared(from);
    if (!path) continue;
    CAPTURE(path->string());
    CHECK(container(*path) == expected);
    CHECK(container(here.file("another.name", contents_of(*path))) == expected);
  }
}

TEST_CASE("a checkpoint of TensorFlow is known by its prefix, its files and its folder") {
  const auto folder = shared("models/tensorflow/mobilenet_v2_pascal");
  if (!folder) return;
  for (const char* name :
       {"", "model.ckpt-30000", "model.ckpt-30000.index", "model.ckpt-30000.data-00000-of-00001"}) {
    CHECK(container(*folder / name) == "TensorFlow checkpoint");
  }
}

TEST_CASE("the shard of a checkpoint may begin as another format does") {
  const auto folder = shared("models/tensorflow/tiny");
  if (!folder) return;
  const scratch here;
  here.file("a.index", contents_of(*folder / "adam.ckpt.index"));
  auto shard = contents_of(*folder / "adam.ckpt.data-00000-of-00001");
  shard[0] = '\x80';
  shard[1] = '\x02';
  CHECK(container(here.file("a.data-00000-of-00001", shard)) == "TensorFlow checkpoint");
}

TEST_CASE("a safetensors header as long as a pickle's first bytes is no pickle") {
  const scratch here;
  const std::string header = "{\"w\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
  const std::string padded = header + std::string(0x280 - header.size(), ' ');
  CHECK(read_weights(here.file("file", torch_files::packed<std::uint64_t>(0x280) + padded)).container ==
        "safetensors");
}

TEST_CASE("what is no known format is told with its beginning") {
  const scratch here;
  const std::string expected =
      ": expected safetensors, a PyTorch file, a TensorFlow checkpoint or frozen graph, found a file that "
      "begins with ";
  CHECK(refusal(here.file("a.h5", "\x89HDF\r\n\x1a\n and so on")) ==
        expected + "\"\\x89HDF\\x0d\\x0a\\x1a\\x0a\"");
  CHECK(refusal(here.file("short", "x")) == expected + "\"x\"");
  CHECK(refusal(here.file("empty", "")) == ": expected a file with contents, found an empty one");
  CHECK(refusal(here.folder / "absent") == ": cannot be opened: No such file or directory");
  CHECK(refusal("/dev/null") == ": expected a regular file, found something else");
  CHECK(says(refusal(here.file("cut.safetensors", "\1\2")), "not a safetensors file"));
  CHECK(says(refusal(here.file("zip.safetensors", torch_files::zip({{"a", "b"}}))),
             "expected a record */data.pkl"));
  refusal(here.file("graph.pb", "text"));
}

TEST_CASE("hostile files of every format are refused in one line") {
  const auto folder = shared("parity/torch/hostile");
  if (!folder) return;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const auto extension = entry.path().extension();
    if (entry.path().filename() == "reduce_beside_tensors.pth") continue;
    if (extension != ".pth" && extension != ".safetensors") continue;
    CAPTURE(entry.path().string());
    ++files;
    refusal(entry.path());
  }
  CHECK(files >= 39);
}
