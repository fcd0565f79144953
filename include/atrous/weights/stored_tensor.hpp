// SPDX-License-Identifier: MIT
#pragma once
// A tensor as a file holds it (name, element type, shape, bytes) and a set of them: what every reader of
// weights returns, whatever the format. Bytes stay where the file is mapped; nothing is copied or converted
// until a parameter asks for floats.
#include <algorithm>
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
#include <utility>
#include <vector>

#include <atrous/weights/element_type.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// The most extents a stored shape may have.
inline constexpr std::size_t most_extents = 64;

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

/// A tensor as its file holds it, little-endian. `bytes`, from the first element to the last, belong to whoever
/// made it (see tensor_set::keep) and need no alignment.
struct stored_tensor {
  std::string name;
  element_type type = element_type::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::vector<std::int64_t> strides = {};  ///< in elements, one an extent; empty: row-major without gaps

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

/// The strides of a tensor, also where it has them from its shape alone. Its shape is one that elements_of takes.
inline std::vector<std::int64_t> strides_of(const stored_tensor& tensor) {
  if (!tensor.strides.empty()) return tensor.strides;
  std::vector<std::int64_t> strides(tensor.shape.size(), 1);
  for (std::size_t k = strides.size(); k > 1; --k) strides[k - 2] = strides[k - 1] * tensor.shape[k - 1];
  return strides;
}

/// Whether extents and strides are those of a row-major tensor without gaps.
inline bool is_row_major(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  std::int64_t expected = 1;
  for (std::size_t k = shape.size(); k-- > 0;) {
    if (shape[k] == 0) return true;
    if (shape[k] == 1) continue;
    if (strides[k] != expected) return false;
    expected *= shape[k];
  }
  return true;
}

/// The bytes from the first element to the last, as shape and strides tell; nothing where a stride is negative,
/// is missing, or leads beyond the memory of any machine.
inline std::optional<std::size_t> reach_of(const stored_tensor& tensor) {
  const std::size_t most = std::numeric_limits<std::int64_t>::max() / size_of(tensor.type);
  const auto count = elements_of(tensor.shape);
  if (!count || *count > most) return std::nullopt;
  if (tensor.strides.empty() || *count == 0) return *count * size_of(tensor.type);
  if (tensor.strides.size() != tensor.shape.size()) return std::nullopt;
  std::size_t last = 0;
  for (std::size_t k = 0; k < tensor.shape.size(); ++k) {
    if (tensor.strides[k] < 0) return std::nullopt;
    const auto steps = static_cast<std::size_t>(tensor.shape[k]) - 1,
               stride = static_cast<std::size_t>(tensor.strides[k]);
    if (steps > 0 && stride > (most - 1 - last) / steps) return std::nullopt;
    last += steps * stride;
  }
  return (last + 1) * size_of(tensor.type);
}

/// Throws std::invalid_argument where the bytes have another length than shape and strides tell, or `room`
/// elements are not as many as the shape has.
inline void check_elements(const stored_tensor& tensor, std::size_t room) {
  const auto fail = [&tensor](const std::string& what) {
    throw std::invalid_argument("tensor \"" + printable(tensor.name) + "\", " + text_of(tensor.shape) +
                                ": expected " + what);
  };
  if (const std::size_t count = tensor.elements(); count != room) {
    fail(std::to_string(count) + " elements, found room for " + std::to_string(room));
  }
  const auto reach = reach_of(tensor);
  if (!reach) fail("strides that stay in memory, found " + text_of(tensor.strides));
  if (*reach != tensor.bytes.size()) {
    fail(std::to_string(*reach) + " bytes, found " + std::to_string(tensor.bytes.size()));
  }
}

/// Calls visit(place, index) for every element, in no order that is promised: `place` counts stored elements from the first,
/// `index` elements in row-major order. Of tensors with strides a few places along the last extent go together, and among the
/// other extents the one whose elements lie closest varies fastest, so that all that is fetched is used while it is near.
template <class Visit>
void walk_elements(const stored_tensor& tensor, Visit visit) {
  const std::size_t count = tensor.elements(), rank = tensor.shape.size();
  if (tensor.strides.empty() || rank == 0 || count == 0) {
    for (std::size_t i = 0; i < count; ++i) visit(i, i);
    return;
  }
  struct axis {
    std::size_t extent, stride, pitch;  // places and indices from one element to the next
  };
  std::vector<axis> axes(rank);
  for (std::size_t k = rank, pitch = 1; k-- > 0; pitch *= axes[k].extent)
    axes[k] = {static_cast<std::size_t>(tensor.shape[k]), static_cast<std::size_t>(tensor.strides[k]), pitch};
  const axis last = axes.back();
  axes.pop_back();
  std::sort(axes.begin(), axes.end(), [](const axis& a, const axis& b) {
    return std::pair(a.stride, a.pitch) > std::pair(b.stride, b.pitch);
  });
  constexpr std::size_t together = 16;
  for (std::size_t first = 0; first < last.extent; first += together) {
    const std::size_t some = std::min(together, last.extent - first);
    std::vector<std::size_t> at(axes.size());
    std::size_t place = first * last.stride, index = first;
    for (std::size_t n = count / last.extent; n > 0; --n) {
      for (std::size_t i = 0; i < some; ++i) visit(place + i * last.stride, index + i);
      for (std::size_t k = axes.size(); k-- > 0;) {
        place += axes[k].stride, index += axes[k].pitch;
        if (++at[k] < axes[k].extent) break;
        place -= axes[k].stride * axes[k].extent, index -= axes[k].pitch * axes[k].extent;
        at[k] = 0;
      }
    }
  }
}

/// The elements as they are stored, row-major without gaps. Throws std::invalid_argument as check_elements.
inline std::vector<std::byte> row_major_bytes(const stored_tensor& tensor) {
  check_elements(tensor, tensor.elements());
  if (tensor.strides.empty()) return {tensor.bytes.begin(), tensor.bytes.end()};
  const std::size_t size = size_of(tensor.type);
  std::vector<std::byte> out(tensor.elements() * size);
  walk_elements(tensor, [&](std::size_t place, std::size_t index) {
    std::memcpy(out.data() + index * size, tensor.bytes.data() + place * size, size);
  });
  return out;
}

template <class Stored, class Convert>
void convert_elements(const stored_tensor& tensor, std::span<float> out, Convert convert) {
  walk_elements(tensor, [&](std::size_t place, std::size_t index) {
    Stored element;
    std::memcpy(&element, tensor.bytes.data() + place * sizeof(Stored), sizeof(Stored));
    out[index] = convert(element);
  });
}

/// Converts every element to float32, rounding to nearest even where float32 is narrower (a binary64 beyond
/// its range becomes infinity); a boolean becomes 0 or 1. The floats are row-major, whatever the strides.
/// Throws std::invalid_argument as check_elements.
inline void read_floats(const stored_tensor& tensor, std::span<float> out) {
  static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");
  check_elements(tensor, out.size());
  const auto plain = [](auto element) { return static_cast<float>(element); };
  switch (tensor.type) {
    case element_type::f64:
      return convert_elements<double>(tensor, out, plain);
    case element_type::f32:
      if (!tensor.strides.empty()) return convert_elements<float>(tensor, out, plain);
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
      return;
    case element_type::f16:
      return convert_elements<std::uint16_t>(tensor, out, float_of_half);
    case element_type::bf16:
      return convert_elements<std::uint16_t>(tensor, out, float_of_brain);
    case element_type::i64:
      return convert_elements<std::int64_t>(tensor, out, plain);
    case element_type::i32:
      return convert_elements<std::int32_t>(tensor, out, plain);
    case element_type::i16:
      return convert_elements<std::int16_t>(tensor, out, plain);
    case element_type::i8:
      return convert_elements<std::int8_t>(tensor, out, plain);
    case element_type::u64:
      return convert_elements<std::uint64_t>(tensor, out, plain);
    case element_type::u32:
      return convert_elements<std::uint32_t>(tensor, out, plain);
    case element_type::u16:
      return convert_elements<std::uint16_t>(tensor, out, plain);
    case element_type::u8:
      return convert_elements<std::uint8_t>(tensor, out, plain);
    case element_type::boolean:
      return convert_elements<std::uint8_t>(tensor, out, [](std::uint8_t b) { return b != 0 ? 1.0f : 0.0f; });
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

  /// Checks the bytes of one of its tensors before they are read, by any thread; throws std::runtime_error where they are
  /// damaged. Empty where the format has no check sums.
  std::function<void(const stored_tensor&)> verify = {};

  /// What the file has besides: tensors of text and the like, as bytes (U8). No network takes them.
  std::vector<stored_tensor> others = {};

  /// The kind of file: "safetensors", "PyTorch zip", "PyTorch legacy pickle", "TensorFlow checkpoint",
  /// "TensorFlow frozen graph"; empty where no reader made the set.
  std::string container = {};

  /// The tensor with this name, or null. Logarithmic in the number of tensors.
  const stored_tensor* find(std::string_view name) const {
    const auto found = std::lower_bound(
        tensors.begin(), tensors.end(), name,
        [](const stored_tensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return found != tensors.end() && found->name == name ? &*found : nullptr;
  }
};

/// Checks the bytes of everything in the file. Throws std::runtime_error as tensor_set::verify.
inline void verify_all(const tensor_set& set) {
  if (!set.verify) return;
  for (const auto* tensors : {&set.tensors, &set.others}) {
    for (const stored_tensor& tensor : *tensors) {
      set.verify(tensor);
      if (set.release) set.release(tensor.bytes);
    }
  }
}

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
