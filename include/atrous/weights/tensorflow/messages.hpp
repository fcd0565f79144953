// SPDX-License-Identifier: MIT
#pragma once
// What TensorFlow's checkpoints and graphs say about a tensor in the same words: its element type and its shape.
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous::tensorflow {

/// One of TensorFlow's element types; `type` where the elements are numbers that a network can take.
struct data_type {
  std::string_view name;
  std::optional<element_type> type = {};
};

/// A row for every code of DataType (types.proto), from 0.
inline constexpr std::array<data_type, 24> data_types{{{"none"},
                                                       {"float", element_type::f32},
                                                       {"double", element_type::f64},
                                                       {"int32", element_type::i32},
                                                       {"uint8", element_type::u8},
                                                       {"int16", element_type::i16},
                                                       {"int8", element_type::i8},
                                                       {"string"},
                                                       {"complex64"},
                                                       {"int64", element_type::i64},
                                                       {"bool", element_type::boolean},
                                                       {"qint8"},
                                                       {"quint8"},
                                                       {"qint32"},
                                                       {"bfloat16", element_type::bf16},
                                                       {"qint16"},
                                                       {"quint16"},
                                                       {"uint16", element_type::u16},
                                                       {"complex128"},
                                                       {"half", element_type::f16},
                                                       {"resource"},
                                                       {"variant"},
                                                       {"uint32", element_type::u32},
                                                       {"uint64", element_type::u64}}};

inline constexpr std::int32_t string_code = 7, resource_code = 20, variant_code = 21;

/// The row of a code, or null.
constexpr const data_type* data_type_of(std::int32_t code) {
  return code > 0 && code < static_cast<std::int32_t>(data_types.size())
             ? &data_types[static_cast<std::size_t>(code)]
             : nullptr;
}

/// Fields of a message, told by their number and how they are encoded: what is encoded otherwise is another field.
constexpr std::uint32_t varint_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
constexpr std::uint32_t bytes_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}
constexpr std::uint32_t fixed32_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed32);
}
constexpr std::uint32_t fixed64_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed64);
}

inline protozero::pbf_reader message_in(std::span<const std::byte> bytes) {
  return protozero::pbf_reader(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline std::string_view text_of(protozero::data_view view) { return {view.data(), view.size()}; }

/// Runs `work`, which reads messages, and turns the errors of their encoding into "FILE: WHAT: ...".
template <class Work>
void reading(std::string_view source, const std::string& what, Work work) {
  try {
    work();
  } catch (const protozero::exception& error) {
    throw std::runtime_error(printable_path(source) + ": " + what +
                             ": expected a protocol buffer message, found a damaged one (" + error.what() +
                             ")");
  }
}

/// The extents of a TensorShapeProto; nothing where it leaves them open.
inline std::optional<std::vector<std::int64_t>> shape_in(protozero::pbf_reader message) {
  std::vector<std::int64_t> shape;
  bool open = false;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes_field(2): {
        auto extent = message.get_message();
        shape.push_back(0);
        while (extent.next()) {
          if (extent.tag_and_type() == varint_field(1)) {
            shape.back() = extent.get_int64();
          } else {
            extent.skip();
          }
        }
        break;
      }
      case varint_field(3):
        open = message.get_bool();
        break;
      default:
        message.skip();
    }
  }
  if (open) return std::nullopt;
  return shape;
}

/// The bytes that a tensor of this shape takes; nothing where it is impossible.
inline std::optional<std::size_t> bytes_of_shape(std::span<const std::int64_t> shape, element_type type) {
  const auto elements = elements_of(shape);
  const std::size_t size = size_of(type);
  if (!elements || *elements > std::numeric_limits<std::size_t>::max() / size) return std::nullopt;
  return *elements * size;
}

}  // namespace atrous::tensorflow
