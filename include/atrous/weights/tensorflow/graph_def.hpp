// SPDX-License-Identifier: MIT
#pragma once
// Frozen TensorFlow graphs (GraphDef, .pb): the variables of a network as Const nodes among the constants of the graph
// itself. Only the former are weights: floating-point numbers that an Identity NAME/read passes on, as freezing leaves it,
// or that a layer takes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/tensorflow/tensor_proto.hpp>

namespace atrous::tensorflow {

/// A NodeDef, as views into the file.
struct node {
  std::string_view name, op;
  std::vector<std::string_view> inputs;  // of data, without the number of the output
  std::span<const std::byte> value;      // the tensor of a Const
};

/// The tensor of an entry of a node's attributes where it is "value".
inline std::span<const std::byte> value_in(protozero::pbf_reader attribute) {
  std::span<const std::byte> tensor;
  bool named = false;
  while (attribute.next()) {
    if (attribute.tag_and_type() == bytes_field(1)) {
      named = text_of(attribute.get_view()) == "value";
    } else if (attribute.tag_and_type() == bytes_field(2)) {
      auto value = attribute.get_message();
      while (value.next()) {
        if (value.tag_and_type() == bytes_field(8)) {
          tensor = std::as_bytes(std::span(text_of(value.get_view())));
        } else {
          value.skip();
        }
      }
    } else {
      attribute.skip();
    }
  }
  return named ? tensor : std::span<const std::byte>();
}

inline node node_in(protozero::pbf_reader message) {
  node n;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes_field(1):
        n.name = text_of(message.get_view());
        break;
      case bytes_field(2):
        n.op = text_of(message.get_view());
        break;
      case bytes_field(3): {
        const std::string_view input = text_of(message.get_view());
        if (!input.starts_with('^')) n.inputs.push_back(input.substr(0, input.find(':')));
        break;
      }
      case bytes_field(5):
        if (const auto value = value_in(message.get_message()); !value.empty()) n.value = value;
        break;
      default:
        message.skip();
    }
  }
  return n;
}

/// Collects the weights of a graph. Throws std::runtime_error at the first thing that does not belong.
class graph_reader {
 public:
  graph_reader(std::span<const std::byte> file, std::string source) : file_(file) {
    set_.source = std::move(source);
    set_.container = "TensorFlow frozen graph";
  }

  /// The weights; numbers that the file does not hold as they are live in `memory`.
  tensor_set read(tensor_memory& memory) {
    reading(set_.source, "graph", [&] { read_nodes(); });
    std::sort(identities_.begin(), identities_.end());
    for (std::string_view& name : taken_) name = source_of(name);
    std::sort(taken_.begin(), taken_.end());
    for (const node& n : constants_) {
      if (!std::binary_search(taken_.begin(), taken_.end(), n.name)) continue;
      reading(set_.source, "tensor \"" + printable(n.name) + "\"", [&] {
        const auto message = read_tensor(message_in(n.value));
        if (!message.is_weight()) return;
        set_.tensors.push_back(message.tensor(set_.source, n.name, memory));
      });
    }
    if (set_.tensors.empty()) fail_without_weights();
    sort_by_name(set_);
    return std::move(set_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(set_.source) + ": " + what);
  }

  [[noreturn]] void fail_without_weights() const {
    if (variables_ > 0) {
      fail("expected a frozen graph, found one whose " + std::to_string(variables_) +
           " variables are elsewhere, in a checkpoint");
    }
    fail("expected weights in Const nodes, found none among " + std::to_string(nodes_) + " nodes");
  }

  void read_nodes() {
    auto graph = message_in(file_);
    while (graph.next()) {
      if (graph.tag_and_type() == varint_field(1)) fail("expected a frozen graph, found a SavedModel");
      if (graph.tag_and_type() == bytes_field(1)) {
        add(node_in(graph.get_message()));
      } else {
        graph.skip();
      }
    }
  }

  void add(node n) {
    ++nodes_;
    static constexpr std::array<std::string_view, 6> layers{"Conv2D",           "DepthwiseConv2dNative",
                                                            "BiasAdd",          "FusedBatchNorm",
                                                            "FusedBatchNormV2", "FusedBatchNormV3"};
    static constexpr std::array<std::string_view, 3> variables{"Variable", "VariableV2", "VarHandleOp"};
    const auto among = [&n](const auto& ops) { return std::find(ops.begin(), ops.end(), n.op) != ops.end(); };
    if (n.op == "Const") {
      constants_.push_back(std::move(n));
    } else if (n.op == "Identity" && !n.inputs.empty()) {
      const std::string_view input = n.inputs.front(), name = n.name;
      if (name.size() == input.size() + 5 && name.starts_with(input) && name.ends_with("/read"))
        taken_.push_back(input);
      identities_.emplace_back(name, input);
    } else if (among(layers)) {
      taken_.insert(taken_.end(), n.inputs.begin(), n.inputs.end());
    } else if (among(variables)) {
      ++variables_;
    }
  }

  /// The node that a few Identity nodes, if any, pass on.
  std::string_view source_of(std::string_view name) const {
    for (int passed = 0; passed < 8; ++passed) {
      const auto found =
          std::lower_bound(identities_.begin(), identities_.end(), std::pair(name, std::string_view()));
      if (found == identities_.end() || found->first != name) break;
      name = found->second;
    }
    return name;
  }

  std::span<const std::byte> file_;
  tensor_set set_;
  std::vector<node> constants_;
  std::vector<std::pair<std::string_view, std::string_view>> identities_;  // name, input
  std::vector<std::string_view> taken_;                                    // names that layers take
  std::size_t nodes_ = 0, variables_ = 0;
};

}  // namespace atrous::tensorflow

namespace atrous {

/// Whether the bytes begin as a GraphDef does: with a node that has a name and an operation.
inline bool is_graph_def(std::span<const std::byte> file) {
  try {
    auto graph = tensorflow::message_in(file);
    if (!graph.next() || graph.tag_and_type() != tensorflow::bytes_field(1)) return false;
    const auto first = tensorflow::node_in(graph.get_message());
    return !first.name.empty() && !first.op.empty();
  } catch (const protozero::exception&) {
    return false;
  }
}

/// Reads a frozen graph from memory, which must outlive the result: its weights by the names of their variables, what
/// else is constant in it left out. `source` is its name in messages.
/// Throws std::runtime_error, one line with the file, the tensor, what was expected and what was found.
inline tensor_set read_graph_def(std::span<const std::byte> file, std::string source) {
  auto memory = std::make_shared<tensorflow::tensor_memory>();
  auto set = tensorflow::graph_reader(file, std::move(source)).read(*memory);
  set.keep = std::move(memory);
  return set;
}

/// Reads a frozen graph file (.pb); the tensors refer to the mapped file, which `keep` holds.
/// Throws std::runtime_error as above, also where the file is missing or empty.
inline tensor_set read_graph_def(const std::filesystem::path& path) {
  auto file = std::make_shared<const mapped_file>(path);
  auto set = read_graph_def(file->bytes(), path.string());
  set.release = [file](std::span<const std::byte> part) { file->release(part); };
  set.keep =
      std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(set.keep, file);
  return set;
}

}  // namespace atrous
