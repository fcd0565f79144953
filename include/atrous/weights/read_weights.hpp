// SPDX-License-Identifier: MIT
#pragma once
// Weights in whatever format they are: the reader is chosen by what the file holds, not by what it is called.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/safetensors.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/tensorflow/checkpoint.hpp>
#include <atrous/weights/tensorflow/graph_def.hpp>
#include <atrous/weights/torch/torch_file.hpp>

namespace atrous {

/// Whether the bytes begin as a safetensors file does: a length that is allowed, then a JSON object.
inline bool is_safetensors(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  if (bytes.size() <= sizeof(length)) return false;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return length <= most_header_bytes && bytes[sizeof(length)] == std::byte{'{'};
}

/// Reads weights from a file of any known format: safetensors, PyTorch (zip or legacy pickle), TensorFlow frozen graph,
/// or a TensorFlow checkpoint, which may be given as PREFIX, one of its files, or its folder. `container` says which.
/// Throws std::runtime_error, one line with the file, the tensor, what was expected and what was found.
inline tensor_set read_weights(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none) && is_checkpoint(path)) return read_checkpoint(path);
  const mapped_file file(path);
  const auto bytes = file.bytes();
  if (is_safetensors(bytes)) return read_safetensors(path);
  if (pytorch::is_zip(bytes)) return read_torch(path);
  if (is_checkpoint(path)) return read_checkpoint(path);  // its shards begin with any bytes
  if (pytorch::is_pickle(bytes)) return read_torch(path);
  const auto extension = path.extension();
  if (extension == ".safetensors") return read_safetensors(path);  // damaged: its reader says how
  if (is_graph_def(bytes) || extension == ".pb") return read_graph_def(path);
  const auto begin = pytorch::text_in(bytes.first(std::min<std::size_t>(bytes.size(), 8)));
  throw std::runtime_error(
      printable_path(path.string()) +
      ": expected safetensors, a PyTorch file, a TensorFlow checkpoint or frozen graph, found a "
      "file that begins with \"" +
      printable(begin) + "\"");
}

}  // namespace atrous
