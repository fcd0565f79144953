// SPDX-License-Identifier: MIT
#pragma once
// A recorded network knows numbers, an exported one must compute them from the image it is given. The network is recorded
// at several sizes; what a resize follows in all of them, it follows.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/graph/network.hpp>
#include <atrous/plan/planner.hpp>

namespace atrous {

/// Where the extents of a feature map come from: `like` another node's, a multiple of the layer's own input, or two
/// numbers.
struct extent_rule {
  enum class of { node, input, numbers };
  of by = of::numbers;
  int node = 0;                        // like
  std::int64_t rows = 0, columns = 0;  // factors, or the numbers
};

/// A network at several sizes, the declared one first. Where it takes no other size, there is one.
class recordings {
 public:
  /// Throws std::invalid_argument for a broken rule at the declared size, and for a network that puts other layers
  /// together at another size.
  template <class Define>
  recordings(const Define& define, shape image) {
    graphs_.push_back(record(define, image));
    // Sizes that differ in every way; multiples of 32 for networks that halve and double.
    for (const int unit : {1, 32}) {
      constexpr int more[][2] = {{17, 40}, {38, 67}, {101, 12}, {3, 26}};
      try {
        std::vector<graph> others;
        for (const auto& [rows, columns] : more) {
          others.push_back(
              record(define, {image.height + unit * rows, image.width + unit * columns, image.channels}));
        }
        // Multiples of 32 and one more, where rules differ that round up and down.
        const int height = (image.height + 31) / 32 * 32, width = (image.width + 31) / 32 * 32;
        for (const int beyond : {0, 1}) {
          if (unit > 1) break;
          others.push_back(record(define, {height + beyond, width, image.channels}));
          others.push_back(record(define, {height, width + beyond, image.channels}));
        }
        for (graph& g : others) graphs_.push_back(std::move(g));
        break;
      } catch (const std::invalid_argument&) {
        continue;
      }
    }
    views_.assign(graphs_.begin(), graphs_.end());
    for (const graph_view& other : views()) check_same(other);
  }

  /// At the declared size.
  graph_view first() const { return graphs_[0]; }
  /// Whether other sizes than the declared one can be.
  bool any_size() const { return graphs_.size() > 1; }

  /// Where the extents of node i come from. Nothing where that is none of the rules.
  std::optional<extent_rule> extents_of(int i) const {
    const auto out = [](const graph_view& g, int k) { return g[k].out; };
    const shape here = out(first(), i);
    if (all([&](const graph_view& g) { return same_extent(g[i].out, here); }))
      return extent_rule{extent_rule::of::numbers, 0, here.height, here.width};
    for (int k = 0; k < i; ++k) {
      if (all([&](const graph_view& g) { return same_extent(g[i].out, g[k].out); }))
        return extent_rule{extent_rule::of::node, k};
    }
    if (first()[i].inputs.count == 0) return std::nullopt;
    const int from = first().input(i);
    const int rows = here.height / out(first(), from).height, columns = here.width / out(first(), from).width;
    const bool multiple = all([&](const graph_view& g) {
      return g[i].out.height == rows * g[from].out.height && g[i].out.width == columns * g[from].out.width;
    });
    if (multiple) return extent_rule{extent_rule::of::input, from, rows, columns};
    return std::nullopt;
  }

  /// Whether the average pooling i sees its whole input at every size.
  bool sees_whole(int i) const {
    return all([&](const graph_view& g) {
      const op& o = g[i].what;
      const shape in = g[g.input(i)].out;
      return (o.window_height <= 0 || o.window_height == in.height) &&
             (o.window_width <= 0 || o.window_width == in.width);
    });
  }
  /// Whether its window is of the same extents at every size.
  bool same_window(int i) const {
    const op& o = first()[i].what;
    return all([&](const graph_view& g) {
      return g[i].what.window_height == o.window_height && g[i].what.window_width == o.window_width;
    });
  }

 private:
  std::span<const graph_view> views() const { return views_; }

  template <class Holds>
  bool all(const Holds& holds) const {
    for (const graph_view& g : views()) {
      if (!holds(g)) return false;
    }
    return true;
  }

  static bool same_op(const op& a, const op& b) {
    const padding &p = a.pad, &q = b.pad;
    return a.kind == b.kind && a.out == b.out && a.kernel == b.kernel && a.stride == b.stride &&
           a.rate == b.rate && a.bias == b.bias && a.act == b.act && a.corner == b.corner && p.by == q.by &&
           p.top == q.top && p.left == q.left && p.bottom == q.bottom && p.right == q.right &&
           p.outside == q.outside && a.factors == b.factors && a.offsets == b.offsets;
  }

  void check_same(const graph_view& other) const {
    const graph_view g = first();
    const auto refuse = [&](const std::string& scope) {
      throw std::invalid_argument("ONNX: the network puts other layers together for an image of " +
                                  text_of(other.image()) + " than for " + text_of(g.image()) +
                                  (scope.empty() ? "" : ", first in " + scope) +
                                  "; expected one structure for every size");
    };
    if (!same_layers(g, other)) refuse("");
    for (int i = 0; i < g.size(); ++i) {
      if (!same_op(g[i].what, other[i].what)) refuse(g.scope_name(g[i].scope));
    }
  }

  std::vector<graph> graphs_;
  std::vector<graph_view> views_;
};

}  // namespace atrous
