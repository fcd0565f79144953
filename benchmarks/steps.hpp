// SPDX-License-Identifier: MIT
#pragma once
// The steps of published networks as benchmarks: each once, on random numbers, compared with the reference before it
// is timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/plan/structures.hpp>

#include "peak.hpp"

namespace benchmarks {

using namespace atrous;

struct network_step {
  std::string name;
  step run{};
  shape x{}, y{};

  /// Of all of it, taps outside the image included.
  double madds() const {
    const auto window = [](const op& o) { return double(o.kernel) * o.kernel; };
    const double outputs = double(elements(y));
    switch (run.form.kind) {
      case step_kind::convolution:
        return outputs * x.channels * window(run.what);
      case step_kind::depthwise:
        return outputs * window(run.what);
      case step_kind::separable:
        return outputs * x.channels + double(pixels(y)) * x.channels * window(run.first);
      default:
        return 0;
    }
  }
};

inline std::string name_of(const network_step& s) {
  const op& window = s.run.form.kind == step_kind::separable ? s.run.first : s.run.what;
  const bool resized = s.run.form.kind == step_kind::resize;
  std::string name = text_of(s.x) + "->" + (resized ? text_of(s.y) : std::to_string(s.y.channels));
  const auto add = [&](const char* what, int number) {
    if (number > 1) name.append(what).append(std::to_string(number));
  };
  add("_k", window.kernel), add("_s", window.stride), add("_r", window.rate);
  return name.append(s.run.form.sum ? "_sum" : "");
}

/// `s` if no step before it has its name.
inline void add_new(std::vector<network_step>& all, network_step s) {
  s.name = name_of(s);
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const network_step& k) { return k.name == s.name; });
  if (!known) all.push_back(std::move(s));
}

/// Steps of one kind of some networks at 513 x 513, each shape once, those chosen by `wanted`.
template <class Wanted>
std::vector<network_step> steps_of(step_kind kind, const Wanted& wanted) {
  std::vector<network_step> all;
  for (const char* network :
       {"deeplabv3plus_xception65", "deeplabv3plus_resnet101", "deeplabv3plus_mobilenet_v2"}) {
    const deeplab_options options = network_named(network);
    const graph g = record([&](wire image) { return build(image, options); }, {513, 513, 3});
    const plan p = make_plan(g);
    for (const step& s : p.steps) {
      if (s.form.kind != kind) continue;
      const auto extent = [&](int v) { return p.values[static_cast<std::size_t>(v)].extent; };
      const shape result = kind == step_kind::probabilities ? p.output : shape{513, 513, 1};
      const network_step found{"", s, extent(s.x), s.y < 0 ? result : extent(s.y)};
      if (wanted(found)) add_new(all, found);
    }
  }
  return all;
}

/// What a step works on, in the memory of policy P, equal numbers for every P: halves hold them exactly.
template <class P>
class prepared {
 public:
  using element = typename P::element;

  explicit prepared(const network_step& s, int threads) : step_(s) {
    const bool separable = s.run.form.kind == step_kind::separable;
    const bool labels = s.run.form.kind == step_kind::labels,
               resized = s.run.form.kind == step_kind::resize || s.run.form.kind == step_kind::probabilities;
    const step& run = step_.run;
    operands_ = {.run = &run, .threads = threads};
    operands_.x = {random(elements(s.x), 1), 1, s.x};
    operands_.other = {random(elements(s.y), 2), 1, s.y};
    operands_.y = {take(elements(s.y)), 1, s.y};
    labels_.resize(static_cast<std::size_t>(labels ? pixels(s.y) : 0));
    operands_.labels = {labels_.data(), 1, s.y};
    if (s.run.form.kind == step_kind::probabilities) {
      probabilities_.resize(static_cast<std::size_t>(elements(s.y)));
      operands_.probabilities = {probabilities_.data(), 1, s.y};
    }
    if (!labels && !resized) {
      const shape middle{s.y.height, s.y.width, s.x.channels};
      operands_.weights = weights(run.what, separable ? middle : s.x, s.y.channels, 3);
      if (separable) operands_.first_weights = weights(run.first, s.x, s.x.channels, 5);
    }
    const std::size_t bytes = P::scratch_bytes(run, s.x, threads);
    owned_.push_back(P::allocate(bytes));
    operands_.scratch = {P::address(owned_.back()), bytes};
  }
  prepared(const prepared&) = delete;

  operands<element>& get() { return operands_; }
  void run(kernel_function<P> k) { k(operands_); }

 private:
  element* take(std::int64_t count) {
    owned_.push_back(P::allocate(static_cast<std::size_t>(count) * sizeof(element) + 64));
    return reinterpret_cast<element*>(P::address(owned_.back()));
  }
  std::vector<float> numbers(std::int64_t count, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<float> all(static_cast<std::size_t>(count));
    for (float& each : all) each = static_cast<float>(engine() % 2048) / 1024 - 1;
    return all;
  }
  element* random(std::int64_t count, unsigned seed) {
    element* to = take(count);
    std::ranges::transform(numbers(count, seed), to, [](float each) { return element(each); });
    return to;
  }
  layer_weights<element> weights(const op& o, shape in, int out, unsigned seed) {
    const std::vector<float> plain = numbers(reference::packed_elements(o, in), seed);
    element* packed = take(P::packed_elements(o, in));
    P::pack(o, in, plain.data(), packed);
    return {packed, random(out, seed + 1), nullptr};
  }

  network_step step_;
  operands<element> operands_{};
  std::vector<typename P::buffer> owned_;
  std::vector<std::uint8_t> labels_;
  std::vector<float> probabilities_;
};

inline constexpr auto all_structures = every_structure();

/// The reference does not look at kernel, stride and border of a structure: one kernel serves all of them.
template <class P>
constexpr structure as_seen_by(structure s) {
  if (!std::is_same_v<P, reference>) return s;
  s.kernel = s.kind == step_kind::separable ? 3 : 0;
  s.stride = s.kernel / 3;
  s.border = false;
  return s;
}

template <class P, step_kind Kind, std::size_t I>
constexpr kernel_function<P> kernel_if_wanted() {
  constexpr structure s = all_structures[I];
  if constexpr (s.kind == Kind && s == as_seen_by<P>(s)) return kernel_for<P, s>();
  return nullptr;
}

/// The kernel of P for a structure of kind Kind.
template <class P, step_kind Kind>
kernel_function<P> kernel_of(const structure& wanted) {
  static constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<kernel_function<P>, sizeof...(I)>{kernel_if_wanted<P, Kind, I>()...};
  }
  (std::make_index_sequence<all_structures.size()>{});
  const auto found = std::find(all_structures.begin(), all_structures.end(), as_seen_by<P>(wanted));
  return table[static_cast<std::size_t>(found - all_structures.begin())];
}

/// A step as policy P computes it. Whatever is timed beside it has the same members.
template <class P, step_kind Kind>
class policy_step {
 public:
  using element = typename P::element;

  policy_step(const network_step& s, int threads)
      : operands_(s, threads), kernel_(kernel_of<P, Kind>(s.run.form)) {}
  void run() { operands_.run(kernel_); }
  /// (rows, columns, channels) of the last run.
  std::vector<float> result() {
    const view<element>& y = operands_.get().y;
    return {y.data, y.data + y.pixels() * y.channels};
  }

 private:
  prepared<P> operands_;
  kernel_function<P> kernel_;
};

/// Of the largest number, that a result stored as T may be off.
template <class T>
inline constexpr float tolerance = 1e-5F;
template <>
inline constexpr float tolerance<half> =
    1e-2F;  // enough to find a wrong kernel; tests know the bounds of rounding

/// Whether `mine` computes what the reference computes, to a share of the largest number.
template <step_kind Kind, class Step>
bool correct(const network_step& s, Step& mine) {
  policy_step<reference, Kind> theirs(s, 1);
  theirs.run();
  mine.run();
  const std::vector<float> expected = theirs.result(), found = mine.result();
  float largest = 0, worst = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    largest = std::max(largest, std::abs(expected[k]));
    worst = std::max(worst, std::abs(expected[k] - found[k]));
  }
  return worst <= tolerance<typename Step::element> * largest;
}

template <class Step, step_kind Kind>
void time_step(benchmark::State& state, const network_step& s, int threads) {
  Step all(s, threads);
  static std::set<std::pair<std::string, int>> checked;
  if (const std::pair key(s.name, threads); checked.count(key) == 0) {
    if (!correct<Kind>(s, all)) return state.SkipWithError("differs from the reference");
    checked.insert(key);
  }
  const double peak = peak_flops<typename Step::element>(threads);
  double spent = 0;
  for (auto _ : state) {
    const double start = seconds();
    all.run();
    const double took = seconds() - start;
    state.SetIterationTime(took);
    spent += took;
  }
  const double flops = 2 * s.madds() * double(state.iterations()) / spent;
  if (flops > 0) state.counters["GFLOP/s"] = flops / 1e9;
  if (flops > 0) state.counters["share_of_peak"] = flops / peak;
}

/// Registers one step on 1 and 2 threads.
template <class Step, step_kind Kind>
void add_step(const std::string& title, const network_step& s) {
  for (int threads : {1, 2}) {
    const std::string name = title + "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(
        name.c_str(), [s, threads](benchmark::State& state) { time_step<Step, Kind>(state, s, threads); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.3);
  }
}

/// What is not in float bears its policy's name.
template <class P>
std::string titled(const std::string& name) {
  return std::is_same_v<P, openmp> ? name : P::name + ("/" + name);
}

/// Registers a step as each policy for CPUs runs it.
template <step_kind Kind>
void add_policies(const network_step& s) {
  add_step<policy_step<openmp, Kind>, Kind>(titled<openmp>(s.name), s);
  add_step<policy_step<openmp_half, Kind>, Kind>(titled<openmp_half>(s.name), s);
}

}  // namespace benchmarks
