// SPDX-License-Identifier: MIT
#pragma once
// safetensors files: eight bytes of header length, a JSON header, the data. Reading maps the file and checks
// everything the header claims before any tensor is handed out. Writing replaces the file at once or not at
// all.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/replaced_file.hpp>
#include <atrous/weights/safetensors_header.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

/// The longest header, in bytes, that is read or written (the limit of the format's authors).
inline constexpr std::size_t most_header_bytes = 100'000'000;

/// The JSON text of a safetensors file, after the checks of its length.
inline std::string_view safetensors_json(std::span<const std::byte> bytes, std::string_view source) {
  const auto fail = [source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": not a safetensors file: " + what);
  };
  std::uint64_t length = 0;
  if (bytes.size() < sizeof(length)) {
    fail("expected 8 bytes of header length, found " + std::to_string(bytes.size()) + " bytes in all");
  }
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > most_header_bytes) {
    fail("expected a header of at most " + std::to_string(most_header_bytes) + " bytes, found " +
         std::to_string(length));
  }
  if (length > bytes.size() - sizeof(length)) {
    fail("expected a header of " + std::to_string(length) + " bytes, found " +
         std::to_string(bytes.size() - sizeof(length)) + " after its length");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(length), length);
  if (text.empty() || text.front() != '{')
    fail("expected a header that begins with {, found \"" + printable(text.substr(0, 8)) + "\"");
  // The parser takes a zero byte for the end of its input.
  if (text.find('\0') != std::string_view::npos) fail("expected a JSON header, found a zero byte in it");
  return text;
}

/// Checks that the tensors lie in the data one after the other, from the first byte to the last, as the
/// format demands: no overlap, no hole, nothing behind.
inline void check_tiling(const tensor_set& set, std::span<const std::byte> data) {
  std::vector<const stored_tensor*> order;
  order.reserve(set.tensors.size());
  for (const auto& tensor : set.tensors) order.push_back(&tensor);
  const auto place = [](const stored_tensor* tensor) {
    return std::pair(tensor->bytes.data(), tensor->bytes.size());
  };
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return place(a) < place(b); });
  std::size_t end = 0;
  for (const auto* tensor : order) {
    const auto begin = static_cast<std::size_t>(tensor->bytes.data() - data.data());
    if (begin != end) {
      throw tensor_error(set.source, tensor->name,
                         "expected data from byte " + std::to_string(end) + ", found it from " +
                             std::to_string(begin) + (begin < end ? " (an overlap)" : " (a hole)"));
    }
    end += tensor->bytes.size();
  }
  if (end != data.size()) {
    throw std::runtime_error(printable_path(set.source) + ": expected " + std::to_string(end) +
                             " bytes of data, found " + std::to_string(data.size()));
  }
}

/// Reads a safetensors file from memory, which must outlive the result. `source` is its name in messages.
/// Throws std::runtime_error, one line with the file, the tensor, what was expected and what was found.
inline tensor_set read_safetensors(std::span<const std::byte> bytes, std::string source) {
  const auto text = safetensors_json(bytes, source);
  const auto data = bytes.subspan(sizeof(std::uint64_t) + text.size());
  safetensors_header header(source, data);
  nlohmann::json::sax_parse(text.begin(), text.end(), &header);
  auto set = header.take();
  sort_by_name(set);
  check_tiling(set, data);
  return set;
}

/// Reads a safetensors file; the tensors refer to the mapped file, which `keep` holds. Its pages leave memory as models
/// take their weights.
/// Throws std::runtime_error as above, also where the file is missing or empty.
inline tensor_set read_safetensors(const std::filesystem::path& path) {
  auto file = std::make_shared<const mapped_file>(path);
  auto set = read_safetensors(file->bytes(), path.string());
  set.release = [file](std::span<const std::byte> part) { file->release(part); };
  set.keep = std::move(file);
  return set;
}

/// `text` as JSON, quoted. Throws std::invalid_argument where it is not UTF-8.
inline std::string json_text(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument("expected UTF-8, found \"" + printable(text) + "\"");
  }
}

/// The header for tensors in this order, padded with spaces to a multiple of 8 bytes.
inline std::string safetensors_json(std::span<const stored_tensor* const> tensors,
                                    const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  const auto separate = [&text](char first) {
    if (text.back() != first) text += ',';
  };
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [name, value] : metadata) {
      separate('{');
      text += json_text(name) + ":" + json_text(value);
    }
    text += '}';
  }
  std::size_t begin = 0;
  for (const auto* tensor : tensors) {
    separate('{');
    text +=
        json_text(tensor->name) + ":{\"dtype\":\"" + std::string(name_of(tensor->type)) + "\",\"shape\":[";
    for (const std::int64_t extent : tensor->shape) {
      separate('[');
      text += std::to_string(extent);
    }
    const std::size_t end = begin + tensor->elements() * size_of(tensor->type);
    text += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
    begin = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

/// Refuses, with std::invalid_argument, tensors that read_safetensors would not read back.
inline void check_writable(std::span<const stored_tensor* const> sorted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& tensor = *sorted[i];
    const auto fail = [&tensor](const std::string& what) {
      throw std::invalid_argument("tensor \"" + printable(tensor.name) + "\": " + what);
    };
    if (tensor.name.empty()) fail("expected a name, found an empty one");
    if (tensor.name == "__metadata__") fail("expected another name, found the one kept for metadata");
    if (i > 0 && sorted[i - 1]->name == tensor.name) fail("expected each name once, found it twice");
    if (tensor.shape.size() > most_extents)
      fail("expected at most 64 extents, found " + std::to_string(tensor.shape.size()));
    check_elements(tensor, tensor.elements());
  }
}

/// Writes tensors and metadata as a safetensors file, the widest elements first, so that all data is aligned, those of one
/// width by name. The file appears whole, flushed to the
/// disk, or not at all; one that was there stays as it was until then.
/// Throws std::invalid_argument for tensors that cannot be written, std::runtime_error where the system
/// refuses.
inline void write_safetensors(const std::filesystem::path& path, std::span<const stored_tensor> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  std::vector<const stored_tensor*> sorted;
  sorted.reserve(tensors.size());
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](auto a, auto b) { return a->name < b->name; });
  check_writable(sorted);
  std::sort(sorted.begin(), sorted.end(),
            [](auto a, auto b) {  // a stable sort would swallow a failed allocation
              const std::size_t first = size_of(a->type), second = size_of(b->type);
              return first != second ? first > second : a->name < b->name;
            });
  const std::string text = safetensors_json(sorted, metadata);
  const std::uint64_t length = text.size();
  if (length > most_header_bytes)
    throw std::invalid_argument(printable_path(path.string()) + ": expected a header of at most " +
                                std::to_string(most_header_bytes) + " bytes, found " +
                                std::to_string(length));
  replaced_file file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(std::as_bytes(std::span(text)));
  for (const auto* tensor : sorted) {
    if (tensor->strides.empty()) {
      file.write(tensor->bytes);
    } else {
      file.write(row_major_bytes(*tensor));
    }
  }
  file.flush();
  file.commit();
}

}  // namespace atrous
