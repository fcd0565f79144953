// SPDX-License-Identifier: MIT
#pragma once
// What one step of a plan computes and moves, at the extents and the batch of its plan.
#include <cstdint>

#include <atrous/plan/cost.hpp>
#include <atrous/plan/plan.hpp>

namespace atrous {

/// Of the whole batch.
struct step_cost {
  std::int64_t madds = 0;  // of the convolutions in it, and what own primitives say of themselves
  std::int64_t bytes = 0;  // weights and feature maps that it reads, feature maps that it writes, each once
};

/// Bytes of one number: of feature maps and weights, and of the image.
struct number_sizes {
  std::int64_t element = 4, pixel = 1;
};

/// Numbers that a layer's kernel reads once batch norm is folded: of a batch norm by itself, scale and shift.
constexpr std::int64_t folded_weights(graph_view g, source s) {
  const int node = s.layer >= 0 ? s.layer : s.norm;
  if (node < 0) return 0;
  const op_kind kind = g[node].what.kind;
  if (kind == op_kind::batch_norm || kind == op_kind::normalise)
    return 2 * std::int64_t{g[node].out.channels};
  std::int64_t numbers = 0;
  for (const parameter& p : g.parameters_of(node)) numbers += p.size();
  if (s.channels > 0) {
    const shape in = g[g.input(node)].out;
    numbers -= std::int64_t{in.channels - s.channels} * g[node].out.channels;
  }
  const bool gains_bias = s.norm >= 0 && !g[node].what.bias;
  return numbers + (gains_bias ? g[node].out.channels : 0);
}

/// Step `s` of plan `p`, which was made of `g`. Probabilities are float32, labels a byte each.
constexpr step_cost cost_of(graph_view g, plan_view p, const step& s, number_sizes sizes = {}) {
  const auto elements_of = [&](int v) {
    return v < 0 ? 0 : elements(p.values[static_cast<std::size_t>(v)].extent) * p.batch;
  };
  step_cost c;
  for (const source& from : {s.first_weights, s.weights}) {
    if (from.channels > 0)  // part of a pointwise
      c.madds += std::int64_t{from.channels} * elements_of(s.y);
    else if (from.layer >= 0)
      c.madds += g[from.layer].madds * p.batch;
    c.bytes += folded_weights(g, from) * sizes.element;
  }
  const bool has_bias = s.what.bias || s.weights.norm >= 0;
  if (s.bias >= 0 && has_bias) c.bytes -= s.what.out * sizes.element;  // the layer's, which is not read
  for (int v : inputs_of(s)) c.bytes += elements_of(v) * sizes.element;
  c.bytes += elements_of(s.y) * sizes.element;
  if (s.form.kind == step_kind::input) c.bytes += elements(g.image()) * p.batch * sizes.pixel;
  if (s.form.kind == step_kind::labels) c.bytes += pixels(p.output) * p.batch;
  if (s.form.kind == step_kind::probabilities) c.bytes += elements(p.output) * p.batch * 4;
  return c;
}

}  // namespace atrous
