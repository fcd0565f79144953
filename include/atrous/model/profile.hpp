// SPDX-License-Identifier: MIT
#pragma once
// Where the time of a run goes: every step of it measured, and a table for people.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/model/inference.hpp>
#include <atrous/plan/print.hpp>
#include <atrous/plan/step_cost.hpp>

namespace atrous {

/// One step of a run.
struct step_time {
  int step = 0;        // in the plan
  std::string layer;   // scope of its parameters; of a separable step, its pointwise's
  std::string kind;    // "convolution"
  std::string window;  // "3x3 /2"; empty where nothing slides
  shape out{};         // what it writes for one image
  double seconds = 0;  // median of the runs
  step_cost costs{};   // of the whole batch
};

/// Step `i` of plan `p`, which was made of `g`, not measured yet.
inline step_time unmeasured(graph_view g, const plan& p, std::size_t i, number_sizes sizes) {
  const step& s = p.steps[i];
  const shape labels{p.output.height, p.output.width, 1};
  step_time made;
  made.step = static_cast<int>(i);
  made.layer = layer_of(g, s);
  made.kind = word(s.form.kind);
  made.window = window_of(s);
  made.out = s.y < 0 ? labels : p.values[static_cast<std::size_t>(s.y)].extent;
  made.costs = cost_of(g, p, s, sizes);
  return made;
}

// The times of the steps of runs. Lends itself to a workspace for as long as it lives.
template <backend P>
class step_clock {
 public:
  step_clock(workspace<P>& w, std::size_t steps)
      : w_(w), users_(std::exchange(w.step_seconds, {})), last_(steps), seconds_(steps) {
    w.step_seconds = last_;
  }
  ~step_clock() { w_.step_seconds = users_; }
  step_clock(const step_clock&) = delete;
  step_clock& operator=(const step_clock&) = delete;

  /// Takes down what the last run took.
  void run_ended() {
    for (std::size_t i = 0; i < last_.size(); ++i) seconds_[i].push_back(std::exchange(last_[i], 0));
  }

  /// Of a step, over all runs but the first.
  double median(std::size_t step) const {
    std::vector<double> all(seconds_[step].begin() + 1, seconds_[step].end());
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle;
  }

 private:
  workspace<P>& w_;
  std::span<double> users_;
  std::vector<double> last_;
  std::vector<std::vector<double>> seconds_;  // of a step, in every run
};

/// Runs the network `runs` times after one run that is discarded, and returns the steps in the order of the plan. Asks
/// for labels, or for logits where a network has more than 256 classes. w.on_step is called as in any run, between the
/// measured times. A policy must not return from a kernel before its work is done. Throws std::invalid_argument for less
/// than one run and for what a run throws it for, cancelled where w.on_step says so.
template <backend P>
std::vector<step_time> profile(const inference<P>& net, const pixels_view& image, workspace<P>& w,
                               int runs = 5) {
  if (runs < 1) throw std::invalid_argument("runs: expected at least 1, found " + std::to_string(runs));
  const plan& p = net.runner().prepare_for(image, w);
  const graph g = net.runner().network_at(image.height, image.width);
  tensor<std::uint8_t> labels(p.labels ? p.batch : 0, {p.output.height, p.output.width, 1});
  tensor<float> logits(p.labels ? 0 : p.batch, p.values[static_cast<std::size_t>(p.logits)].extent);
  const results wanted = p.labels ? results{.labels = labels.view()} : results{.logits = logits.view()};

  const number_sizes sizes{sizeof(typename P::element), static_cast<std::int64_t>(image.element_bytes())};
  std::vector<step_time> steps;
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    if (engine<P>::wanted(p.steps[i], wanted)) steps.push_back(unmeasured(g, p, i, sizes));
  }
  step_clock<P> clock(w, p.steps.size());
  for (int r = 0; r <= runs; ++r) {
    net.run(image, wanted, w);
    clock.run_ended();
  }
  for (step_time& s : steps) s.seconds = clock.median(static_cast<std::size_t>(s.step));
  return steps;
}

/// A table with a line for every step and their sum: milliseconds and share of the sum, GFLOP/s (two operations per
/// multiply-add), megabytes (10^6) moved and GB/s.
inline std::string text_of(std::span<const step_time> steps) {
  step_time sum;
  sum.layer = "total";
  for (const step_time& s : steps) {
    sum.seconds += s.seconds;
    sum.costs.madds += s.costs.madds;
    sum.costs.bytes += s.costs.bytes;
  }
  text_table table("rlllrrrrrr",
                   {"step", "layer", "kind", "window", "out", "ms", "share", "GFLOP/s", "MB", "GB/s"});
  const auto add = [&](const step_time& s, const std::string& step, const std::string& out) {
    const auto rate = [&](double amount) { return s.seconds > 0 ? amount / s.seconds * 1e-9 : 0; };
    const auto madds = static_cast<double>(s.costs.madds), bytes = static_cast<double>(s.costs.bytes);
    const double share = sum.seconds > 0 ? 100 * s.seconds / sum.seconds : 0;
    table.add({step, s.layer, s.kind, s.window, out, with_digits(1e3 * s.seconds, 3),
               with_digits(share, 1) + " %", s.costs.madds > 0 ? with_digits(rate(2 * madds), 1) : "",
               with_digits(1e-6 * bytes, 2), with_digits(rate(bytes), 1)});
  };
  for (const step_time& s : steps) add(s, std::to_string(s.step), text_of(s.out));
  add(sum, "", "");
  return table.text();
}

}  // namespace atrous
