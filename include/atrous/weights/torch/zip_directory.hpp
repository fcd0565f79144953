// SPDX-License-Identifier: MIT
#pragma once
// The central directory of a zip file, zip64 included: where each record lies, so that tensors can refer to the
// mapped bytes. PyTorch stores records uncompressed; nothing here decompresses, so no record is larger than the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/torch/bytes.hpp>

namespace atrous::pytorch {

/// One record as the central directory describes it; nothing of it has been checked against the file.
struct zip_record {
  std::string_view name;     ///< the directory's own bytes
  std::uint16_t flags = 0;   ///< bit 0: encrypted
  std::uint16_t method = 0;  ///< 0: stored
  std::uint64_t packed = 0;  ///< bytes in the file
  std::uint64_t size = 0;    ///< bytes of the contents
  std::uint64_t offset = 0;  ///< of the local header
};

/// The records of a zip file in memory, which must outlive this and whatever it returns.
/// Members throw std::runtime_error, one line with the file, what was expected and what was found.
class zip_directory {
 public:
  zip_directory(std::span<const std::byte> bytes, std::string_view source) : file_(bytes), source_(source) {
    read_entries(find_directory());
    std::sort(records_.begin(), records_.end(),
              [](const zip_record& a, const zip_record& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(records_.begin(), records_.end(),
                           [](const zip_record& a, const zip_record& b) { return a.name == b.name; });
    if (twice != records_.end()) fail(record_text(*twice) + "expected it once, found it twice");
  }

  /// Sorted by name, each name once.
  std::span<const zip_record> records() const { return records_; }

  /// The record with this name, or null.
  const zip_record* find(std::string_view name) const {
    const auto found = std::lower_bound(
        records_.begin(), records_.end(), name,
        [](const zip_record& record, std::string_view wanted) { return record.name < wanted; });
    return found != records_.end() && found->name == name ? &*found : nullptr;
  }

  /// The bytes of a record, where they lie.
  std::span<const std::byte> contents(const zip_record& record) const {
    const std::string what = record_text(record);
    if ((record.flags & 1) != 0) fail(what + "expected plain contents, found them encrypted");
    if (record.method != 0 || record.packed != record.size) {
      fail(what + "expected it stored without compression, as PyTorch does, found method " +
           std::to_string(record.method) + (record.method == 8 ? " (deflate)" : ""));
    }
    // Sizes in the local header are 0 in PyTorch's files; only its variable lengths count.
    const auto signature = number_at<std::uint32_t>(file_, record.offset);
    const auto name = number_at<std::uint16_t>(file_, record.offset + 26);
    const auto extra = number_at<std::uint16_t>(file_, record.offset + 28);
    if (!signature || !name || !extra || *signature != local_header) {
      fail(what + "expected a local header at byte " + std::to_string(record.offset) + ", found none");
    }
    const std::uint64_t begin = record.offset + 30 + *name + *extra;
    if (begin > file_.size() || record.size > file_.size() - begin) {
      fail(what + "expected its " + std::to_string(record.size) + " bytes from byte " +
           std::to_string(begin) + " within the file of " + std::to_string(file_.size()));
    }
    return file_.subspan(begin, record.size);
  }

 private:
  static constexpr std::uint32_t local_header = 0x04034b50, central_entry = 0x02014b50,
                                 end_record = 0x06054b50, end_record64 = 0x06064b50,
                                 end_locator64 = 0x07064b50;
  static constexpr std::size_t end_bytes = 22, entry_bytes = 46, locator_bytes = 20;

  /// Where the entries lie and how many they are.
  struct extent {
    std::uint64_t count, size, start;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(source_) + ": " + what);
  }

  static std::string record_text(const zip_record& record) {
    return "record \"" + printable(record.name) + "\": ";
  }

  /// A number that the caller knows to lie within the file.
  template <class Number>
  Number at(std::size_t place) const {
    return number_at<Number>(file_, place).value();
  }

  extent find_directory() const {
    const auto nothing = [this] {
      fail("expected a zip file's directory at the end, found none (is the file cut short?)");
    };
    if (file_.size() < end_bytes) nothing();
    const std::size_t last = file_.size() - end_bytes, longest_comment = 65535;
    std::size_t end = last;
    while (at<std::uint32_t>(end) != end_record || at<std::uint16_t>(end + 20) > last - end) {
      if (end == 0 || last - end == longest_comment) nothing();
      --end;
    }
    extent found{at<std::uint16_t>(end + 10), at<std::uint32_t>(end + 12), at<std::uint32_t>(end + 16)};
    if (found.count == 0xffff || found.size == 0xffffffff || found.start == 0xffffffff) {
      found = find_directory64(end).value_or(found);
    }
    if (found.start > end || found.size > end - found.start) {
      fail("expected the zip file's directory within its " + std::to_string(file_.size()) + " bytes, found " +
           std::to_string(found.size) + " bytes from byte " + std::to_string(found.start));
    }
    return found;
  }

  std::optional<extent> find_directory64(std::size_t end) const {
    if (end < locator_bytes || at<std::uint32_t>(end - locator_bytes) != end_locator64) return std::nullopt;
    const auto record = at<std::uint64_t>(end - 12);
    if (record > end || end - record < 56 || at<std::uint32_t>(record) != end_record64) return std::nullopt;
    return extent{at<std::uint64_t>(record + 32), at<std::uint64_t>(record + 40),
                  at<std::uint64_t>(record + 48)};
  }

  void read_entries(const extent& where) {
    const std::size_t end = where.start + where.size;
    const auto damaged = [this](std::size_t place) {
      fail("expected an entry of the zip file's directory at byte " + std::to_string(place) + ", found none");
    };
    std::size_t place = where.start;
    for (std::uint64_t i = 0; i < where.count; ++i) {
      if (end - place < entry_bytes || at<std::uint32_t>(place) != central_entry) damaged(place);
      const std::size_t name = at<std::uint16_t>(place + 28), extra = at<std::uint16_t>(place + 30),
                        comment = at<std::uint16_t>(place + 32);
      if (end - place - entry_bytes < name + extra + comment) damaged(place);
      zip_record record{.name = text_in(file_.subspan(place + entry_bytes, name)),
                        .flags = at<std::uint16_t>(place + 8),
                        .method = at<std::uint16_t>(place + 10),
                        .packed = at<std::uint32_t>(place + 20),
                        .size = at<std::uint32_t>(place + 24),
                        .offset = at<std::uint32_t>(place + 42)};
      widen(record, file_.subspan(place + entry_bytes + name, extra));
      if (record.offset > file_.size()) {
        fail(record_text(record) + "expected it within the file of " + std::to_string(file_.size()) +
             " bytes, found it at byte " + std::to_string(record.offset));
      }
      records_.push_back(record);
      place += entry_bytes + name + extra + comment;
    }
  }

  /// Zip64: the numbers that are all ones stand, in this order, in the extra field 1.
  static void widen(zip_record& record, std::span<const std::byte> extra) {
    while (extra.size() >= 4) {
      const std::size_t length =
          std::min<std::size_t>(number_at<std::uint16_t>(extra, 2).value(), extra.size() - 4);
      if (number_at<std::uint16_t>(extra, 0) == 1) {
        std::size_t place = 0;
        for (std::uint64_t* number : {&record.size, &record.packed, &record.offset}) {
          if (*number != 0xffffffff) continue;
          *number = number_at<std::uint64_t>(extra.subspan(4, length), place).value_or(*number);
          place += 8;
        }
      }
      extra = extra.subspan(4 + length);
    }
  }

  std::span<const std::byte> file_;
  std::string source_;
  std::vector<zip_record> records_;
};

}  // namespace atrous::pytorch
