// SPDX-License-Identifier: MIT
#pragma once
// A recorded network as plain data. Nodes are in the order of recording, so every input of a node stands
// before it. `graph` grows while it is recorded; `graph_view` is what everything else reads, whether the data
// lie in vectors (run time) or in arrays of the exact size (compile time).
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/graph/op.hpp>
#include <atrous/graph/parameter.hpp>

namespace atrous {

/// A piece of one of the graph's arrays.
struct range {
  int first = 0, count = 0;
};

template <class T>
constexpr std::span<const T> piece(std::span<const T> all, range r) {
  return all.subspan(static_cast<std::size_t>(r.first), static_cast<std::size_t>(r.count));
}

/// One primitive at its place: what it computes, from which nodes, into which shape.
struct node {
  op what{};
  shape out{};
  range inputs{};      // in graph.edges
  range parameters{};  // in graph.parameters
  int scope = 0;       // in graph.scopes
  std::int64_t madds = 0;
};

/// A scope's name: a text, or a text with a number in it ("unit_" 3, "separable_conv" 1 "_depthwise").
struct label {
  std::string_view text{};
  int number = -1;
  std::string_view suffix{};
  std::string_view tail{};  // what a layer appends to the name it was given

  constexpr label() = default;
  constexpr label(const char* name) : text(name) {}
  constexpr label(std::string_view name) : text(name) {}
  constexpr label(std::string_view before, int digits, std::string_view after = {})
      : text(before), number(digits), suffix(after) {}

  std::string str() const {
    return std::string(text) + (number < 0 ? "" : std::to_string(number)) + std::string(suffix) +
           std::string(tail);
  }
};

/// A level of checkpoint names; scope 0 is the root and has no name.
struct scope {
  label name{};
  int parent = 0;
};

/// Reads a graph, wherever its arrays are; valid for as long as they are.
struct graph_view {
  std::span<const node> nodes;
  std::span<const int> edges;
  std::span<const parameter> parameters;
  std::span<const scope> scopes;
  int output = 0;

  constexpr int size() const { return static_cast<int>(nodes.size()); }
  constexpr const node& operator[](int i) const { return nodes[static_cast<std::size_t>(i)]; }
  constexpr int input(int i, int k = 0) const {
    return edges[static_cast<std::size_t>((*this)[i].inputs.first + k)];
  }
  constexpr std::span<const int> inputs(int i) const { return piece(edges, (*this)[i].inputs); }
  constexpr std::span<const parameter> parameters_of(int i) const {
    return piece(parameters, (*this)[i].parameters);
  }
  constexpr shape image() const { return nodes[0].out; }

  /// "xception_65/entry_flow/conv1_1", the path of a scope; empty for the root.
  std::string scope_name(int s) const {
    std::string name;
    for (; s != 0; s = scopes[static_cast<std::size_t>(s)].parent) {
      name.insert(0, scopes[static_cast<std::size_t>(s)].name.str() + (name.empty() ? "" : "/"));
    }
    return name;
  }
  /// "xception_65/entry_flow/conv1_1/weights", as a checkpoint names a parameter of node i.
  std::string parameter_name(int i, const parameter& p) const {
    const std::string scope = scope_name((*this)[i].scope);
    return scope.empty() ? std::string(p.name) : scope + "/" + std::string(p.name);
  }
};

/// Grows while it is recorded. Moves, but does not copy: labels point into `names`.
struct graph {
  std::vector<node> nodes;
  std::vector<int> edges;
  std::vector<parameter> parameters;
  std::vector<scope> scopes;
  std::vector<std::vector<char>> names;  // what the labels point to; literals at compile time need no copy
  int output = 0;

  constexpr graph() = default;
  constexpr graph(graph&&) = default;
  constexpr graph& operator=(graph&&) = default;

  constexpr operator graph_view() const { return {nodes, edges, parameters, scopes, output}; }
};

}  // namespace atrous
