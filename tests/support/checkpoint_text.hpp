// SPDX-License-Identifier: MIT
#pragma once
// A TensorFlow checkpoint in memory, to be damaged, and what reading it says.
#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/tensorflow/checkpoint.hpp>

#include "scratch.hpp"
#include "tensorflow_files.hpp"

/// The files of a checkpoint as text.
struct checkpoint_text {
  std::string index;
  std::vector<std::string> shards;

  checkpoint_text(std::string made, std::vector<std::string> data)
      : index(std::move(made)), shards(std::move(data)) {}
  explicit checkpoint_text(const std::filesystem::path& prefix, int count = 1)
      : index(contents_of(prefix.string() + ".index")) {
    for (int i = 0; i < count; ++i)
      shards.push_back(contents_of(atrous::tensorflow::shard_name(prefix.string(), i, count)));
  }

  atrous::tensor_set read() const {
    std::vector<std::span<const std::byte>> all;
    for (const std::string& shard : shards) all.push_back(bytes_of(shard));
    return atrous::read_checkpoint(bytes_of(index), all, "bad");
  }

  /// The error of reading and checking everything: one plain line that names a file of the checkpoint.
  std::string refusal() const {
    const auto message = message_of<std::runtime_error>([this] { verify_all(read()); });
    CAPTURE(message);
    CHECK(message.starts_with("bad"));
    CHECK(is_plain_line(message));
    CHECK(message.size() < 600);
    return message;
  }
};

/// What is said of an index, of one shard with eight bytes.
inline std::string refusal_of(const std::string& index, const std::string& shard = std::string(8, '\0')) {
  const auto message = checkpoint_text(index, {shard}).refusal();
  constexpr std::string_view file = "bad.index: ";
  return message.starts_with(file) ? message.substr(file.size()) : message;
}

inline std::string refusal_of(const tensorflow_files::tensor_entry& w) {
  return refusal_of(tensorflow_files::index({{"w", w.text()}}));
}
