// SPDX-License-Identifier: MIT
#pragma once
// What a recorded network owns and costs: parameters, and multiply-adds of one image. Beside the true numbers
// stands the count that the paper prints, which is that of TensorFlow's profiler.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/graph/graph.hpp>

namespace atrous {

/// What a network, or one layer of it, owns and costs.
struct cost {
  std::int64_t parameters = 0;  // moving statistics included, before batch norm is folded
  std::int64_t madds = 0;       // of convolutions, at true size

  constexpr cost& operator+=(const cost& other) {
    parameters += other.parameters;
    madds += other.madds;
    return *this;
  }
  friend constexpr bool operator==(const cost&, const cost&) = default;
};

/// What node i owns and costs.
constexpr cost cost_of(graph_view g, int i) {
  cost c{0, g[i].madds};
  for (const parameter& p : g.parameters_of(i)) c.parameters += p.size();
  return c;
}

/// The whole network: `total(graph_of<net>).madds == 54'035'303'024`.
constexpr cost total(graph_view g) {
  cost sum;
  for (const node& n : g.nodes) sum.madds += n.madds;
  for (const parameter& p : g.parameters) sum.parameters += p.size();
  return sum;
}

/// The part of the network in a scope and those below it: `cost_under(g, "xception_65/entry_flow/block1")`.
inline cost cost_under(graph_view g, std::string_view scope) {
  cost sum;
  for (int i = 0; i < g.size(); ++i) {
    const std::string name = g.scope_name(g[i].scope) + "/";
    if (name.starts_with(std::string(scope) + "/")) sum += cost_of(g, i);
  }
  return sum;
}

/// What a node does, in a word.
constexpr std::string_view word(op_kind kind) {
  switch (kind) {
    case op_kind::input:
      return "image";
    case op_kind::normalise:
      return "normalise";
    case op_kind::convolution:
      return "convolution";
    case op_kind::depthwise:
      return "depthwise";
    case op_kind::batch_norm:
      return "batch_norm";
    case op_kind::activate:
      return "activate";
    case op_kind::max_pool:
      return "max_pool";
    case op_kind::average_pool:
      return "average_pool";
    case op_kind::resize:
      return "resize";
    case op_kind::add:
      return "add";
    case op_kind::scale:
      return "scale";
    case op_kind::concat:
      return "concat";
    case op_kind::own:
      break;
  }
  return "own";
}

/// One line of a cost table.
struct cost_row {
  std::string layer;  // the scope of what owns parameters, else the scope around it and what it does
  shape out{};
  cost costs{};
};

/// Every node in the order of the network.
inline std::vector<cost_row> cost_rows(graph_view g) {
  std::vector<cost_row> rows;
  for (int i = 0; i < g.size(); ++i) {
    std::string name = g.scope_name(g[i].scope);
    if (g.parameters_of(i).empty()) name += (name.empty() ? "" : "/") + std::string(word(g[i].what.kind));
    rows.push_back({name.empty() ? std::string(word(g[i].what.kind)) : name, g[i].out, cost_of(g, i)});
  }
  return rows;
}

/// Multiply-adds of a node as the profiler sees them: a convolution of rate r ran on a map that
/// space-to-batch had padded to multiples of r.
constexpr std::int64_t profiled_madds(const node& n) {
  const bool convolution = n.what.kind == op_kind::convolution || n.what.kind == op_kind::depthwise;
  if (!convolution || n.madds == 0) return n.madds;
  const int rate = n.what.rate;
  const shape padded{strided(n.out.height, rate) * rate, strided(n.out.width, rate) * rate, 1};
  return n.madds / pixels(n.out) * pixels(padded);
}

/// Floating-point operations that the profiler counts besides: additions,
/// comparisons of max pooling, the pooled mean, biases, the scaling of the image. Resizes, batch norm and
/// ReLU count nothing.
constexpr std::int64_t profiled_extras(graph_view g, int i) {
  const node& n = g[i];
  switch (n.what.kind) {
    case op_kind::add:
      return elements(n.out);
    case op_kind::max_pool:
      return elements(n.out) * n.what.kernel * n.what.kernel;
    case op_kind::normalise:
      return 2 * elements(n.out);
    case op_kind::convolution:
      return n.what.bias ? elements(n.out) : 0;
    case op_kind::average_pool:
      break;
    default:
      return 0;
  }
  const shape in = g[g.input(i)].out;
  const bool whole = n.what.window_height == 0 && n.what.window_width == 0;
  return whole ? elements(in) : elements(n.out) * n.what.window_height * n.what.window_width;
}

/// Operations of one forward pass by the paper's rule, two per multiply-add.
constexpr std::int64_t profiled_pass(graph_view g) {
  std::int64_t sum = 0;
  for (int i = 0; i < g.size(); ++i) sum += 2 * profiled_madds(g[i]) + profiled_extras(g, i);
  return sum;
}

/// Operations that its graph holds once, whatever the number of passes: initialisation and weight decay of
/// the convolutions, and per pixel of the evaluated image an argmax and five of the metric.
constexpr std::int64_t profiled_once(graph_view g, shape image) {
  std::int64_t sum = pixels(image) * (g[g.output].out.channels + 5);
  for (const parameter& p : g.parameters) {
    if (p.use == role::kernel) sum += 5 * p.size();
    if (p.use == role::depthwise_kernel) sum += 2 * p.size();
  }
  return sum;
}

}  // namespace atrous
