// SPDX-License-Identifier: MIT
#pragma once
// CRC32C (Castagnoli), by which TensorFlow's checkpoints protect their blocks and tensors. Sixteen bytes a step by
// tables, so that it runs everywhere at some GB/s.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

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

/// The CRC32C of `bytes`; of more pieces, one after the other, with that of the earlier ones as `before`.
inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  static_assert(std::endian::native == std::endian::little, "words are loaded as they lie");
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t rest = ~before;
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
  return ~rest;
}

/// The form in which files keep a check sum, so that the check sum of bytes that hold check sums is a good one.
constexpr std::uint32_t masked_crc32c(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

}  // namespace atrous
