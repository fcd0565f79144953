// SPDX-License-Identifier: MIT
#pragma once
// Writes the files of TensorFlow checkpoints, right or wrong in one place: tables, their blocks, the messages in them.
#include <cstdint>
#include <cstring>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/tensorflow/crc32c.hpp>

namespace tensorflow_files {

using key_value = std::pair<std::string, std::string>;

inline std::string varint(std::uint64_t value) {
  std::string text;
  protozero::add_varint_to_buffer(&text, value);
  return text;
}

inline std::string word(std::uint32_t value) {
  std::string text(4, '\0');
  std::memcpy(text.data(), &value, 4);
  return text;
}

inline std::uint32_t check_sum(std::string_view text) {
  return atrous::masked_crc32c(atrous::crc32c(std::as_bytes(std::span(text))));
}

/// An entry whose key shares so many bytes with the one before.
inline std::string table_entry(std::uint64_t shared, std::string_view rest_of_key, std::string_view value) {
  return varint(shared) + varint(rest_of_key.size()) + varint(value.size()) + std::string(rest_of_key) +
         std::string(value);
}

/// The end of a block: the places of its restart points.
inline std::string restart_points(const std::vector<std::uint32_t>& places) {
  std::string text;
  for (const std::uint32_t place : places) text += word(place);
  return text + word(static_cast<std::uint32_t>(places.size()));
}

/// The contents of a block with these entries, a restart point every `interval` of them.
inline std::string block(const std::vector<key_value>& entries, std::size_t interval = 16) {
  std::string text;
  std::vector<std::uint32_t> places;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& key = entries[i].first;
    std::size_t shared = 0;
    if (i % interval == 0) {
      places.push_back(static_cast<std::uint32_t>(text.size()));
    } else {
      const std::string& before = entries[i - 1].first;
      while (shared < key.size() && shared < before.size() && key[shared] == before[shared]) ++shared;
    }
    text += table_entry(shared, key.substr(shared), entries[i].second);
  }
  if (places.empty()) places.push_back(0);
  return text + restart_points(places);
}

struct table_block {
  std::string contents;
  std::string bound;  // the key that the index gives it
  char type = 0;
};

/// What follows the contents of a block.
inline std::string trailer(std::string_view contents, char type) {
  const std::string checked = std::string(contents) + type;
  return type + word(check_sum(checked));
}

/// A table of these blocks.
inline std::string table(const std::vector<table_block>& blocks) {
  std::string file;
  const auto add = [&file](std::string_view contents, char type) {
    const std::string handle = varint(file.size()) + varint(contents.size());
    file += std::string(contents) + trailer(contents, type);
    return handle;
  };
  std::vector<key_value> index;
  for (const table_block& b : blocks) index.emplace_back(b.bound, add(b.contents, b.type));
  std::string footer = add(block({}), 0);
  footer += add(block(index, 1), 0);
  footer.resize(40);
  return file + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

/// The message of the first entry.
inline std::string header(std::int32_t shards = 1, std::int32_t endianness = 0,
                          std::int32_t least_version = 0) {
  std::string version, text;
  protozero::pbf_writer(version).add_int32(1, 1);
  protozero::pbf_writer(version).add_int32(2, least_version);
  protozero::pbf_writer w(text);
  w.add_int32(1, shards);
  w.add_enum(2, endianness);
  w.add_message(3, version);
  return text;
}

inline std::string shape_message(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) {
    std::string dimension;
    protozero::pbf_writer(dimension).add_int64(1, extent);
    protozero::pbf_writer(text).add_message(2, dimension);
  }
  return text;
}

/// The message of a tensor.
struct tensor_entry {
  std::int32_t dtype = 1;
  std::vector<std::int64_t> shape = {};
  std::int64_t offset = 0, size = 4;
  std::uint32_t sum = 0;
  std::int32_t shard = 0;

  std::string text() const {
    std::string text;
    protozero::pbf_writer w(text);
    w.add_enum(1, dtype);
    w.add_message(2, shape_message(shape));
    w.add_int32(3, shard);
    w.add_int64(4, offset);
    w.add_int64(5, size);
    w.add_fixed32(6, sum);
    return text;
  }
};

/// An index of one block.
inline std::string index(const std::vector<key_value>& tensors, const std::string& first = header()) {
  std::vector<key_value> entries{{"", first}};
  entries.insert(entries.end(), tensors.begin(), tensors.end());
  return table({{block(entries), "\xff", 0}});
}

}  // namespace tensorflow_files
