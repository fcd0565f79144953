// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <string>

#include <atrous/weights/tensorflow/crc32c.hpp>

#include "../support/scratch.hpp"

namespace {

std::uint32_t sum_of(std::string_view text) { return atrous::crc32c(bytes_of(text)); }

// Bit by bit, as the definition says.
std::uint32_t slow_sum(std::string_view text) {
  std::uint32_t rest = 0xffffffff;
  for (const char c : text) {
    rest ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~rest;
}

}  // namespace

TEST_CASE("the published check sums are found") {
  CHECK(sum_of("") == 0);
  CHECK(sum_of("123456789") == 0xe3069283);
  CHECK(sum_of(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(sum_of(std::string(32, '\xff')) == 0x62a8ab43);
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
    descending += static_cast<char>(31 - i);
  }
  CHECK(sum_of(ascending) == 0x46dd794e);
  CHECK(sum_of(descending) == 0x113fdb5c);
  CHECK(atrous::masked_crc32c(0xe3069283) == 0xc78ab0e5);
}

TEST_CASE("check sums of any length and place are those of the definition") {
  std::string text;
  for (unsigned i = 0; i < 200; ++i) text += static_cast<char>(i * 151 + i / 7);
  for (std::size_t from = 0; from < 20; ++from) {
    for (std::size_t size = 0; size + from <= text.size(); ++size) {
      const auto part = std::string_view(text).substr(from, size);
      if (sum_of(part) != slow_sum(part)) FAIL_CHECK(size << " bytes from " << from);
      const auto begin = bytes_of(part.substr(0, size / 3)), end = bytes_of(part.substr(size / 3));
      if (atrous::crc32c(end, atrous::crc32c(begin)) != slow_sum(part)) FAIL_CHECK("two parts of " << size);
    }
  }
}

TEST_CASE("many bytes have the check sum of the definition, too") {
  constexpr std::size_t window = atrous::crc32c_fold::window;
  std::string text;
  for (unsigned i = 0; i < 11 * window; ++i) text += static_cast<char>(i * 151 + i / 7 + i / 1021);
  for (const std::size_t windows : {4, 7, 10}) {
    for (const std::size_t size : {windows * window - 1, windows * window, windows * window + 1,
                                   windows * window + 7, windows * window + 8, windows * window + 4000}) {
      const auto part = std::string_view(text).substr(1, size);
      const std::uint32_t expected = slow_sum(part);
      CHECK(sum_of(part) == expected);
      CHECK(atrous::crc32c(bytes_of(part.substr(5)), sum_of(part.substr(0, 5))) == expected);
      CHECK(atrous::crc32c(bytes_of(part.substr(size - 5)), sum_of(part.substr(0, size - 5))) == expected);
    }
  }
}
