// SPDX-License-Identifier: MIT
#pragma once
// TensorFlow checkpoints (version 2): PREFIX.index, PREFIX.data-00000-of-00001, ... Reading maps the files and checks
// all of the index; the check sum of a tensor's bytes is left until it is used (tensor_set::verify).
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/tensorflow/bundle.hpp>
#include <atrous/weights/tensorflow/checkpoint_path.hpp>
#include <atrous/weights/tensorflow/crc32c.hpp>

namespace atrous::tensorflow {

/// The bytes of a shard of so many, by its number from 0.
using open_shard = std::function<std::span<const std::byte>(std::int32_t shard, std::int32_t shards)>;

/// The check sum, masked, of a tensor of text: of the lengths, each as a number of 4 or 8 bytes, and of what lies behind them,
/// their own check sum and the characters. Nothing where the bytes are no `elements` pieces of text or the lengths have another.
inline std::optional<std::uint32_t> text_check_sum(std::span<const std::byte> bytes, std::size_t elements) {
  std::uint32_t sum = 0;
  std::uint64_t characters = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    const auto length = take_varint(bytes);
    if (!length || *length > bytes.size()) return std::nullopt;
    characters += *length;
    const std::size_t width = *length > 0xffffffff ? 8 : 4;
    sum = crc32c(std::as_bytes(std::span(&*length, 1)).first(width), sum);
  }
  if (bytes.size() < 4 || bytes.size() - 4 != characters) return std::nullopt;
  if (little_endian<std::uint32_t>(bytes) != masked_crc32c(sum)) return std::nullopt;
  return masked_crc32c(crc32c(bytes, sum));
}

/// Where the bytes of the tensors lie and what their check sums must be. Const once sealed; threads may share it.
class checked_bytes {
 public:
  struct extent {
    std::span<const std::byte> bytes;
    std::string name;
    std::int32_t shard = 0;
    std::size_t elements = 0;
    std::uint32_t check_sum = 0;  // masked
    bool text = false;
  };

  checked_bytes(std::string prefix, std::int32_t shards) : prefix_(std::move(prefix)), shards_(shards) {}

  void add(extent e) { extents_.push_back(std::move(e)); }

  /// Throws std::runtime_error where two tensors share bytes.
  void seal() {
    std::sort(extents_.begin(), extents_.end(),
              [](const extent& a, const extent& b) { return std::less<>()(a.bytes.data(), b.bytes.data()); });
    for (std::size_t i = 1; i < extents_.size(); ++i) {
      const extent &a = extents_[i - 1], &b = extents_[i];
      if (std::less<>()(b.bytes.data(), a.bytes.data() + a.bytes.size())) {
        throw tensor_error(
            shard_name(prefix_, b.shard, shards_), b.name,
            "expected bytes of its own, found an overlap with tensor \"" + printable(a.name) + "\"");
      }
    }
    good_ = std::vector<std::atomic<bool>>(extents_.size());
  }

  /// Checks, once, the tensor that these bytes are, or are a part of. Others are none of this file's.
  void verify(std::span<const std::byte> bytes) const {
    const auto behind = std::upper_bound(
        extents_.begin(), extents_.end(), bytes.data(),
        [](const std::byte* p, const extent& e) { return std::less<>()(p, e.bytes.data()); });
    if (bytes.empty() || behind == extents_.begin()) return;
    const extent& e = *(behind - 1);
    if (!std::less<>()(bytes.data(), e.bytes.data() + e.bytes.size())) return;
    auto& good = good_[static_cast<std::size_t>(behind - 1 - extents_.begin())];
    if (good.load(std::memory_order_relaxed)) return;
    const auto found = e.text ? text_check_sum(e.bytes, e.elements) : masked_crc32c(crc32c(e.bytes));
    if (found != e.check_sum)
      throw tensor_error(shard_name(prefix_, e.shard, shards_), e.name, damaged(e.check_sum, found));
    good.store(true, std::memory_order_relaxed);
  }

 private:
  std::string prefix_;
  std::int32_t shards_;
  std::vector<extent> extents_;                  // by place
  mutable std::vector<std::atomic<bool>> good_;  // as extents_: whether the check sum has been found right
};

/// The tensors of a checkpoint whose index has been read; `open` is called once for every shard that has bytes of one.
inline tensor_set tensors_of(const bundle_index& index, const std::string& prefix, const open_shard& open) {
  tensor_set set;
  set.source = prefix;
  set.container = "TensorFlow checkpoint";
  auto checked = std::make_shared<checked_bytes>(prefix, index.shards);
  std::map<std::int32_t, std::span<const std::byte>> opened;
  for (const bundle_entry& e : index.entries) {
    stored_tensor tensor{e.name, e.type->type.value_or(element_type::u8), e.shape, {}};
    if (e.size > 0) {
      auto shard = opened.find(e.shard);
      if (shard == opened.end()) shard = opened.emplace(e.shard, open(e.shard, index.shards)).first;
      const auto bytes = shard->second;
      if (e.offset > bytes.size() || e.size > bytes.size() - e.offset) {
        throw tensor_error(shard_name(prefix, e.shard, index.shards), e.name,
                           "expected " + std::to_string(e.size) + " bytes from byte " +
                               std::to_string(e.offset) + ", found a file of " +
                               std::to_string(bytes.size()));
      }
      tensor.bytes = bytes.subspan(e.offset, e.size);
      checked->add({tensor.bytes, e.name, e.shard, *elements_of(e.shape), e.check_sum, e.text});
    }
    if (e.type->type) {
      set.tensors.push_back(std::move(tensor));
    } else {
      tensor.shape = {static_cast<std::int64_t>(e.size)};
      set.others.push_back(std::move(tensor));
    }
  }
  checked->seal();
  set.verify = [checked](const stored_tensor& tensor) { checked->verify(tensor.bytes); };
  sort_by_name(set);
  return set;
}

}  // namespace atrous::tensorflow

namespace atrous {

/// Reads a TensorFlow checkpoint from memory, which must outlive the result: its index and all its shards. `prefix` is
/// its name in messages. Throws std::runtime_error, one line with the file, the tensor, what was expected and found.
inline tensor_set read_checkpoint(std::span<const std::byte> index,
                                  std::span<const std::span<const std::byte>> shards, std::string prefix) {
  const auto read = tensorflow::read_bundle_index(index, prefix + ".index");
  return tensorflow::tensors_of(read, prefix, [&](std::int32_t shard, std::int32_t count) {
    if (static_cast<std::size_t>(count) != shards.size()) {
      throw std::runtime_error(printable_path(prefix) + ": expected " + std::to_string(count) +
                               " shards, found " + std::to_string(shards.size()));
    }
    return shards[static_cast<std::size_t>(shard)];
  });
}

/// Reads a TensorFlow checkpoint: PREFIX, PREFIX.index, one of its shards, or a folder that has one. The tensors refer to
/// the mapped shards, which `keep` holds. What is no number (text) is among `others`.
/// Throws std::runtime_error as above, also where a file is missing.
inline tensor_set read_checkpoint(const std::filesystem::path& path) {
  const std::string prefix = tensorflow::checkpoint_prefix(path).string();
  const std::string index_name = prefix + ".index";
  if (!tensorflow::has_index(prefix) && tensorflow::is_table_file(prefix)) {
    throw tensorflow::version_1_error(prefix);
  }
  const mapped_file index_file(index_name);
  const auto index = tensorflow::read_bundle_index(index_file.bytes(), index_name);
  auto files = std::make_shared<std::vector<mapped_file>>();
  auto set = tensorflow::tensors_of(index, prefix, [&](std::int32_t shard, std::int32_t count) {
    return files->emplace_back(tensorflow::shard_name(prefix, shard, count)).bytes();
  });
  set.release = [files](std::span<const std::byte> part) {
    for (const mapped_file& file : *files) file.release(part);
  };
  set.keep = std::move(files);
  return set;
}

}  // namespace atrous
