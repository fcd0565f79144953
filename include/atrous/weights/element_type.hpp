// SPDX-License-Identifier: MIT
#pragma once
// The types of number that weights are stored in, their names and sizes, and the floats that the short ones stand for.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atrous {

/// The type of one stored number. `f16` is IEEE binary16, `bf16` the upper half of a binary32.
enum class element_type { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

/// How an element type is spelt by safetensors, and the bytes it takes.
struct element_format {
  std::string_view name;
  std::size_t bytes;
};

/// One row for every element_type, in its order.
inline constexpr std::array<element_format, 13> element_formats{{{"F64", 8},
                                                                 {"F32", 4},
                                                                 {"F16", 2},
                                                                 {"BF16", 2},
                                                                 {"I64", 8},
                                                                 {"I32", 4},
                                                                 {"I16", 2},
                                                                 {"I8", 1},
                                                                 {"U64", 8},
                                                                 {"U32", 4},
                                                                 {"U16", 2},
                                                                 {"U8", 1},
                                                                 {"BOOL", 1}}};

/// Bytes of one element.
constexpr std::size_t size_of(element_type type) {
  return element_formats[static_cast<std::size_t>(type)].bytes;
}

/// The name safetensors uses: "F32", "BF16", "BOOL", ...
constexpr std::string_view name_of(element_type type) {
  return element_formats[static_cast<std::size_t>(type)].name;
}

/// The element type with this safetensors name, if there is one.
constexpr std::optional<element_type> element_type_of(std::string_view name) {
  for (std::size_t i = 0; i < element_formats.size(); ++i) {
    if (element_formats[i].name == name) return static_cast<element_type>(i);
  }
  return std::nullopt;
}

/// The float32 that a binary16 stands for, exactly.
constexpr float float_of_half(std::uint16_t half) {
  const std::uint32_t bits = half;
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31u;
  const std::uint32_t fraction = bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

/// The float32 that a bfloat16 stands for, exactly.
constexpr float float_of_brain(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

}  // namespace atrous
