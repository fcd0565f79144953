// SPDX-License-Identifier: MIT
#pragma once
// A network is a function from the image's wire to the output's wire together with an image shape. Recorded
// at compile time it becomes `graph_of<net>`, arrays of the exact size; a mistake becomes a compile error
// that shows the rule, both shapes, and the way to the user's line.
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <atrous/graph/recorder.hpp>

namespace atrous {

/// A network known at compile time, to be named: `inline constexpr network voc{[](wire image) {...}, {513,
/// 513, 3}};` The shape is what compile-time checks, costs and plan are made for; other extents are planned
/// at run time.
struct network {
  wire (*define)(wire image);
  shape image;
};

/// The node that a network function returned.
constexpr int output_of(recorder& r, wire out) {
  const shape image = r.net.nodes[0].out;
  r.expect(out.net == &r, {rule::wires_must_belong_to_one_network, image, image});
  return out.net == &r ? out.id : 0;
}

/// Leaves out the layers that the output does not need: nobody runs them, so nobody must have their weights.
constexpr void keep_needed(graph& g) {
  std::vector<int> place(g.nodes.size(), -1);  // of a needed node among those kept
  place[0] = place[static_cast<std::size_t>(g.output)] = 0;
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    if (place[i] < 0) continue;
    for (int from : graph_view(g).inputs(static_cast<int>(i))) place[static_cast<std::size_t>(from)] = 0;
  }
  graph kept;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    if (place[i] < 0) continue;
    place[i] = static_cast<int>(kept.nodes.size());
    node n = g.nodes[i];
    const std::span<const int> inputs = graph_view(g).inputs(static_cast<int>(i));
    const std::span<const parameter> parameters = graph_view(g).parameters_of(static_cast<int>(i));
    n.inputs.first = static_cast<int>(kept.edges.size());
    n.parameters.first = static_cast<int>(kept.parameters.size());
    for (int from : inputs) kept.edges.push_back(place[static_cast<std::size_t>(from)]);
    for (const parameter& p : parameters) kept.parameters.push_back(p);
    kept.nodes.push_back(n);
  }
  g.output = place[static_cast<std::size_t>(g.output)];
  g.nodes = std::move(kept.nodes);
  g.edges = std::move(kept.edges);
  g.parameters = std::move(kept.parameters);
}

/// Whether every layer is needed.
constexpr bool all_needed(graph_view g) {
  std::vector<int> readers(g.nodes.size(), 0);
  for (int from : g.edges) readers[static_cast<std::size_t>(from)] = 1;
  readers[0] = readers[static_cast<std::size_t>(g.output)] = 1;
  for (int read : readers) {
    if (read == 0) return false;
  }
  return true;
}

/// Records `define`, any callable from wire to wire, for one image shape. Throws std::invalid_argument at the
/// first broken rule.
template <class Define>
constexpr graph record(const Define& define, shape image) {
  recorder r(image);
  r.net.output = output_of(r, define(wire{&r, 0}));
  if (!all_needed(r.net)) keep_needed(r.net);
  return std::move(r.net);
}
constexpr graph record(const network& net) { return record(net.define, net.image); }

/// What a first, lenient recording tells: the first mistake and how much room the graph needs.
struct survey {
  mistake first{};
  std::size_t nodes = 0, edges = 0, parameters = 0, scopes = 0;
};

constexpr survey survey_of(const network& net) {
  recorder r(net.image, false);
  r.net.output = output_of(r, net.define(wire{&r, 0}));
  if (!all_needed(r.net)) keep_needed(r.net);
  const graph& g = r.net;
  return {r.first, g.nodes.size(), g.edges.size(), g.parameters.size(), g.scopes.size()};
}

/// A graph in arrays, so that it can be a constexpr variable.
template <survey Size>
struct frozen_graph {
  std::array<node, Size.nodes> nodes{};
  std::array<int, Size.edges> edges{};
  std::array<parameter, Size.parameters> parameters{};
  std::array<scope, Size.scopes> scopes{};
  int output = 0;

  constexpr operator graph_view() const { return {nodes, edges, parameters, scopes, output}; }
};

template <rule Broken, shape Left, shape Right>
struct network_obeys {
  static_assert(Broken == rule::none, "this network breaks the rule named above with the two shapes shown");
};

/// The first N elements as an array, without the default construction that a loop over an array would need
/// first.
template <std::size_t N, class T>
constexpr std::array<T, N> frozen(const std::vector<T>& all) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::array<T, N>{{all[I]...}}; }
  (std::make_index_sequence<N>{});
}

template <survey Size>
constexpr frozen_graph<Size> freeze(const graph& g) {
  return {frozen<Size.nodes>(g.nodes), frozen<Size.edges>(g.edges), frozen<Size.parameters>(g.parameters),
          frozen<Size.scopes>(g.scopes), g.output};
}

// Not a local constant of `recorded`: clang would evaluate it once more with every evaluation of the
// function.
template <const network& Net>
inline constexpr survey surveyed = survey_of(Net);

template <const network& Net>
constexpr auto recorded() {
  if constexpr (surveyed<Net>.first.broken == rule::none) {
    return freeze<surveyed<Net>>(record(Net));
  } else {
    constexpr std::size_t where = record(Net).nodes.size();  // the way to the user's line
    using shapes =
        network_obeys<surveyed<Net>.first.broken, surveyed<Net>.first.left, surveyed<Net>.first.right>;
    return where + sizeof(shapes);  // the rule and both shapes
  }
}

/// The recorded network: constexpr data, convertible to graph_view.
template <const network& Net>
inline constexpr auto graph_of = recorded<Net>();

}  // namespace atrous
