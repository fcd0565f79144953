// SPDX-License-Identifier: MIT
#pragma once
// CRC32C (Castagnoli), by which TensorFlow's checkpoints protect their blocks and tensors. Plain C++ that runs everywhere:
// few bytes by tables, many by folding, at some GB/s.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace atrous {

/// Row k: what a byte leaves of the check sum after k more bytes of zeros.
using crc32c_rows = std::array<std::array<std::uint32_t, 256>, 16>;

constexpr crc32c_rows make_crc32c_rows() {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // the lowest bit stands for the highest power
  crc32c_rows rows{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? polynomial : 0);
    rows[0][byte] = rest;
  }
  for (std::size_t k = 1; k < rows.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte)
      rows[k][byte] = (rows[k - 1][byte] >> 8) ^ rows[0][rows[k - 1][byte] & 255];
  }
  return rows;
}

inline constexpr crc32c_rows crc32c_table = make_crc32c_rows();

/// What `bytes` make of the check sum so far, by tables. Neither is inverted.
inline std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t rest) {
  static_assert(std::endian::native == std::endian::little, "words are loaded as they lie");
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  // What the four bytes of a word leave, `zeros` bytes before the end of a step.
  const auto word = [](std::uint32_t w, std::size_t zeros) {
    return crc32c_table[zeros + 3][w & 255] ^ crc32c_table[zeros + 2][w >> 8 & 255] ^
           crc32c_table[zeros + 1][w >> 16 & 255] ^ crc32c_table[zeros][w >> 24];
  };
  for (; left >= 16; left -= 16, at += 16) {
    std::array<std::uint32_t, 4> w;
    std::memcpy(w.data(), at, sizeof(w));
    rest = word(w[0] ^ rest, 12) ^ word(w[1], 8) ^ word(w[2], 4) ^ word(w[3], 0);
  }
  for (; left > 0; --left, ++at)
    rest = (rest >> 8) ^ crc32c_table[0][(rest ^ std::to_integer<unsigned>(*at)) & 255];
  return rest;
}

/// Shortens many bytes to a few of the same check sum. The polynomial divides x^5275 + x^4508 + x^2751 + 1, so also what
/// becomes of it with x^8 for x: a byte may be taken away if it is added (xor) to those 767, 2524 and 5275 places
/// further on.
class crc32c_fold {
 public:
  static constexpr std::size_t window = 5275;

  explicit crc32c_fold(std::uint32_t rest) { std::memcpy(bytes_.data(), &rest, sizeof(rest)); }

  /// Takes bytes away.
  void take(std::span<const std::byte> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const std::size_t count = std::min(bytes.size() - done, chunk);
      std::byte* const out = bytes_.data() + window;
      std::size_t i = 0;
      for (; i + sizeof(block) <= count; i += sizeof(block)) {
        const block sum = load(bytes.data() + done + i) ^ load(out + i - 767) ^ load(out + i - 2524) ^
                          load(out + i - window);
        std::memcpy(out + i, &sum, sizeof(sum));
      }
      for (; i < count; ++i) out[i] = bytes[done + i] ^ out[i - 767] ^ out[i - 2524] ^ out[i - window];
      std::memmove(bytes_.data(), out + count - window, window);
      done += count;
    }
  }

  /// The check sum of all that was taken and the last bytes, which must be `window`.
  std::uint32_t finish(std::span<const std::byte> last) {
    for (std::size_t i = 0; i < window; ++i) {
      std::byte sum = last[i] ^ bytes_[i];
      if (i < 2524) sum ^= bytes_[i + window - 2524];
      if (i < 767) sum ^= bytes_[i + window - 767];
      bytes_[window + i] = sum;
    }
    return crc32c_by_tables(std::span(bytes_).subspan(window, window), 0);
  }

 private:
  using block = std::uint64_t;
  static constexpr std::size_t chunk = 3 * window;

  static block load(const std::byte* at) {
    block b;
    std::memcpy(&b, at, sizeof(b));
    return b;
  }

  std::array<std::byte, window + chunk> bytes_{};  // the last of those taken, then the next
};

/// The CRC32C of `bytes`; of more pieces, one after the other, with that of the earlier ones as `before`.
inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  if (bytes.size() < 4 * crc32c_fold::window) return ~crc32c_by_tables(bytes, ~before);
  const std::size_t most = bytes.size() - crc32c_fold::window;
  crc32c_fold fold(~before);
  fold.take(bytes.first(most));
  return ~fold.finish(bytes.subspan(most));
}

/// The form in which files keep a check sum, so that the check sum of bytes that hold check sums is a good one.
constexpr std::uint32_t masked_crc32c(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

/// What to say of bytes that have another check sum, both masked; nothing where they have none that could be found.
inline std::string damaged(std::uint32_t expected, std::optional<std::uint32_t> found) {
  const auto text = [](std::uint32_t sum) {
    std::string digits = "0x00000000";
    for (std::size_t i = digits.size(); i-- > 2; sum >>= 4) digits[i] = "0123456789abcdef"[sum & 15];
    return digits;
  };
  return "expected check sum " + text(expected) + ", found " + (found ? text(*found) : "none") +
         ": the file is damaged";
}

}  // namespace atrous
