// SPDX-License-Identifier: MIT
#pragma once
// The plan: what to run, in order, and where every feature map lies. Plain data. Steps and values are the same for every
// policy; bands of rows are as it likes them.
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
  bool fuse = true;   // activations, sums, pooled branches into their neighbours, concatenations in place
  bool pair = true;   // depthwise and pointwise in one step
  bool reuse = true;  // memory of values that nobody reads any more
  /// That bands of rows may take of the cache (bands.hpp); 0: no bands; -1: this and the next as the policy likes it. Above 0,
  /// plans are made at run time only.
  std::int64_t band_elements = -1;
  int band_pixels = 256;  // that a band makes at least

  static constexpr plan_options keep_everything() { return {false, false, false, false}; }
};

/// Rows first ... last - 1 of a feature map.
struct row_range {
  int first = 0, last = 0;
  constexpr int count() const { return last - first; }
};

/// A step makes rows `y` of its map from rows `x`. A base is the row that a map's memory begins with. Before that, rows
/// `kept` move to the beginning of y's memory, from `moved_up` rows behind it.
struct band_task {
  int step = 0;
  row_range y{}, x{}, kept{};
  int moved_up = 0;
  int y_base = 0, x_base = 0, other_base = 0;
};

/// Steps first ... last, which run together: a band of `rows` rows of the last one's map after the other; the last band has up
/// to half of that more or less.
struct band_group {
  int first = 0, last = 0, rows = 0;
  int first_task = 0, tasks = 0;  // in plan.tasks
};

/// Reads a plan, wherever its arrays are; valid for as long as they are.
struct plan_view {
  std::span<const step> steps;
  std::span<const value> values;
  std::span<const band_group> groups;
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
  std::vector<band_group> groups;
  std::vector<band_task> tasks;    // for one image
  std::vector<int> value_of_node;  // -1 where a node left no value of its own
  int batch = 1;
  int logits = -1;
  bool labels = false;
  shape output{};
  std::int64_t arena = 0;

  constexpr operator plan_view() const {
    return {steps, values, groups, batch, logits, labels, output, arena};
  }
};

/// The value whose memory a value lies in: itself, or the outermost concatenation.
constexpr int root_of(const plan& p, int v) {
  while (p.values[static_cast<std::size_t>(v)].parent >= 0) v = p.values[static_cast<std::size_t>(v)].parent;
  return v;
}

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

  constexpr operator plan_view() const { return {steps, values, {}, batch, logits, labels, output, arena}; }
};

template <std::size_t Steps, std::size_t Values>
constexpr frozen_plan<Steps, Values> freeze(const plan& p) {
  return {frozen<Steps>(p.steps), frozen<Values>(p.values), p.batch, p.logits, p.labels, p.output, p.arena};
}

}  // namespace atrous
