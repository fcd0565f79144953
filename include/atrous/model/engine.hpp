// SPDX-License-Identifier: MIT
#pragma once
// Runs plans: what `model` (network known at compile time) and `runtime_model` (put together at run time)
// share. They differ in where their kernels come from.
#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/core/tensor.hpp>
#include <atrous/model/packed_weights.hpp>
#include <atrous/model/plan_run.hpp>
#include <atrous/model/results.hpp>
#include <atrous/model/transfer.hpp>
#include <atrous/model/workspace.hpp>

namespace atrous {

/// Kernels of a policy by structure.
template <class P>
struct kernel_table {
  std::span<const structure> structures;
  std::span<const kernel_function<P>> kernels;

  kernel_function<P> find(const structure& form) const {
    for (std::size_t i = 0; i < structures.size(); ++i) {
      if (structures[i] == form) return kernels[i];
    }
    throw std::invalid_argument(std::string(P::name) + ": no kernel for " + text_of(form) +
                                "; a policy lists kernels for kinds of its own in own_structures");
  }
};

/// What runs inside of a model: `inference::runner()`. Const while it runs.
template <backend P>
class engine {
 public:
  using element = typename P::element;

  /// `record` gives the graph of any image shape; `declared` is the shape it is checked and loaded for. Weights are
  /// packed on up to `threads` threads. Throws std::invalid_argument for a broken rule or weights that do not fit.
  engine(std::function<graph(shape)> record, shape declared, const kernel_table<P>& table,
         const tensor_set& weights, plan_options options = {}, int threads = 1)
      : record_(std::move(record)),
        options_(options),
        graph_(record_(declared)),
        plan_(make_plan(graph_, 1, with_bands(options, 1))) {
    expect_between("threads", threads, 1, most_threads);
    for (const step& s : plan_.steps) kernels_.push_back(table.find(s.form));
    weights_ = packed_weights<P>(graph_, plan_, bind(graph_, weights), threads);
  }

  graph_view network() const { return graph_; }
  /// The same at the extents of an image.
  graph network_at(int height, int width) const {
    return record_({height, width, graph_view(graph_).image().channels});
  }
  /// What comes out for an image of this extent, and the logits before the last resize.
  shape output_for(int height, int width) const { return shapes_for(height, width).first; }
  shape logits_for(int height, int width) const { return shapes_for(height, width).second; }
  /// The rule of the last resize; aligned if the network ends otherwise.
  corners last_corner() const {
    const op& last = network()[graph_.output].what;
    return last.kind == op_kind::resize ? last.corner : corners::aligned;
  }
  const plan& declared_plan() const { return plan_; }
  std::int64_t weight_bytes() const { return weights_.bytes(); }

  /// Throws std::invalid_argument where an image is empty or has other channels than the network's, and where its batch
  /// or the threads of a workspace are not from 1 to 65,536.
  void check(const pixels_view& image, const workspace<P>& w) const {
    check_image(image, network().image());
    check_counts(w, image.batch);
  }

  /// The plan for a size and the threads of a workspace, made when they are new to it, and the memory for it. The plan lives
  /// until the workspace meets another model or has met `sizes_kept` other sizes.
  const plan& prepare(workspace<P>& w, int height, int width, int batch = 1) const {
    check_counts(w, batch);
    if (w.owner_ != identity_) {
      w.plans_.clear();
      w.last_ = {};  // a run of another model
      w.owner_ = identity_;
    }
    const typename workspace<P>::plan_key key{batch, height, width, w.threads};
    auto found = w.plans_.find(key);
    if (found == w.plans_.end()) {
      plan p = plan_for(batch, height, width, w.threads);
      if (w.plans_.size() >= workspace<P>::sizes_kept) w.plans_.clear();
      found = w.plans_.emplace(key, std::move(p)).first;
      if constexpr (requires { P::start(w.threads); }) P::start(w.threads);
    }
    const std::size_t bytes = static_cast<std::size_t>(found->second.arena) * sizeof(element);
    if (bytes > w.arena_.bytes) w.last_ = {};  // what the arena holds is lost
    w.arena_.grow(bytes);
    w.scratch_.grow(scratch_for(found->second, w.threads));
    return found->second;
  }

  /// The same for an image, which is checked first.
  const plan& prepare_for(const pixels_view& image, workspace<P>& w) const {
    check(image, w);
    return prepare(w, image.height, image.width, image.batch);
  }

  /// Runs the network on a batch of images. Throws std::invalid_argument where extents do not fit, cancelled where
  /// w.on_step says so.
  void run(const pixels_view& image, const results& out, workspace<P>& w) const {
    const plan& p = prepare_for(image, w);
    const typename workspace<P>::plan_key key{image.batch, image.height, image.width, w.threads};
    check_results(p, out);
    const auto one_a_step = [&](const char* what, std::size_t size) {
      const int steps = static_cast<int>(p.steps.size());
      if (size > 0) expect_between(what, static_cast<int>(size), steps, steps);
    };
    one_a_step("step_seconds", w.step_seconds.size());
    one_a_step("step_largest", w.step_largest.size());
    w.last_ = {};
    const pixels_view seen = transfer<P>::upload_image(image, w);
    const results there{.labels = transfer<P>::place(out.labels, w.labels_),
                        .probabilities = transfer<P>::place(out.probabilities, w.probabilities_)};
    int done = 0;
    const int total = static_cast<int>(
        std::count_if(p.steps.begin(), p.steps.end(), [&](const step& s) { return wanted(s, out); }));
    report(w.on_step, done, total);
    const run_memory<P> memory = memory_of(seen, there, w);
    const plan_run<P> steps(p, kernels_, weights_, memory);
    auto group = p.groups.begin();
    for (std::size_t i = 0; i < p.steps.size();) {
      const bool grouped = group != p.groups.end() && group->first == static_cast<int>(i);
      const std::size_t end = grouped ? static_cast<std::size_t>(group->last) + 1 : i + 1;
      if (grouped) {
        steps.group(*group++);
      } else if (wanted(p.steps[i], out)) {
        steps.whole(i);
      }
      for (; i < end; ++i)
        if (wanted(p.steps[i], out)) report(w.on_step, ++done, total);
    }
    transfer<P>::fetch(out.labels, w.labels_, w);
    transfer<P>::fetch(out.probabilities, w.probabilities_, w);
    transfer<P>::fetch_value(p, p.logits, out.logits, w);
    w.last_ = key;
  }

  /// Whether a run that gives `out` needs a step.
  static bool wanted(const step& s, const results& out) {
    if (s.form.kind == step_kind::labels) return out.labels.data != nullptr;
    if (s.form.kind == step_kind::probabilities) return out.probabilities.data != nullptr;
    return true;
  }

  /// The feature map of a node after the last run in a workspace: (batch, height, width, C). Throws
  /// std::invalid_argument where there was none, or where the map is not kept: plan_options::keep_everything() keeps
  /// every one but that of a last resize.
  tensor<float> value_of(int node, workspace<P>& w) const {
    const auto found = w.owner_ == identity_ ? w.plans_.find(w.last_) : w.plans_.end();
    if (found == w.plans_.end()) throw std::invalid_argument("this workspace holds no run of this model");
    expect_between("node", node, 0, network().size() - 1);
    const plan& p = found->second;
    const int v = p.value_of_node[static_cast<std::size_t>(node)];
    if (v < 0 || (options_.reuse && v != p.logits)) {
      throw std::invalid_argument("node " + std::to_string(node) +
                                  " leaves no value: plan with keep_everything()");
    }
    tensor<float> t(p.batch, p.values[static_cast<std::size_t>(v)].extent);
    transfer<P>::fetch_value(p, v, t.view(), w);
    return t;
  }

 private:
  std::pair<shape, shape> shapes_for(int height, int width) const {
    const graph recorded = network_at(height, width);
    const graph_view g = recorded;
    const bool resized = g[g.output].what.kind == op_kind::resize;
    return {g[g.output].out, g[resized ? g.input(g.output) : g.output].out};
  }

  plan plan_for(int batch, int height, int width, int threads) const {
    const graph g = network_at(height, width);
    plan p = make_plan(g, batch, with_bands(options_, threads));
    if (!same_layers(g, graph_) || !same_structure(p, plan_)) {
      throw std::invalid_argument("the network has another structure at " + text_of(graph_view(g).image()) +
                                  " than at " + text_of(graph_view(graph_).image()));
    }
    return p;
  }

  /// What the kernels of a plan need, on whole maps and on bands.
  static std::size_t scratch_for(const plan& p, int threads) {
    std::size_t most = 0;
    const auto extent = [&](int v) { return v < 0 ? shape{} : p.values[static_cast<std::size_t>(v)].extent; };
    for (const step& s : p.steps) most = std::max(most, P::scratch_bytes(s, extent(s.x), threads));
    for (const band_task& t : p.tasks) {
      const step& s = p.steps[static_cast<std::size_t>(t.step)];
      const shape x = extent(s.x), seen{t.x.count(), x.width, x.channels};
      most = std::max(most, P::scratch_bytes(on_band(s, x, t), seen, threads));
    }
    return most;
  }

  /// Bands of rows as the policy likes them for so many threads, unless the caller says otherwise; none where every map
  /// has to be kept.
  static plan_options with_bands(plan_options options, int threads) {
    if constexpr (requires { P::band_elements(threads); }) {
      if (options.band_elements < 0)
        options.band_elements = P::band_elements(threads), options.band_pixels = P::band_pixels(threads);
    }
    if (!P::host_memory || !options.reuse) options.band_elements = 0;
    return options;
  }

  static constexpr int most_threads = 1 << 16, most_batch = 1 << 16;

  static void check_counts(const workspace<P>& w, int batch) {
    expect_between("threads", w.threads, 1, most_threads);
    expect_between("batch", batch, 1, most_batch);
  }

  static void expect_between(const char* what, int found, int least, int most) {
    if (found >= least && found <= most) return;
    throw std::invalid_argument(std::string(what) + ": expected " + std::to_string(least) + " to " +
                                std::to_string(most) + ", found " + std::to_string(found));
  }

  static run_memory<P> memory_of(const pixels_view& image, const results& out, workspace<P>& w) {
    return {.image = image,
            .out = out,
            .arena = reinterpret_cast<element*>(P::address(w.arena_.bytes_of)),
            .scratch = {P::address(w.scratch_.bytes_of), w.scratch_.bytes},
            .threads = w.threads,
            .seconds = w.step_seconds,
            .largest = w.step_largest};
  }

  std::function<graph(shape)> record_;
  plan_options options_;
  graph graph_;
  plan plan_;
  std::vector<kernel_function<P>> kernels_;
  packed_weights<P> weights_;
  std::shared_ptr<const char> identity_ = std::make_shared<char>();  // an address that no later model has
};

}  // namespace atrous
