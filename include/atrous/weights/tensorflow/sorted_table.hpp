// SPDX-License-Identifier: MIT
#pragma once
// Sorted tables of keys and values, the form of the index of TensorFlow's checkpoints: blocks of entries whose keys
// leave out what they share with the key before, each block with a check sum, an index block that tells where the
// others lie, a footer. Every byte of the file must be accounted for, so that no flipped bit goes unseen.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <protozero/exception.hpp>
#include <protozero/varint.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/tensorflow/crc32c.hpp>

namespace atrous {

inline constexpr std::size_t table_footer_bytes = 48;
inline constexpr std::size_t block_trailer_bytes = 5;  // type and check sum
inline constexpr std::uint64_t table_magic = 0xdb4775248b80fb57;

/// The number at the front of some bytes, little-endian. There must be enough of them.
template <class Number>
Number little_endian(std::span<const std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little);
  Number number;
  std::memcpy(&number, bytes.data(), sizeof(Number));
  return number;
}

/// Whether a file ends as sorted tables do.
inline bool is_sorted_table(std::span<const std::byte> file) {
  return file.size() >= table_footer_bytes &&
         little_endian<std::uint64_t>(file.last(sizeof(table_magic))) == table_magic;
}

/// Takes a varint off the front; nothing where there is none, or not in its shortest form.
inline std::optional<std::uint64_t> take_varint(std::span<const std::byte>& bytes) {
  const char* const begin = reinterpret_cast<const char*>(bytes.data());
  const char* at = begin;
  try {
    const std::uint64_t value = protozero::decode_varint(&at, begin + bytes.size());
    if (at - begin != protozero::length_of_varint(value)) return std::nullopt;
    bytes = bytes.subspan(static_cast<std::size_t>(at - begin));
    return value;
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

/// Where the contents of a block lie in the file.
struct block_handle {
  std::uint64_t offset = 0, size = 0;
};

inline std::optional<block_handle> take_handle(std::span<const std::byte>& bytes) {
  const auto offset = take_varint(bytes), size = take_varint(bytes);
  if (!offset || !size) return std::nullopt;
  return block_handle{*offset, *size};
}

/// Reads one table from memory, which must outlive it; `source` is the file's name in messages.
/// Throws std::runtime_error, one line, at the first thing that does not belong.
class sorted_table {
 public:
  sorted_table(std::span<const std::byte> file, std::string_view source) : file_(file), source_(source) {
    if (!is_sorted_table(file)) {
      fail("not a sorted table: expected a footer of 48 bytes that ends in 57fb808b247547db, found none in " +
           std::to_string(file.size()) + " bytes");
    }
    auto footer = file.last(table_footer_bytes).first(table_footer_bytes - sizeof(table_magic));
    const auto metaindex = take_handle(footer), index = take_handle(footer);
    if (!metaindex || !index) fail("footer: expected the places of two blocks, found something else");
    for (const std::byte b : footer) {
      if (b != std::byte{0}) fail("footer: expected zeros behind the places of the blocks, found others");
    }
    metaindex_ = *metaindex;
    index_ = *index;
  }

  /// Calls visit(key, value) for every entry, keys ascending; key and value hold until it returns.
  template <class Visit>
  void read(Visit visit) {
    walk(index_, [&](std::string_view bound, std::span<const std::byte> value) {
      const auto handle = take_handle(value);
      if (!handle || !value.empty()) fail("index block: expected the place of a block, found something else");
      walk_next(*handle, [&](std::string_view key, std::span<const std::byte> found) {
        if (last_ && key.compare(*last_) <= 0) {
          fail("expected ascending keys, found \"" + printable(key) + "\" behind \"" + printable(*last_) +
               "\"");
        }
        visit(key, found);
      });
      if (bound.compare(previous_) < 0) {
        fail("index block: expected a key from \"" + printable(previous_) + "\", found \"" +
             printable(bound) + "\"");
      }
      last_ = bound;
    });
    walk_next(metaindex_, [&](std::string_view key, std::span<const std::byte>) {
      fail("metaindex block: expected no entry, found \"" + printable(key) + "\"");
    });
    walk_next(index_, [](std::string_view, std::span<const std::byte>) {});
    if (end_ != body()) {
      fail("expected blocks of " + std::to_string(body()) + " bytes in all, found " + std::to_string(end_));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(source_) + ": " + what);
  }
  [[noreturn]] void fail(block_handle h, const std::string& what) const {
    fail("block at byte " + std::to_string(h.offset) + ": " + what);
  }

  std::size_t body() const { return file_.size() - table_footer_bytes; }

  /// The contents of a block, after its check sum.
  std::span<const std::byte> contents(block_handle h) const {
    if (h.offset > body() || body() - h.offset < block_trailer_bytes ||
        h.size > body() - h.offset - block_trailer_bytes) {
      fail(h, "expected it and its trailer within " + std::to_string(body()) + " bytes, found " +
                  std::to_string(h.size) + " bytes of contents");
    }
    const auto checked = file_.subspan(h.offset, h.size + 1);  // contents and type
    const auto expected = little_endian<std::uint32_t>(file_.subspan(h.offset + h.size + 1));
    const std::uint32_t found = masked_crc32c(crc32c(checked));
    if (found != expected) fail(h, damaged(expected, found));
    const auto type = std::to_integer<int>(checked.back());
    if (type == 1) fail(h, "expected no compression, found Snappy");
    if (type != 0) fail(h, "expected no compression (0), found type " + std::to_string(type));
    return checked.first(h.size);
  }

  /// Walks the block that must begin where the last one ended.
  template <class Visit>
  void walk_next(block_handle h, Visit visit) {
    if (h.offset != end_) {
      fail("expected a block at byte " + std::to_string(end_) + ", found the next at byte " +
           std::to_string(h.offset));
    }
    walk(h, visit);
    end_ += h.size + block_trailer_bytes;
  }

  /// Calls visit(key, value) for every entry of a block.
  template <class Visit>
  void walk(block_handle h, Visit visit) {
    const auto block = contents(h);
    const auto word = [&block](std::size_t at) { return little_endian<std::uint32_t>(block.subspan(at)); };
    const std::uint64_t restarts = block.size() < 8 ? 0 : word(block.size() - 4);
    if (restarts == 0 || restarts >= block.size() / 4) fail(h, "expected restart points, found none");
    const std::size_t end = block.size() - 4 * (restarts + 1);
    std::string key;
    std::uint64_t next = 0;  // of the restart points
    auto left = block.first(end);
    while (!left.empty()) {
      const bool restart = next < restarts && word(end + 4 * next) == end - left.size();
      if (restart) ++next;
      const auto value = take_entry(h, left, key, restart);
      visit(std::string_view(key), value);
    }
    const bool empty = end == 0 && restarts == 1 && word(0) == 0;
    if (next != restarts && !empty) fail(h, "expected restart points where entries begin, found others");
    previous_ = std::move(key);
  }

  /// Takes an entry off the front and turns the key of the entry before into its own.
  std::span<const std::byte> take_entry(block_handle h, std::span<const std::byte>& left, std::string& key,
                                        bool restart) {
    const bool first = left.data() == file_.data() + h.offset;
    const auto shared = take_varint(left), unshared = take_varint(left), length = take_varint(left);
    if (!shared || !unshared || !length || *unshared > left.size() || *length > left.size() - *unshared)
      fail(h, "expected an entry within the block, found one that leaves it");
    if (*shared > key.size() || (*shared != 0 && restart)) {
      fail(h, "expected a key that shares at most " + std::to_string(restart ? 0 : key.size()) +
                  " bytes with the one before, found " + std::to_string(*shared));
    }
    const std::string_view fresh(reinterpret_cast<const char*>(left.data()), *unshared);
    if (!first && fresh.compare(std::string_view(key).substr(*shared)) <= 0)
      fail(h, "expected ascending keys");
    key.resize(*shared);
    key += fresh;
    // Keys are kept whole by whoever reads them; shared beginnings must not make a small file large.
    constexpr std::uint64_t most_per_byte = 64;
    key_bytes_ += key.size();
    if (key_bytes_ > most_per_byte * file_.size()) {
      fail(h, "expected keys of at most " + std::to_string(most_per_byte * file_.size()) +
                  " bytes in all, found more");
    }
    const auto value = left.subspan(*unshared, *length);
    left = left.subspan(*unshared + *length);
    return value;
  }

  std::span<const std::byte> file_;
  std::string_view source_;
  block_handle metaindex_, index_;
  std::uint64_t end_ = 0;            // of the blocks met so far
  std::uint64_t key_bytes_ = 0;      // of all keys met so far
  std::string previous_;             // the last key of the block walked last
  std::optional<std::string> last_;  // no key of the next block may be as small
};

}  // namespace atrous
