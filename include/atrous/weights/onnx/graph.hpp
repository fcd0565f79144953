// SPDX-License-Identifier: MIT
#pragma once
// An ONNX graph as plain data, and how its parts are put together: names that are unique, constants, nodes. What becomes
// of it as bytes is file.hpp's.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

/// A named property of a node: a whole number, several, a number, or a word.
struct onnx_attribute {
  std::string name;
  std::variant<std::int64_t, std::vector<std::int64_t>, float, std::string> value;
};

/// One operation. An input "" is left out.
struct onnx_node {
  std::string type, name;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<onnx_attribute> attributes;
};

/// An initialiser: float32 or int64. Its numbers are made when they are asked for and live until the next tensor's are.
struct onnx_tensor {
  std::string name;
  element_type type = element_type::f32;
  std::vector<std::int64_t> shape;
  std::function<std::span<const std::byte>()> bytes;

  std::size_t size_bytes() const { return elements_of(shape).value_or(0) * size_of(type); }
};

/// An extent: a number, or a name where it is known only when the graph runs.
using onnx_extent = std::variant<std::int64_t, std::string>;

/// The element types that inputs and outputs have here, by ONNX's numbers.
enum class onnx_type : std::int32_t { f32 = 1, u8 = 2, i64 = 7 };

/// What goes into a graph or comes out.
struct onnx_value {
  std::string name;
  onnx_type type = onnx_type::f32;
  std::vector<onnx_extent> shape;
  std::string doc = {};
};

/// A graph with one input and one output.
struct onnx_graph {
  std::string name, doc;
  std::vector<onnx_node> nodes;  // each behind those that make its inputs
  std::vector<onnx_tensor> tensors;
  onnx_value input, output;
};

/// Grows a graph. Values, nodes and initialisers share one set of names: what a viewer shows is never ambiguous.
class onnx_builder {
 public:
  onnx_graph made;

  /// `wanted`, or the first of wanted_1, wanted_2, ... that is free.
  std::string unique(const std::string& wanted) {
    const std::string name = printable(wanted, 4 * wanted.size() + 1);  // whole, in UTF-8
    std::string free = name;
    for (int k = 1; !names_.insert(free).second; ++k) free = name + "_" + std::to_string(k);
    return free;
  }

  /// A node SCOPE/TYPE, whose output has its name.
  std::string add(const std::string& scope, const std::string& type, std::vector<std::string> inputs,
                  std::vector<onnx_attribute> attributes = {}) {
    const std::string name = unique(within(scope, type));
    made.nodes.push_back({type, name, std::move(inputs), name, std::move(attributes)});
    return name;
  }

  /// An initialiser whose numbers are made later.
  std::string add_tensor(const std::string& wanted, std::vector<std::int64_t> shape,
                         std::function<std::span<const std::byte>()> bytes) {
    made.tensors.push_back({unique(wanted), element_type::f32, std::move(shape), std::move(bytes)});
    return made.tensors.back().name;
  }

  /// An initialiser of few numbers. A `scalar` has no extents.
  std::string add_constant(const std::string& wanted, const std::vector<float>& numbers,
                           bool scalar = false) {
    return add_numbers(wanted, element_type::f32, numbers, scalar);
  }
  std::string add_constant(const std::string& wanted, const std::vector<std::int64_t>& numbers) {
    return add_numbers(wanted, element_type::i64, numbers, false);
  }

  /// Gives the value that a node makes another name, which nobody has.
  void rename(const std::string& from, const std::string& to) {
    for (onnx_node& n : made.nodes) {
      if (n.output == from) n.output = to;
      for (std::string& input : n.inputs) {
        if (input == from) input = to;
      }
    }
  }

  static std::string within(const std::string& scope, const std::string& leaf) {
    return scope.empty() ? leaf : scope + "/" + leaf;
  }

 private:
  template <class T>
  std::string add_numbers(const std::string& wanted, element_type type, const std::vector<T>& numbers,
                          bool scalar) {
    std::vector<std::int64_t> shape;
    if (!scalar) shape.push_back(static_cast<std::int64_t>(numbers.size()));
    const std::string name = unique(wanted);
    made.tensors.push_back(
        {name, type, std::move(shape), [numbers] { return std::as_bytes(std::span(numbers)); }});
    return name;
  }

  std::set<std::string> names_;
};

}  // namespace atrous
