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
