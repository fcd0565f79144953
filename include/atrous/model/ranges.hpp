// SPDX-License-Identifier: MIT
#pragma once
// How large the numbers of a run are: whether its feature maps fit into half.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <atrous/core/half.hpp>
#include <atrous/model/inference.hpp>
#include <atrous/plan/print.hpp>

namespace atrous {

/// What one step of a run wrote.
struct step_range {
  int step = 0;       // in the plan
  std::string layer;  // scope of its parameters; of a separable step, its pointwise's
  std::string kind;   // "convolution"
  shape out{};        // for one image
  float largest = 0;  // magnitude; infinity for what is no number, too
};

/// Runs the network once and returns the steps that write feature maps, in the order of the plan. A policy on half gives
/// infinity where a number is above 65504; `openmp` gives the number. Throws what a run throws.
template <backend P>
requires(P::host_memory) std::vector<step_range> ranges(const inference<P>& net, const pixels_view& image,
                                                        workspace<P>& w) {
  const plan& p = net.runner().prepare_for(image, w);
  const graph g = net.runner().network_at(image.height, image.width);
  std::vector<float> largest(p.steps.size());
  tensor<float> logits(p.batch, p.values[static_cast<std::size_t>(p.logits)].extent);
  struct lent {  // for as long as the run takes
    std::span<float>& place;
    std::span<float> before;
    ~lent() { place = before; }
  } const back{w.step_largest, std::exchange(w.step_largest, largest)};
  net.run(image, {.logits = logits.view()}, w);
  std::vector<step_range> steps;
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const step& s = p.steps[i];
    if (s.y < 0) continue;
    steps.push_back({static_cast<int>(i), layer_of(g, s), std::string(word(s.form.kind)),
                     p.values[static_cast<std::size_t>(s.y)].extent, largest[i]});
  }
  return steps;
}

/// A table with a line for every step, and the largest of all beside the largest half.
inline std::string text_of(std::span<const step_range> steps) {
  text_table table("rlllrr", {"step", "layer", "kind", "out", "largest", "of half"});
  const auto share = [](float x) {
    return std::isfinite(x) ? with_digits(100.0 * x / half::most, 2) + " %" : "beyond";
  };
  float largest = 0;
  for (const step_range& s : steps) {
    largest = std::max(largest, s.largest);
    table.add({std::to_string(s.step), s.layer, s.kind, text_of(s.out), with_digits(s.largest, 3),
               share(s.largest)});
  }
  table.add({"", "all", "", "", with_digits(largest, 3), share(largest)});
  return table.text();
}

}  // namespace atrous
