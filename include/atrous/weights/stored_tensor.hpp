// SPDX-License-Identifier: MIT
#pragma once
// A tensor as a file holds it (name, element type, shape, bytes) and a set of them: what every reader of
// weights returns, whatever the format. Bytes stay where the file is mapped; nothing is copied or converted
// until a parameter asks for floats.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/printable.hpp>

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

/// The number of elements of a shape; nothing where an extent is negative or the extents that are not zero
/// multiply to more than 2^63 - 1.
constexpr std::optional<std::size_t> elements_of(std::span<const std::int64_t> shape) {
  std::int64_t product = 1;
  bool none = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    none = none || extent == 0;
    if (extent > 0 && product > std::numeric_limits<std::int64_t>::max() / extent) return std::nullopt;
    product *= std::max<std::int64_t>(extent, 1);
  }
  return none ? 0 : static_cast<std::size_t>(product);
}

/// A shape as messages show it: "3x3x64x1", "scalar" when it has no extents.
inline std::string text_of(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t extent : shape) text.append(text.empty() ? "" : "x").append(std::to_string(extent));
  return text.empty() ? "scalar" : text;
}

/// A tensor as its file holds it, little-endian, row-major. `bytes` belong to whoever made it (see
/// tensor_set::keep) and need no alignment.
struct stored_tensor {
  std::string name;
  element_type type = element_type::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  /// The number of elements that the shape tells. Throws std::invalid_argument for an impossible shape.
  std::size_t elements() const {
    const auto count = elements_of(shape);
    if (!count) {
      throw std::invalid_argument("tensor \"" + printable(name) +
                                  "\": expected a shape that fits into memory, found " + text_of(shape));
    }
    return *count;
  }
};

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

template <class Stored, class Convert>
void convert_elements(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored element;
    std::memcpy(&element, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(element);
  }
}

/// Converts every element to float32, rounding to nearest even where float32 is narrower (a binary64 beyond
/// its range becomes infinity); a boolean becomes 0 or 1.
/// Throws std::invalid_argument where `out` or the bytes have another length than the shape tells.
inline void read_floats(const stored_tensor& tensor, std::span<float> out) {
  static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");
  const std::size_t count = tensor.elements();
  const auto expect = [&tensor](std::size_t expected, std::size_t found, const char* what) {
    if (expected == found) return;
    throw std::invalid_argument("tensor \"" + printable(tensor.name) + "\", " + text_of(tensor.shape) +
                                ": expected " + std::to_string(expected) + what + std::to_string(found));
  };
  expect(count, out.size(), " elements, found room for ");
  expect(count * size_of(tensor.type), tensor.bytes.size(), " bytes, found ");
  const auto plain = [](auto element) { return static_cast<float>(element); };
  const auto bytes = tensor.bytes;
  switch (tensor.type) {
    case element_type::f64:
      return convert_elements<double>(bytes, out, plain);
    case element_type::f32:
      if (count > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case element_type::f16:
      return convert_elements<std::uint16_t>(bytes, out, float_of_half);
    case element_type::bf16:
      return convert_elements<std::uint16_t>(bytes, out, float_of_brain);
    case element_type::i64:
      return convert_elements<std::int64_t>(bytes, out, plain);
    case element_type::i32:
      return convert_elements<std::int32_t>(bytes, out, plain);
    case element_type::i16:
      return convert_elements<std::int16_t>(bytes, out, plain);
    case element_type::i8:
      return convert_elements<std::int8_t>(bytes, out, plain);
    case element_type::u64:
      return convert_elements<std::uint64_t>(bytes, out, plain);
    case element_type::u32:
      return convert_elements<std::uint32_t>(bytes, out, plain);
    case element_type::u16:
      return convert_elements<std::uint16_t>(bytes, out, plain);
    case element_type::u8:
      return convert_elements<std::uint8_t>(bytes, out, plain);
    case element_type::boolean:
      return convert_elements<std::uint8_t>(bytes, out, [](std::uint8_t b) { return b != 0 ? 1.0f : 0.0f; });
  }
}

/// The tensors of one file of weights, sorted by name, each name once.
struct tensor_set {
  std::string source;                           ///< the file's name, for messages
  std::vector<stored_tensor> tensors;           ///< sorted by name
  std::map<std::string, std::string> metadata;  ///< what the file says about itself
  std::shared_ptr<const void> keep;             ///< owns the bytes; empty where the caller does

  /// Told of bytes that have been read and need not stay in memory, by any thread; empty where nobody wants to know.
  std::function<void(std::span<const std::byte>)> release = {};

  /// The tensor with this name, or null. Logarithmic in the number of tensors.
  const stored_tensor* find(std::string_view name) const {
    const auto found = std::lower_bound(
        tensors.begin(), tensors.end(), name,
        [](const stored_tensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return found != tensors.end() && found->name == name ? &*found : nullptr;
  }
};

/// The error of a reader about one tensor of a file: "FILE: tensor "NAME": WHAT", on one line.
inline std::runtime_error tensor_error(std::string_view source, std::string_view name,
                                       const std::string& what) {
  return std::runtime_error(printable_path(source) + ": tensor \"" + printable(name) + "\": " + what);
}

/// Puts the tensors in the order that tensor_set promises. Throws std::runtime_error where a name is empty
/// or comes twice.
inline void sort_by_name(tensor_set& set) {
  auto& tensors = set.tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const stored_tensor& a, const stored_tensor& b) { return a.name < b.name; });
  if (!tensors.empty() && tensors.front().name.empty()) {
    throw tensor_error(set.source, "", "expected a name, found an empty one");
  }
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const stored_tensor& a, const stored_tensor& b) { return a.name == b.name; });
  if (twice != tensors.end()) {
    throw tensor_error(set.source, twice->name, "expected each name once, found it twice");
  }
}

}  // namespace atrous
