// SPDX-License-Identifier: MIT
#pragma once
// The plan: what to run, in order, and where every feature map lies. Plain data, the same for every policy.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <atrous/graph/network.hpp>
#include <atrous/plan/step.hpp>

namespace atrous {

/// What the planner may do. Training and tools that look inside switch things off; the graph stays the same.
struct plan_options {
  bool fold = true;   // batch norm into the convolution before it
  bool fuse = true;   // activations and sums into their producers, concatenations in place
  bool pair = true;   // depthwise and pointwise in one step
  bool reuse = true;  // memory of values that nobody reads any more

  static constexpr plan_options keep_everything() { return {false, false, false, false}; }
};

/// Reads a plan, wherever its arrays are; valid for as long as they are.
struct plan_view {
  std::span<const step> steps;
  std::span<const value> values;
  int batch = 1;
  int logits = -1;         // the value that enters the last resize
  bool labels = false;     // whether the last step gives labels
  shape output{};          // of the network, after the last resize
  std::int64_t arena = 0;  // elements of all values together, for the whole batch
};

/// A plan made at run time.
struct plan {
  std::vector<step> steps;
  std::vector<value> values;
  std::vector<int> value_of_node;  // -1 where a node left no value of its own
  int batch = 1;
  int logits = -1;
  bool labels = false;
  shape output{};
  std::int64_t arena = 0;

  constexpr operator plan_view() const { return {steps, values, batch, logits, labels, output, arena}; }
};

/// A plan in arrays, so that it can be a constexpr variable.
template <std::size_t Steps, std::size_t Values>
struct frozen_plan {
  std::array<step, Steps> steps{};
  std::array<value, Values> values{};
  int batch = 1;
  int logits = -1;
  bool labels = false;
  shape output{};
  std::int64_t arena = 0;

  constexpr operator plan_view() const { return {steps, values, batch, logits, labels, output, arena}; }
};

template <std::size_t Steps, std::size_t Values>
constexpr frozen_plan<Steps, Values> freeze(const plan& p) {
  return {frozen<Steps>(p.steps), frozen<Values>(p.values), p.batch, p.logits, p.labels, p.output, p.arena};
}

}  // namespace atrous
