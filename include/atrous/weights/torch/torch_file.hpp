// SPDX-License-Identifier: MIT
#pragma once
// PyTorch files (.pth, .pt, .ckpt, .pth.tar, .bin), read without PyTorch and without executing anything. Tensors refer
// to the mapped file.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/torch/bytes.hpp>
#include <atrous/weights/torch/class_names.hpp>
#include <atrous/weights/torch/pickle_value.hpp>
#include <atrous/weights/torch/state_dict.hpp>
#include <atrous/weights/torch/torch_legacy.hpp>
#include <atrous/weights/torch/torch_zip.hpp>

namespace atrous::pytorch {

/// Tensors may show one storage several times, or one element many times; all together, row-major, may be this many
/// times as large as their file.
inline constexpr std::size_t most_expansion = 16;

inline bool is_zip(std::span<const std::byte> bytes) { return text_in(bytes).starts_with("PK\3\4"); }
/// Whether a pickle of protocol 2 or later begins here.
inline bool is_pickle(std::span<const std::byte> bytes) {
  return bytes.size() > 1 && bytes[0] == std::byte{0x80} && bytes[1] >= std::byte{2} &&
         bytes[1] <= std::byte{5};
}

/// Makes the tensors of a state dict. Throws std::runtime_error, naming file and tensor.
class torch_tensors {
 public:
  torch_tensors(const pickled& object, std::string_view source) : object_(object), source_(source) {}

  /// Every tensor of the dictionary, sorted by name. Plain values beside them (a counter, None, text) are left out; a
  /// value that only a call could make is an error.
  std::vector<stored_tensor> all_of(const pickle_container& dictionary) const {
    std::map<std::string_view, pickle_index> entries;  // of a name that is set again the later value
    object_.each_pair(dictionary, [&](pickle_index key, pickle_index value) {
      const auto name = object_.text(key);
      if (!name) return;
      if (name->size() > most_name) {
        fail(*name, "expected a name of at most " + std::to_string(most_name) + " bytes, found " +
                        std::to_string(name->size()));
      }
      entries.insert_or_assign(*name, value);
    });
    std::vector<stored_tensor> out;
    for (const auto& [name, value] : entries) {
      if (object_.as<pickle_opaque>(value) != nullptr || object_.as<pickle_global>(value) != nullptr) {
        fail(name, "expected a tensor, found " + object_.description(value));
      }
      if (const auto* tensor = object_.as<pickle_tensor>(value)) out.push_back(made(name, *tensor));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(std::string_view name, const std::string& what) const {
    throw tensor_error(source_, name, what);
  }

  std::vector<std::int64_t> integers(std::string_view name, pickle_index value,
                                     const std::string& what) const {
    const auto* tuple = object_.container(value, pickle_form::tuple);
    if (tuple == nullptr) fail(name, "expected a tuple as " + what + ", found " + object_.description(value));
    if (tuple->count > most_extents) {
      fail(name, "expected at most " + std::to_string(most_extents) + " extents, found " +
                     std::to_string(tuple->count));
    }
    std::vector<std::int64_t> out;
    for (const pickle_index element : object_.elements(*tuple)) out.push_back(natural(name, element, what));
    return out;
  }

  std::int64_t natural(std::string_view name, pickle_index value, const std::string& what) const {
    const auto* integer = object_.as<pickle_integer>(value);
    if (integer != nullptr && integer->value >= 0) return integer->value;
    fail(name, "expected whole numbers from 0 to 2^63 - 1 as " + what + ", found " +
                   (integer != nullptr ? std::to_string(integer->value) : object_.description(value)));
  }

  stored_tensor made(std::string_view name, const pickle_tensor& which) const {
    const torch_tensor& tensor = object_.tensors[which.place];
    const torch_storage& storage = object_.storages[tensor.storage];
    stored_tensor out{std::string(name), *storage.type, integers(name, tensor.shape, "shape"), {}};
    out.strides = integers(name, tensor.strides, "strides");
    if (out.shape.size() != out.strides.size()) {
      fail(name, "expected a stride for each of " + std::to_string(out.shape.size()) + " extents, found " +
                     std::to_string(out.strides.size()));
    }
    const std::size_t size = size_of(out.type), most = std::numeric_limits<std::int64_t>::max() / size;
    if (elements_of(out.shape).value_or(most) >= most) {
      fail(name, "expected a shape that fits into memory, found " + printable(text_of(out.shape), 100));
    }
    const auto offset = static_cast<std::size_t>(natural(name, tensor.offset, "offset"));
    const auto reach = reach_of(out);
    if (!reach || offset > storage.count || *reach / size > storage.count - offset) {
      fail(name, "expected it within its storage of " + std::to_string(storage.count) + " elements, found " +
                     printable(text_of(out.shape), 100) + " with strides " +
                     printable(text_of(out.strides), 100) + " from element " + std::to_string(offset));
    }
    out.bytes = storage.bytes.subspan(offset * size, *reach);
    if (is_row_major(out.shape, out.strides)) out.strides.clear();
    return out;
  }

  const pickled& object_;
  std::string_view source_;
};

/// Refuses tensors that are far larger than their file: a few bytes can be shown as any number of elements.
inline void check_expansion(const tensor_set& set, std::size_t file_bytes) {
  std::size_t left = file_bytes > std::numeric_limits<std::size_t>::max() / most_expansion
                         ? std::numeric_limits<std::size_t>::max()
                         : file_bytes * most_expansion;
  for (const stored_tensor& tensor : set.tensors) {
    const std::size_t size = size_of(tensor.type);
    if (tensor.elements() > left / size) {
      throw tensor_error(set.source, tensor.name,
                         printable(text_of(tensor.shape), 100) + ": expected tensors of at most " +
                             std::to_string(most_expansion) + " times the " + std::to_string(file_bytes) +
                             " bytes of their file, found more");
    }
    left -= tensor.elements() * size;
  }
}

}  // namespace atrous::pytorch

namespace atrous {

/// Reads a PyTorch file, zip or legacy, from memory, which must outlive the result. `source` is its name in messages.
/// The state dict is the root or lies under one of pytorch::state_dict_keys (metadata "state dict" says which);
/// prefixes that all names have are taken off (metadata "prefix" says which). Names and colours of classes become metadata.
/// Throws std::runtime_error, one line with the file, the tensor, what was expected and what was found.
inline tensor_set read_torch(std::span<const std::byte> bytes, std::string source) {
  tensor_set set;
  set.source = std::move(source);
  const auto fail = [&set](const std::string& what) {
    throw std::runtime_error(printable_path(set.source) + ": " + what);
  };
  const bool zip = pytorch::is_zip(bytes);
  if (!zip && !pytorch::is_pickle(bytes)) {
    fail("expected a PyTorch file, a zip or a pickle, found one that begins with \"" +
         printable(pytorch::text_in(bytes).substr(0, 8)) + "\"");
  }
  set.container = zip ? "PyTorch zip" : "PyTorch legacy pickle";
  const pytorch::pickled object =
      zip ? pytorch::read_torch_zip(bytes, set.source) : pytorch::torch_legacy(bytes, set.source).read();
  const auto place = pytorch::find_state_dict(object, object.root);
  if (!place) {
    fail("expected a state dict, a dictionary of tensors, found " +
         pytorch::instead_of_state_dict(object, object.root));
  }
  set.tensors = pytorch::torch_tensors(object, set.source).all_of(*place->dictionary);
  set.metadata = pytorch::class_metadata(object);
  if (!place->path.empty()) set.metadata["state dict"] = place->path;
  if (auto prefix = pytorch::strip_prefixes(set.tensors); !prefix.empty())
    set.metadata["prefix"] = std::move(prefix);
  sort_by_name(set);
  pytorch::check_expansion(set, bytes.size());
  return set;
}

/// Reads a PyTorch file; the tensors refer to the mapped file, which `keep` holds. Its pages leave memory as models
/// take their weights. Throws std::runtime_error as above, also where the file is missing or empty.
inline tensor_set read_torch(const std::filesystem::path& path) {
  auto file = std::make_shared<const mapped_file>(path);
  auto set = read_torch(file->bytes(), path.string());
  set.release = [file](std::span<const std::byte> part) { file->release(part); };
  set.keep = std::move(file);
  return set;
}

}  // namespace atrous
