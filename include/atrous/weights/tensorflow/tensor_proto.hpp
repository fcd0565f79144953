// SPDX-License-Identifier: MIT
#pragma once
// The tensor of a Const node (TensorProto), as far as it can be a weight: floating-point numbers, as bytes or as a list
// whose last number stands for all that follow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/tensorflow/messages.hpp>

namespace atrous::tensorflow {

/// Numbers that had to be put together. What repeated numbers may take in all is bounded: a file of a few bytes can ask
/// for any amount.
struct tensor_memory {
  std::deque<std::vector<std::byte>> parts;
  std::size_t room = std::size_t{64} << 20;  // bytes
};

/// Makes numbers of `one` byte each as many as take `bytes`: the last one stands for all that follow, 0 for none.
inline void repeat_last(std::vector<std::byte>& numbers, std::size_t bytes, std::size_t one) {
  const std::size_t last = numbers.empty() ? 0 : numbers.size() - one;
  numbers.resize(bytes);
  for (std::size_t done = last + one; done < bytes;) {
    const std::size_t more = std::min(done - last, bytes - done);
    std::memcpy(numbers.data() + done, numbers.data() + last, more);
    done += more;
  }
}

/// The fields of a TensorProto that floating-point numbers are in.
struct tensor_message {
  std::int32_t code = 0;
  std::optional<std::vector<std::int64_t>> shape = std::vector<std::int64_t>();
  std::span<const std::byte> content;
  std::vector<std::byte> numbers;  // of the list that belongs to the type

  /// Whether these are floating-point numbers of one extent at least.
  bool is_weight() const {
    const data_type* const type = data_type_of(code);
    if (type == nullptr || !type->type || !shape || shape->empty()) return false;
    return *type->type == element_type::f32 || *type->type == element_type::f64 ||
           *type->type == element_type::f16 || *type->type == element_type::bf16;
  }

  /// The weight with this name. Throws std::runtime_error where the numbers are not those of the shape.
  stored_tensor tensor(std::string_view source, std::string_view name, tensor_memory& memory) const {
    const data_type& type = *data_type_of(code);
    const auto fail = [&](const std::string& what) {
      throw tensor_error(
          source, name,
          std::string(type.name) + " " + printable(atrous::text_of(*shape), 100) + ": expected " + what);
    };
    if (shape->size() > most_extents) fail("at most " + std::to_string(most_extents) + " extents");
    const auto bytes = bytes_of_shape(*shape, *type.type);
    if (!bytes) fail("a shape that fits into memory");
    stored_tensor t{std::string(name), *type.type, *shape, content};
    const bool listed = content.empty() && *bytes > 0;
    if (listed ? numbers.size() > *bytes : content.size() != *bytes) {
      fail(std::to_string(*bytes) + " bytes, found " +
           std::to_string(listed ? numbers.size() : content.size()));
    }
    if (!listed) return t;
    auto& part = memory.parts.emplace_back(numbers);
    if (part.size() < *bytes) {
      if (*bytes > memory.room) fail("at most " + std::to_string(memory.room) + " bytes of repeated numbers");
      memory.room -= *bytes;
      repeat_last(part, *bytes, size_of(t.type));
    }
    t.bytes = part;
    return t;
  }
};

template <class Number>
void append_number(std::vector<std::byte>& numbers, Number number) {
  const auto bytes = std::as_bytes(std::span(&number, 1));
  numbers.insert(numbers.end(), bytes.begin(), bytes.end());
}

/// Reads the fields of a TensorProto.
inline tensor_message read_tensor(protozero::pbf_reader message) {
  tensor_message t;
  std::vector<std::byte> floats, doubles, halves;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case varint_field(1):
        t.code = message.get_int32();
        break;
      case bytes_field(2):
        t.shape = shape_in(message.get_message());
        break;
      case bytes_field(4):
        t.content = std::as_bytes(std::span(text_of(message.get_view())));
        break;
      case bytes_field(5):
        for (const float number : message.get_packed_float()) append_number(floats, number);
        break;
      case fixed32_field(5):
        append_number(floats, message.get_float());
        break;
      case bytes_field(6):
        for (const double number : message.get_packed_double()) append_number(doubles, number);
        break;
      case fixed64_field(6):
        append_number(doubles, message.get_double());
        break;
      case bytes_field(13):
        for (const auto half : message.get_packed_int32())
          append_number(halves, static_cast<std::uint16_t>(half));
        break;
      case varint_field(13):
        append_number(halves, static_cast<std::uint16_t>(message.get_int32()));
        break;
      default:
        message.skip();
    }
  }
  const data_type* const type = data_type_of(t.code);
  const std::size_t one = type != nullptr && type->type ? size_of(*type->type) : 0;
  t.numbers = std::move(one == 4 ? floats : one == 8 ? doubles : halves);
  return t;
}

}  // namespace atrous::tensorflow
