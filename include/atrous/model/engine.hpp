// SPDX-License-Identifier: MIT
#pragma once
// Runs plans: what `model` (network known at compile time) and `runtime_model` (put together at run time)
// share. They differ in where their kernels come from.
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/core/tensor.hpp>
#include <atrous/model/packed_weights.hpp>
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

/// What a run gives; a view without data is not wanted. Labels: (batch, height, width, 1) of the network's
/// output; logits: (batch, rows, columns, classes) as they enter the last resize.
struct results {
  view<std::uint8_t> labels{};
  view<float> logits{};
};

template <backend P>
class engine {
 public:
  using element = typename P::element;

  /// `record` gives the graph of any image shape; `declared` is the shape it is checked and loaded for.
  /// Throws std::invalid_argument for a broken rule or weights that do not fit.
  engine(std::function<graph(shape)> record, shape declared, const kernel_table<P>& table,
         const tensor_set& weights, plan_options options = {})
      : record_(std::move(record)),
        options_(options),
        graph_(record_(declared)),
        plan_(make_plan(graph_, 1, options)) {
    for (const step& s : plan_.steps) kernels_.push_back(table.find(s.form));
    weights_ = packed_weights<P>(graph_, plan_, bind(graph_, weights));
  }

  graph_view network() const { return graph_; }
  const plan& declared_plan() const { return plan_; }
  std::int64_t weight_bytes() const { return weights_.bytes(); }

  /// The plan for a size, made when the size is new to the workspace, and the memory for it.
  const plan& prepare(workspace<P>& w, int height, int width, int batch = 1) const {
    expect_between("threads", w.threads, 1, most_threads);
    expect_between("batch", batch, 1, most_batch);
    if (w.owner_ != identity_) w.plans_.clear();
    w.owner_ = identity_;
    auto found = w.plans_.find({batch, height, width});
    if (found == w.plans_.end()) {
      plan p = plan_for(batch, height, width);
      if (w.plans_.size() >= workspace<P>::sizes_kept) w.plans_.clear();
      found = w.plans_.emplace(std::tuple{batch, height, width}, std::move(p)).first;
    }
    const std::size_t bytes = static_cast<std::size_t>(found->second.arena) * sizeof(element);
    if (bytes > w.arena_.bytes) w.last_ = {};  // what the arena holds is lost
    w.arena_.grow(bytes);
    w.scratch_.grow(scratch_for(found->second, w.threads));
    return found->second;
  }

  /// The same for an image, which is checked first.
  const plan& prepare_for(const pixels_view& image, workspace<P>& w) const {
    check_image(image);
    return prepare(w, image.height, image.width, image.batch);
  }

  /// Runs the network on a batch of images. Throws std::invalid_argument where extents do not fit.
  void run(const pixels_view& image, const results& out, workspace<P>& w) const {
    const plan& p = prepare_for(image, w);
    check_results(p, out);
    w.last_ = {};
    const pixels_view seen = upload_image(image, w);
    const view<std::uint8_t> labels = place_labels(out.labels, w);
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
      if (p.steps[i].form.kind == step_kind::labels && out.labels.data == nullptr) continue;
      kernels_[i](operands_of(p, i, seen, labels, w));
    }
    if (out.labels.data != nullptr) download_labels(out.labels, w);
    if (out.logits.data != nullptr) download(p, p.logits, out.logits, w);
    w.last_ = {image.batch, image.height, image.width};
  }

  /// The feature map of a node after the last run in a workspace: (batch, height, width, C). Throws
  /// std::invalid_argument where there was none, or where the map is not kept: plan_options::keep_everything() keeps
  /// every one but that of a last resize.
  tensor<float> value_of(int node, workspace<P>& w) const {
    const auto found = w.owner_ == identity_ ? w.plans_.find(w.last_) : w.plans_.end();
    if (found == w.plans_.end()) throw std::invalid_argument("this workspace holds no run of this model");
    const plan& p = found->second;
    const int v = p.value_of_node.at(static_cast<std::size_t>(node));
    if (v < 0 || (options_.reuse && v != p.logits)) {
      throw std::invalid_argument("node " + std::to_string(node) +
                                  " leaves no value: plan with keep_everything()");
    }
    tensor<float> t(p.batch, p.values[static_cast<std::size_t>(v)].extent);
    download(p, v, t.view(), w);
    return t;
  }

 private:
  plan plan_for(int batch, int height, int width) const {
    const graph g = record_({height, width, graph_view(graph_).image().channels});
    plan p = make_plan(g, batch, options_);
    if (!same_layers(g, graph_) || !same_structure(p, plan_)) {
      throw std::invalid_argument("the network has another structure at " + text_of(graph_view(g).image()) +
                                  " than at " + text_of(graph_view(graph_).image()));
    }
    return p;
  }

  static std::size_t scratch_for(const plan& p, int threads) {
    std::size_t most = 0;
    for (const step& s : p.steps) {
      const shape x = s.x < 0 ? shape{} : p.values[static_cast<std::size_t>(s.x)].extent;
      most = std::max(most, P::scratch_bytes(s, x, threads));
    }
    return most;
  }

  static constexpr int most_threads = 1 << 16, most_batch = 1 << 16;

  static void expect_between(const char* what, int found, int least, int most) {
    if (found >= least && found <= most) return;
    throw std::invalid_argument(std::string(what) + ": expected " + std::to_string(least) + " to " +
                                std::to_string(most) + ", found " + std::to_string(found));
  }

  void check_image(const pixels_view& image) const {
    const int channels = graph_view(graph_).image().channels;
    if (image.data == nullptr || image.batch < 1 || image.height < 1 || image.width < 1) {
      throw std::invalid_argument("image must not be empty: " + std::to_string(image.batch) + " of " +
                                  text_of(image.shape()));
    }
    if (image.channels != channels) {
      throw std::invalid_argument("image has " + std::to_string(image.channels) +
                                  " channels, the network expects " + std::to_string(channels));
    }
  }

  template <class T>
  static void check_view(const char* what, const view<T>& given, shape expected, int expected_batch) {
    const shape found = given.shape();
    const int batch = given.batch;
    if (given.pixel < given.channels) {
      throw std::invalid_argument(std::string(what) + ": pixels are " + std::to_string(given.pixel) +
                                  " elements apart, expected at least " + std::to_string(given.channels));
    }
    if (found == expected && batch == expected_batch) return;
    throw std::invalid_argument(std::string(what) + ": room for " + std::to_string(batch) + " of " +
                                text_of(found) + ", the network gives " + std::to_string(expected_batch) +
                                " of " + text_of(expected));
  }

  static void check_results(const plan& p, const results& out) {
    const shape logits = p.values[static_cast<std::size_t>(p.logits)].extent;
    if (out.logits.data != nullptr) check_view("logits", out.logits, logits, p.batch);
    if (out.labels.data == nullptr) return;
    if (!p.labels)
      throw std::invalid_argument("labels need at most 256 classes, the network gives " + text_of(logits));
    check_view("labels", out.labels, {p.output.height, p.output.width, 1}, p.batch);
  }

  operands<element> operands_of(const plan& p, std::size_t i, const pixels_view& image,
                                const view<std::uint8_t>& labels, workspace<P>& w) const {
    const step& s = p.steps[i];
    auto* arena = reinterpret_cast<element*>(P::address(w.arena_.bytes_of));
    const auto at = [&](int v) {
      if (v < 0) return view<element>();
      const value& there = p.values[static_cast<std::size_t>(v)];
      return view<element>(arena + there.offset, p.batch, there.extent, there.pixel);
    };
    operands<element> o;
    o.run = &s;
    o.x = at(s.x);
    o.other = at(s.other);
    o.y = at(s.y);
    o.image = image;
    o.labels = labels;
    o.weights = weights_.of(i);
    o.first_weights = weights_.first_of(i);
    o.scratch = {P::address(w.scratch_.bytes_of), w.scratch_.bytes};
    o.threads = w.threads;
    return o;
  }

  // ---- the user's memory and the policy's

  static pixels_view upload_image(const pixels_view& image, workspace<P>& w) {
    if constexpr (P::host_memory) return image;
    const std::size_t row = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels) *
                            image.element_bytes();
    const std::size_t rows = static_cast<std::size_t>(image.batch) * static_cast<std::size_t>(image.height);
    w.image_.grow(row * rows);
    pixels_view packed = image;
    packed.data = P::address(w.image_.bytes_of);
    packed.pixel = image.channels;
    packed.row = std::ptrdiff_t{image.width} * image.channels;
    packed.image = packed.row * image.height;
    w.staging_.resize(row);
    const auto* source = static_cast<const std::byte*>(image.data);
    const auto bytes = static_cast<std::ptrdiff_t>(image.element_bytes());
    for (std::size_t r = 0; r < rows; ++r) {
      const auto n = static_cast<std::ptrdiff_t>(r) / image.height,
                 i = static_cast<std::ptrdiff_t>(r) % image.height;
      for (std::ptrdiff_t j = 0; j < image.width; ++j) {
        std::memcpy(w.staging_.data() + j * image.channels * bytes,
                    source + (n * image.image + i * image.row + j * image.pixel) * bytes,
                    static_cast<std::size_t>(image.channels * bytes));
      }
      P::upload(w.image_.bytes_of, r * row, w.staging_.data(), row);
    }
    return packed;
  }

  static view<std::uint8_t> place_labels(const view<std::uint8_t>& labels, workspace<P>& w) {
    if (P::host_memory || labels.data == nullptr) return labels;
    w.labels_.grow(static_cast<std::size_t>(labels.pixels()));
    return {reinterpret_cast<std::uint8_t*>(P::address(w.labels_.bytes_of)), labels.batch, labels.shape()};
  }

  static void download_labels(const view<std::uint8_t>& labels, workspace<P>& w) {
    if constexpr (P::host_memory) return;
    w.staging_.resize(static_cast<std::size_t>(labels.pixels()));
    P::download(w.labels_.bytes_of, 0, w.staging_.data(), w.staging_.size());
    for (std::int64_t p = 0; p < labels.pixels(); ++p)
      *labels.at(p) = static_cast<std::uint8_t>(w.staging_[static_cast<std::size_t>(p)]);
  }

  /// Copies a value out of the arena, pixel by pixel: it may be a slice of a concatenation.
  static void download(const plan& p, int v, const view<float>& to, workspace<P>& w) {
    const value& there = p.values[static_cast<std::size_t>(v)];
    const std::int64_t count = pixels(there.extent) * p.batch;
    const auto offset = static_cast<std::size_t>(there.offset) * sizeof(element);
    const element* from = nullptr;
    if constexpr (P::host_memory) {
      from = reinterpret_cast<const element*>(P::address(w.arena_.bytes_of) + offset);
    } else {
      w.staging_.resize(static_cast<std::size_t>((count - 1) * there.pixel + there.extent.channels) *
                        sizeof(element));
      P::download(w.arena_.bytes_of, offset, w.staging_.data(), w.staging_.size());
      from = reinterpret_cast<const element*>(w.staging_.data());
    }
    for (std::int64_t pixel = 0; pixel < count; ++pixel) {
      for (int c = 0; c < there.extent.channels; ++c)
        to.at(pixel)[c] = static_cast<float>(from[pixel * there.pixel + c]);
    }
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
