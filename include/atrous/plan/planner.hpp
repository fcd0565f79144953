// SPDX-License-Identifier: MIT
#pragma once
// Puts the planner's passes together, for graphs recorded at run time and for networks known at compile time.
#include <array>
#include <cstddef>
#include <vector>

#include <atrous/plan/bands.hpp>
#include <atrous/plan/fuse.hpp>
#include <atrous/plan/memory.hpp>
#include <atrous/plan/pair.hpp>
#include <atrous/plan/pooled.hpp>

namespace atrous {

/// Plans a graph for `batch` images of the extent that it was recorded for.
constexpr plan make_plan(graph_view g, int batch = 1, plan_options options = {}) {
  plan p = fuser(g, options).run();
  p.batch = batch;
  if (options.fuse) pooled_branches(p).run();
  if (options.pair) pair_separable(p);
  if (options.band_elements > 0) band_finder(p, options.band_elements, options.band_pixels).run();
  place_values(p, options.reuse);
  return p;
}

/// Whether two plans run the same kernels on the same weights, whatever their extents.
constexpr bool same_structure(plan_view a, plan_view b) {
  const auto channels = [](plan_view p, int v) {
    return v < 0 ? 0 : p.values[static_cast<std::size_t>(v)].extent.channels;
  };
  return std::equal(
      a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), [&](const step& s, const step& t) {
        return s.form == t.form && s.weights == t.weights && s.first_weights == t.first_weights &&
               channels(a, s.x) == channels(b, t.x) && channels(a, s.y) == channels(b, t.y);
      });
}

/// Whether two recordings of a network put the same layers together, whatever their extents: the same kinds of nodes on
/// the same inputs, with parameters of the same extents.
constexpr bool same_layers(graph_view a, graph_view b) {
  const auto same_node = [](const node& m, const node& n) {
    return m.what.kind == n.what.kind && m.inputs.count == n.inputs.count &&
           m.parameters.count == n.parameters.count;
  };
  const auto same_parameter = [](const parameter& p, const parameter& q) { return p.extents == q.extents; };
  return a.output == b.output &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same_node) &&
         std::equal(a.edges.begin(), a.edges.end(), b.edges.begin(), b.edges.end()) &&
         std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(), b.parameters.end(),
                    same_parameter);
}

constexpr std::vector<structure> distinct_structures(plan_view p) {
  std::vector<structure> found;
  for (const step& s : p.steps) {
    if (std::find(found.begin(), found.end(), s.form) == found.end()) found.push_back(s.form);
  }
  return found;
}

struct plan_size {
  std::size_t steps = 0, values = 0, structures = 0;
};

constexpr plan_size size_of_plan(graph_view g) {
  const plan p = make_plan(g);
  return {p.steps.size(), p.values.size(), distinct_structures(p).size()};
}

template <const network& Net>
inline constexpr plan_size planned_size = size_of_plan(graph_of<Net>);

// Functions of their own: nvcc 13.0 breaks down over temporaries in the initialisers below.
template <const network& Net>
constexpr auto planned() {
  return freeze<planned_size<Net>.steps, planned_size<Net>.values>(make_plan(graph_of<Net>));
}

/// The plan of a network known at compile time, at its declared extents.
template <const network& Net>
inline constexpr auto plan_of = planned<Net>();

template <const network& Net>
constexpr auto needed_structures() {
  return frozen<planned_size<Net>.structures>(distinct_structures(plan_of<Net>));
}

/// The structures that a network needs kernels for, each once.
template <const network& Net>
inline constexpr auto structures_of = needed_structures<Net>();

}  // namespace atrous
