// SPDX-License-Identifier: MIT
#pragma once
// Numbers out of bytes that may end early.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atrous::pytorch {

/// The little-endian number at this place, nothing where it does not lie within the bytes.
template <class Number>
std::optional<Number> number_at(std::span<const std::byte> bytes, std::size_t place) {
  static_assert(std::endian::native == std::endian::little, "the files are little-endian");
  if (place > bytes.size() || bytes.size() - place < sizeof(Number)) return std::nullopt;
  Number number;
  std::memcpy(&number, bytes.data() + place, sizeof(Number));
  return number;
}

/// The longest name of a tensor, and key of a storage, in bytes.
inline constexpr std::size_t most_name = 4096;

/// Bytes as text.
inline std::string_view text_in(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads bytes from the first to the last. Members throw std::invalid_argument, with what was expected and found, where
/// the bytes end early.
class byte_reader {
 public:
  explicit byte_reader(std::span<const std::byte> all) : all_(all) {}

  /// How many bytes have been read.
  std::size_t position() const { return position_; }

  std::span<const std::byte> bytes(std::uint64_t count) {
    const std::size_t rest = all_.size() - position_;
    if (count > rest) {
      throw std::invalid_argument("expected " + std::to_string(count) + " more bytes, found " +
                                  std::to_string(rest));
    }
    const auto read = all_.subspan(position_, count);
    position_ += count;
    return read;
  }

  template <class Number>
  Number number() {
    return number_at<Number>(bytes(sizeof(Number)), 0).value();
  }

  /// The text up to a new line, which is read as well.
  std::string_view line() {
    constexpr std::size_t longest = 4096;
    const auto rest = text_in(all_.subspan(position_)).substr(0, longest);
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) throw std::invalid_argument("expected a line, found no end of it");
    position_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  std::span<const std::byte> all_;
  std::size_t position_ = 0;
};

}  // namespace atrous::pytorch
