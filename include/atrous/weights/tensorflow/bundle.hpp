// SPDX-License-Identifier: MIT
#pragma once
// The index of a TensorFlow checkpoint (version 2, a "tensor bundle"): what it says about every tensor, checked as far
// as that goes without the data.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/tensorflow/messages.hpp>
#include <atrous/weights/tensorflow/sorted_table.hpp>

namespace atrous::tensorflow {

/// What is said of the old format, wherever it is met.
inline std::runtime_error version_1_error(std::string_view source) {
  return std::runtime_error(
      printable_path(source) +
      ": expected a version 2 checkpoint (PREFIX.index and PREFIX.data-00000-of-00001), found one of version "
      "1 "
      "(a single file); TensorFlow's Saver writes version 2 after it has restored this one");
}

/// A tensor of the index.
struct bundle_entry {
  std::string name;
  const data_type* type = nullptr;
  std::vector<std::int64_t> shape;
  std::int32_t shard = 0;
  std::uint64_t offset = 0, size = 0;  // of the bytes in the shard
  std::uint32_t check_sum = 0;         // masked
  bool text = false;
};

/// The tensors of an index, by ascending name.
struct bundle_index {
  std::int32_t shards = 0;
  std::vector<bundle_entry> entries;
};

/// What the message of an entry (BundleEntryProto) holds, unchecked.
struct entry_message {
  std::int32_t code = 0, shard = 0, slices = 0;
  std::optional<std::vector<std::int64_t>> shape = std::vector<std::int64_t>();
  std::int64_t offset = 0, size = 0;
  std::uint32_t check_sum = 0;
};

inline entry_message read_entry(protozero::pbf_reader message) {
  entry_message e;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint_field(1):
        e.code = message.get_int32();
        break;
      case bytes_field(2):
        e.shape = shape_in(message.get_message());
        break;
      case varint_field(3):
        e.shard = message.get_int32();
        break;
      case varint_field(4):
        e.offset = message.get_int64();
        break;
      case varint_field(5):
        e.size = message.get_int64();
        break;
      case fixed32_field(6):
        e.check_sum = message.get_fixed32();
        break;
      case bytes_field(7):
        ++e.slices;
        message.skip();
        break;
      default:
        message.skip();
    }
  }
  return e;
}

/// The least version of readers that a VersionDef asks for.
inline std::int32_t least_version_in(protozero::pbf_reader message) {
  std::int32_t least = 0;
  while (message.next()) {
    if (message.tag_and_type() == varint_field(2)) {
      least = message.get_int32();
    } else {
      message.skip();
    }
  }
  return least;
}

/// Collects what the index says, entry by entry. Throws std::runtime_error at the first thing that does not belong.
class bundle_index_reader {
 public:
  explicit bundle_index_reader(std::string_view source) : source_(source) {}

  void add(std::string_view key, std::span<const std::byte> value) {
    if (key.empty()) {
      reading(source_, "header", [&] { header(message_in(value)); });
    } else if (index_.shards == 0) {
      fail("expected a header before the tensors, found none");
    } else if (key.front() == '\0') {
      sliced_ = true;  // a part of a variable, which is named among the others
    } else {
      reading(source_, "tensor \"" + printable(key) + "\"",
              [&] { entry(key, read_entry(message_in(value))); });
    }
  }

  bundle_index take() {
    if (index_.shards == 0) fail("expected the header of a checkpoint, found none");
    if (sliced_) fail("expected every variable whole, found slices of a partitioned one without its name");
    return std::move(index_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(source_) + ": " + what);
  }

  void header(protozero::pbf_reader message) {
    std::int32_t shards = 0, endianness = 0, least_version = 0;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
          shards = message.get_int32();
          break;
        case bytes_field(1):
          throw version_1_error(source_);
        case varint_field(2):
          endianness = message.get_int32();
          break;
        case bytes_field(3):
          least_version = least_version_in(message.get_message());
          break;
        default:
          message.skip();
      }
    }
    if (endianness != 0) {
      fail(endianness == 1 ? "expected little-endian numbers, found big-endian ones"
                           : "expected little-endian numbers (0), found " + std::to_string(endianness));
    }
    if (least_version > 1) {
      fail("expected a checkpoint for readers of version 1, found one for version " +
           std::to_string(least_version));
    }
    if (shards < 1) fail("expected at least one shard, found " + std::to_string(shards));
    index_.shards = shards;
  }

  void entry(std::string_view name, const entry_message& found) {
    const auto fail_here = [&](const std::string& what) { throw tensor_error(source_, name, what); };
    if (found.slices > 0) {
      fail_here("expected a whole variable, found a partitioned one, saved in " +
                std::to_string(found.slices) + " slices; save it without a partitioner");
    }
    const data_type* const type = data_type_of(found.code);
    if (type == nullptr) fail_here("expected a known dtype, found " + std::to_string(found.code));
    if (found.code == resource_code || found.code == variant_code) {
      fail_here("expected numbers or text, found dtype " + std::string(type->name));
    }
    if (!found.shape) fail_here("expected a shape, found one of unknown rank");
    if (found.shape->size() > most_extents) {
      fail_here("expected at most " + std::to_string(most_extents) + " extents, found " +
                std::to_string(found.shape->size()));
    }
    if (found.shard < 0 || found.shard >= index_.shards) {
      fail_here("expected one of " + std::to_string(index_.shards) + " shards, found shard " +
                std::to_string(found.shard));
    }
    if (found.offset < 0 || found.size < 0) {
      fail_here("expected an offset and a size from 0, found " + std::to_string(found.offset) + " and " +
                std::to_string(found.size));
    }
    const bundle_entry e{std::string(name),
                         type,
                         *found.shape,
                         found.shard,
                         static_cast<std::uint64_t>(found.offset),
                         static_cast<std::uint64_t>(found.size),
                         found.check_sum,
                         found.code == string_code};
    check_size(e);
    index_.entries.push_back(e);
  }

  void check_size(const bundle_entry& e) const {
    const std::string text = std::string(e.type->name) + " " + printable(atrous::text_of(e.shape), 100);
    const auto expected = bytes_of_shape(e.shape, e.type->type.value_or(element_type::u8));
    if (!expected)
      throw tensor_error(source_, e.name, "expected a shape that fits into memory, found " + text);
    if (!e.type->type || *expected == e.size) return;  // text has any size
    throw tensor_error(
        source_, e.name,
        text + ": expected " + std::to_string(*expected) + " bytes, found " + std::to_string(e.size));
  }

  std::string_view source_;
  bundle_index index_;
  bool sliced_ = false;
};

/// Reads PREFIX.index from memory; every byte of it is verified. Throws std::runtime_error, one line that names
/// `source`.
inline bundle_index read_bundle_index(std::span<const std::byte> file, std::string_view source) {
  sorted_table table(file, source);
  bundle_index_reader reader(source);
  table.read([&](std::string_view key, std::span<const std::byte> value) { reader.add(key, value); });
  return reader.take();
}

}  // namespace atrous::tensorflow
