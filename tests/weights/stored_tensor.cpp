// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>

#include "../support/scratch.hpp"

namespace {

using atrous::element_type;

// What read_floats makes of these numbers, stored one byte off any alignment.
template <class Number, std::size_t Count>
std::vector<float> floats(element_type type, const std::array<Number, Count>& numbers) {
  std::vector<std::byte> bytes(1 + sizeof(numbers));
  std::memcpy(bytes.data() + 1, numbers.data(), sizeof(numbers));
  const atrous::stored_tensor tensor{"x", type, {Count}, std::span(bytes).subspan(1)};
  std::vector<float> out(Count);
  atrous::read_floats(tensor, out);
  return out;
}

// Binary16 by its definition, in double.
double value_of_half(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double fraction = half & 1023;
  const double size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(fraction + 1024, exponent - 25);
  return (half & 0x8000) != 0 ? -size : size;
}

}  // namespace

TEST_CASE("element types have safetensors' names and sizes") {
  for (const char* name :
       {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}) {
    const auto type = atrous::element_type_of(name);
    REQUIRE(type);
    CHECK(atrous::name_of(*type) == name);
    const char bits = name[std::strlen(name) - 1];
    const std::size_t bytes = bits == '4' ? 8 : bits == '2' ? 4 : bits == '6' ? 2 : 1;
    CHECK(atrous::size_of(*type) == bytes);
  }
  CHECK_FALSE(atrous::element_type_of("F33"));
  CHECK_FALSE(atrous::element_type_of(""));
  CHECK_FALSE(atrous::element_type_of("f32"));
}

TEST_CASE("every binary16 becomes the float32 it stands for") {
  for (unsigned half = 0; half < 0x10000; ++half) {
    const float found = atrous::float_of_half(static_cast<std::uint16_t>(half));
    const double expected = value_of_half(half);
    if (std::isnan(expected) ? !std::isnan(found) : found != expected) FAIL_CHECK("binary16 " << half);
    if (std::signbit(found) != ((half & 0x8000) != 0)) FAIL_CHECK("sign of binary16 " << half);
  }
}

TEST_CASE("floats are converted as IEEE says") {
  const auto largest = std::numeric_limits<float>::max();
  const double half_step = std::ldexp(1.0, -24);
  CHECK(floats(element_type::f64, std::array{1.0 + half_step, 1.0 + 3 * half_step, 1e300, -1e-300}) ==
        std::vector<float>{1.0f, 1.0f + 0x1p-22f, INFINITY, -0.0f});
  CHECK(floats(element_type::f32, std::array{0.1f, -largest, 1e-45f}) ==
        std::vector<float>{0.1f, -largest, 1e-45f});
  CHECK(floats(element_type::f16, std::array<std::uint16_t, 3>{0x3c00, 0xfbff, 0x0001}) ==
        std::vector<float>{1.0f, -65504.0f, 0x1p-24f});
  CHECK(floats(element_type::bf16, std::array<std::uint16_t, 3>{0x3f80, 0xc2f7, 0x7f80}) ==
        std::vector<float>{1.0f, -123.5f, INFINITY});
}

TEST_CASE("integers and booleans are converted, rounding to even") {
  CHECK(floats(element_type::i64, std::array<std::int64_t, 3>{-1, 16777217, 16777219}) ==
        std::vector<float>{-1.0f, 16777216.0f, 16777220.0f});
  CHECK(floats(element_type::u64, std::array<std::uint64_t, 1>{~std::uint64_t{0}}) ==
        std::vector<float>{18446744073709551616.0f});
  CHECK(floats(element_type::i32, std::array<std::int32_t, 2>{-2147483647 - 1, 7}) ==
        std::vector<float>{-2147483648.0f, 7.0f});
  CHECK(floats(element_type::u32, std::array<std::uint32_t, 1>{4294967295u}) ==
        std::vector<float>{4294967296.0f});
  CHECK(floats(element_type::i16, std::array<std::int16_t, 1>{-32768}) == std::vector<float>{-32768.0f});
  CHECK(floats(element_type::u16, std::array<std::uint16_t, 1>{65535}) == std::vector<float>{65535.0f});
  CHECK(floats(element_type::i8, std::array<std::int8_t, 2>{-128, 127}) ==
        std::vector<float>{-128.0f, 127.0f});
  CHECK(floats(element_type::u8, std::array<std::uint8_t, 1>{255}) == std::vector<float>{255.0f});
  CHECK(floats(element_type::boolean, std::array<std::uint8_t, 3>{0, 1, 2}) ==
        std::vector<float>{0.0f, 1.0f, 1.0f});
}

TEST_CASE("lengths that disagree are refused, with both") {
  const std::array<float, 4> numbers{};
  const atrous::stored_tensor tensor{"a\nb", element_type::f32, {3, 1}, std::as_bytes(std::span(numbers))};
  std::vector<float> three(3), four(4);
  CHECK(message_of<std::invalid_argument>([&] { atrous::read_floats(tensor, four); }) ==
        "tensor \"a\\x0ab\", 3x1: expected 3 elements, found room for 4");
  CHECK(message_of<std::invalid_argument>([&] { atrous::read_floats(tensor, three); }) ==
        "tensor \"a\\x0ab\", 3x1: expected 12 bytes, found 16");
}

TEST_CASE("strides lead to the elements, row-major") {
  const std::array<float, 7> numbers{0, 1, 2, 3, 4, 5, 6};
  const auto bytes = std::as_bytes(std::span(numbers));
  const auto read = [&](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                        std::size_t reach) {
    const atrous::stored_tensor tensor{"w", element_type::f32, std::move(shape), bytes.first(4 * reach),
                                       std::move(strides)};
    CHECK(atrous::reach_of(tensor) == 4 * reach);
    std::vector<float> out(tensor.elements()), copied(tensor.elements());
    atrous::read_floats(tensor, out);
    const auto raw = atrous::row_major_bytes(tensor);
    REQUIRE(raw.size() == 4 * out.size());
    if (!raw.empty()) std::memcpy(copied.data(), raw.data(), raw.size());
    CHECK(copied == out);
    return out;
  };
  CHECK(read({2, 3}, {}, 6) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(read({3, 2}, {1, 3}, 6) == std::vector<float>{0, 3, 1, 4, 2, 5});  // a transpose
  CHECK(read({2, 2}, {4, 2}, 7) == std::vector<float>{0, 2, 4, 6});        // a window
  CHECK(read({2, 3}, {1, 0}, 2) == std::vector<float>{0, 0, 0, 1, 1, 1});  // an expansion
  CHECK(read({1, 2, 1}, {std::numeric_limits<std::int64_t>::max(), 3, 9}, 4) == std::vector<float>{0, 3});
  CHECK(read({0, 3}, {1, 1}, 0).empty());
  CHECK(read({2, 1, 2}, {3, 1, 1}, 5) == std::vector<float>{0, 1, 3, 4});
  const std::array<std::uint16_t, 4> halves{0x3c00, 0, 0x4000, 0};
  const atrous::stored_tensor half{
      "h", element_type::f16, {2}, std::as_bytes(std::span(halves)).first(6), {2}};
  std::vector<float> two(2);
  atrous::read_floats(half, two);
  CHECK(two == std::vector<float>{1, 2});
}

TEST_CASE("strides that lead elsewhere are refused") {
  const std::array<float, 4> numbers{};
  const auto about = [&](std::vector<std::int64_t> strides, std::size_t bytes) {
    const atrous::stored_tensor tensor{
        "w", element_type::f32, {2, 2}, std::as_bytes(std::span(numbers)).first(bytes), std::move(strides)};
    std::vector<float> out(4);
    const auto message = message_of<std::invalid_argument>([&] { atrous::read_floats(tensor, out); });
    CHECK(message == message_of<std::invalid_argument>([&] { atrous::row_major_bytes(tensor); }));
    return message;
  };
  CHECK(about({2, 1}, 12) == "tensor \"w\", 2x2: expected 16 bytes, found 12");
  CHECK(about({1, 1}, 16) == "tensor \"w\", 2x2: expected 12 bytes, found 16");
  CHECK(about({1}, 16) == "tensor \"w\", 2x2: expected strides that stay in memory, found 1");
  CHECK(about({-2, 1}, 16) == "tensor \"w\", 2x2: expected strides that stay in memory, found -2x1");
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(says(about({most, most}, 16), "that stay in memory"));
}

TEST_CASE("shapes are counted without overflow") {
  using shape = std::vector<std::int64_t>;
  CHECK(atrous::elements_of(shape{}) == 1);
  CHECK(atrous::elements_of(shape{3, 3, 64, 1}) == 576);
  CHECK(atrous::elements_of(shape{3, 0}) == 0);
  CHECK_FALSE(atrous::elements_of(shape{-2, -2}));
  CHECK_FALSE(atrous::elements_of(shape{std::int64_t{1} << 32, std::int64_t{1} << 32}));
  CHECK_FALSE(atrous::elements_of(shape{0, std::int64_t{1} << 62, 4}));
  CHECK_FALSE(atrous::elements_of(shape{4194305, 4194305, 211106198978564}));
  CHECK(atrous::text_of(shape{3, 3, 64, 1}) == "3x3x64x1");
  CHECK(atrous::text_of(shape{}) == "scalar");
  const atrous::stored_tensor impossible{"w", element_type::u8, {-1}, {}};
  CHECK_THROWS_AS(impossible.elements(), std::invalid_argument);
}

TEST_CASE("a set of tensors is searched by name") {
  atrous::tensor_set set{"file", {}, {}, {}};
  for (const char* name : {"b", "a", "c/d", "c"}) set.tensors.push_back({name, element_type::u8, {0}, {}});
  atrous::sort_by_name(set);
  for (const char* name : {"a", "b", "c", "c/d"}) {
    REQUIRE(set.find(name) != nullptr);
    CHECK(set.find(name)->name == name);
  }
  CHECK(set.find("") == nullptr);
  CHECK(set.find("bb") == nullptr);
  CHECK(set.find("d") == nullptr);
  set.tensors.push_back(set.tensors.front());
  CHECK(message_of<std::runtime_error>([&] { atrous::sort_by_name(set); }) ==
        "file: tensor \"a\": expected each name once, found it twice");
  atrous::tensor_set nameless{"file", {{"", element_type::u8, {0}, {}}}, {}, {}};
  CHECK_THROWS_AS(atrous::sort_by_name(nameless), std::runtime_error);
}

TEST_CASE("hostile text is shown harmless") {
  CHECK(atrous::printable("a b\"c") == "a b\"c");
  CHECK(atrous::printable("\x1b[2J\n\r\t\x7f\\") == "\\x1b[2J\\x0a\\x0d\\x09\\x7f\\\\");
  CHECK(atrous::printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(atrous::printable("caf\xc3\xa9 \xe7\xbd\x91 \xf0\x9f\x90\xa6") ==
        "caf\xc3\xa9 \xe7\xbd\x91 \xf0\x9f\x90\xa6");
  CHECK(atrous::printable("\xc2\x9b") == "\\xc2\\x9b");           // a C1 control
  CHECK(atrous::printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // right-to-left override
  CHECK(atrous::printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");  // line separator
  CHECK(atrous::printable("\xc0\xaf\xed\xa0\x80\xc3") == "\\xc0\\xaf\\xed\\xa0\\x80\\xc3");  // not UTF-8
  CHECK(atrous::printable(std::string(1000, 'x')) == std::string(200, 'x') + "...");
}
