// SPDX-License-Identifier: MIT
#pragma once
// The JSON header of a safetensors file, consumed event by event: a hostile header costs neither a tree nor
// recursion, and the first thing that does not belong ends the reading with an error that names it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

/// Consumes the events of a JSON header (nlohmann's SAX interface) and collects what it describes.
/// Throws std::runtime_error at the first thing that does not belong.
class safetensors_header {
 public:
  safetensors_header(std::string_view source, std::span<const std::byte> bytes) : data(bytes) {
    set.source = source;
    set.container = "safetensors";
  }

  tensor_set take() { return std::move(set); }

  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("true or false"); }
  bool number_integer(std::int64_t value) { unexpected(std::to_string(value)); }
  bool number_float(double, const std::string& text) { unexpected(printable(text, 40)); }
  bool binary(nlohmann::json::binary_t&) { unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) {
    if (where == place::shape) {
      if (tensor.shape.size() == most_extents) fail("expected at most 64 extents, found more");
      if (value > std::numeric_limits<std::int64_t>::max()) unexpected(std::to_string(value));
      tensor.shape.push_back(static_cast<std::int64_t>(value));
    } else if (where == place::offsets && offset_count < offsets.size()) {
      offsets[offset_count++] = value;
    } else {
      unexpected(where == place::offsets ? "more" : std::to_string(value));
    }
    return true;
  }

  bool string(std::string& value) {
    if (where == place::metadata) {
      if (!set.metadata.emplace(field, std::move(value)).second) repeated("__metadata__", field);
    } else if (where == place::entry && field == "dtype") {
      const auto type = element_type_of(value);
      if (!type) fail("expected a known dtype, found \"" + printable(value, 40) + "\"");
      tensor.type = *type;
    } else {
      unexpected("\"" + printable(value, 40) + "\"");
    }
    return true;
  }

  bool key(std::string& name) {
    if (where == place::entry) {
      const auto known = std::find(fields.begin(), fields.end(), name);
      if (known == fields.end())
        fail("expected dtype, shape, data_offsets, found \"" + printable(name) + "\"");
      const unsigned bit = 1u << (known - fields.begin());
      if ((seen & bit) != 0) fail("expected " + name + " once, found it twice");
      seen |= bit;
    }
    (where == place::root ? tensor.name : field) = std::move(name);
    return true;
  }

  bool start_object(std::size_t) {
    if (where == place::outside) {
      where = place::root;
    } else if (where == place::root && tensor.name == "__metadata__") {
      if (has_metadata) repeated("header", "__metadata__");
      has_metadata = true;
      where = place::metadata;
    } else if (where == place::root) {
      tensor.shape.clear();
      offset_count = 0;
      seen = 0;
      where = place::entry;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (where != place::entry || field == "dtype") unexpected("an array");
    where = field == "shape" ? place::shape : place::offsets;
    return true;
  }

  bool end_array() {
    where = place::entry;
    return true;
  }

  bool end_object() {
    if (where == place::entry) finish_entry();
    where = place::root;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    throw std::runtime_error(printable_path(set.source) +
                             ": expected a JSON header, found an error at its byte " +
                             std::to_string(position));
  }

 private:
  enum class place { outside, root, metadata, entry, shape, offsets };
  static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};

  [[noreturn]] void fail(const std::string& what) const { throw tensor_error(set.source, tensor.name, what); }

  [[noreturn]] void repeated(const std::string& within, const std::string& name) const {
    throw std::runtime_error(printable_path(set.source) + ": " + within + ": expected \"" + printable(name) +
                             "\" once, found it twice");
  }

  std::string expected() const {
    switch (where) {
      case place::outside:
      case place::root:
        return "an object";
      case place::metadata:
        return "text in __metadata__";
      case place::shape:
        return "extents that are whole numbers from 0 to 2^63 - 1";
      case place::offsets:
        return "two data_offsets that are whole numbers from 0";
      case place::entry:
        break;
    }
    return std::string(field == "dtype" ? "text" : "an array") + " as " + field;
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    const std::string what = "expected " + expected() + ", found " + found;
    if (where != place::outside && where != place::metadata) fail(what);
    throw std::runtime_error(printable_path(set.source) + ": header: " + what);
  }

  void finish_entry() {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if ((seen & 1u << i) == 0)
        fail("expected dtype, shape, data_offsets, found no " + std::string(fields[i]));
    }
    if (offset_count != 2) fail("expected two data_offsets, found " + std::to_string(offset_count));
    const auto [begin, end] = offsets;
    const std::string range = std::to_string(begin) + " to " + std::to_string(end);
    if (begin > end) fail("expected ascending data_offsets, found " + range);
    if (end > data.size()) {
      fail("expected data_offsets within the " + std::to_string(data.size()) + " bytes of data, found " +
           range);
    }
    const auto elements = elements_of(tensor.shape);
    const std::size_t size = size_of(tensor.type);
    const std::string text = std::string(name_of(tensor.type)) + " " + printable(text_of(tensor.shape), 100);
    if (!elements || *elements > std::numeric_limits<std::size_t>::max() / size) {
      fail("expected a shape that fits into memory, found " + text);
    }
    if (*elements * size != end - begin) {
      fail(text + ": expected " + std::to_string(*elements * size) + " bytes, found " +
           std::to_string(end - begin));
    }
    tensor.bytes = data.subspan(begin, end - begin);
    set.tensors.push_back(tensor);
  }

  std::span<const std::byte> data;
  tensor_set set;
  place where = place::outside;
  stored_tensor tensor;  // being read; its name also while the entry has not begun
  std::string field;     // the last key inside __metadata__ or an entry
  unsigned seen = 0;     // one bit for each of `fields` that the entry has had
  std::array<std::uint64_t, 2> offsets{};
  std::size_t offset_count = 0;
  bool has_metadata = false;
};

}  // namespace atrous
