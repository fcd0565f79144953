// SPDX-License-Identifier: MIT
#pragma once
// The weights of a plan in a policy's memory and layout: folded, packed and uploaded layer by layer, so that
// loading never holds a second copy of the network.
#include <cstdint>
#include <vector>

#include <atrous/backend/policy.hpp>
#include <atrous/graph/graph.hpp>
#include <atrous/plan/plan.hpp>
#include <atrous/weights/fold.hpp>

namespace atrous {

template <backend P>
class packed_weights {
 public:
  using element = typename P::element;

  packed_weights() = default;

  /// Throws std::invalid_argument for weights that are not finite, naming the tensor.
  packed_weights(graph_view g, plan_view p, const binding& b) {
    const folder fold(g, b);
    const auto read_by =
        [&](const step& s) {  // the input of the step, and of its first layer where it has two
          return s.x < 0 ? g.image() : p.values[static_cast<std::size_t>(s.x)].extent;
        };
    const auto read_last = [&](const step& s) {
      return s.first_weights.layer < 0 ? read_by(s) : g[s.first_weights.layer].out;
    };
    for (const step& s : p.steps)
      places_.push_back({reserve(g, s.weights, read_last(s)), reserve(g, s.first_weights, read_by(s))});
    memory_ = P::allocate(static_cast<std::size_t>(total_) * sizeof(element));
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
      const step& s = p.steps[i];
      store(g, fold, s.weights, places_[i].main, read_last(s));
      store(g, fold, s.first_weights, places_[i].first, read_by(s));
    }
  }

  layer_weights<element> of(std::size_t step) const { return addresses(places_[step].main); }
  layer_weights<element> first_of(std::size_t step) const { return addresses(places_[step].first); }
  std::int64_t bytes() const { return total_ * static_cast<std::int64_t>(sizeof(element)); }

 private:
  struct place {
    std::int64_t kernel = -1, bias = -1, border = -1;  // offsets in elements
  };
  struct places {
    place main, first;
  };

  std::int64_t take(std::int64_t elements) {
    constexpr std::int64_t line = 64 / sizeof(element);
    const std::int64_t at = total_;
    total_ += (elements + line - 1) / line * line;
    return at;
  }

  static bool windowed(graph_view g, source s) {
    return s.layer >= 0 &&
           (g[s.layer].what.kind == op_kind::convolution || g[s.layer].what.kind == op_kind::depthwise);
  }

  place reserve(graph_view g, source s, shape in) {
    place p;
    if (s.layer < 0 && s.norm < 0) return p;
    if (!windowed(g, s)) {
      std::int64_t owned = 0;
      for (const parameter& each : g.parameters_of(s.layer < 0 ? s.norm : s.layer)) owned += each.size();
      const bool norm = s.layer < 0 || g[s.layer].what.kind == op_kind::normalise;
      p.kernel = take(norm ? in.channels : owned);
      p.bias = take(norm ? in.channels : 0);
      return p;
    }
    p.kernel = take(P::packed_elements(g[s.layer].what, in));
    p.bias = take(g[s.layer].out.channels);
    if (g[s.layer].what.pad.outside == padding::border::per_channel) p.border = take(in.channels);
    return p;
  }

  void store(graph_view g, const folder& fold, source s, const place& p, shape in) {
    if (p.kernel < 0) return;
    const folded_layer f = fold(s);
    if (windowed(g, s)) {
      std::vector<element> packed(static_cast<std::size_t>(P::packed_elements(g[s.layer].what, in)));
      P::pack(g[s.layer].what, in, f.kernel.data(), packed.data());
      upload(packed, p.kernel);
    } else {
      upload(f.kernel, p.kernel);
    }
    upload(f.bias, p.bias);
    upload(f.border, p.border);
  }

  template <class T>
  void upload(const std::vector<T>& numbers, std::int64_t at) {
    if (numbers.empty() || at < 0) return;
    const std::vector<element> converted(numbers.begin(), numbers.end());
    P::upload(memory_, static_cast<std::size_t>(at) * sizeof(element), converted.data(),
              converted.size() * sizeof(element));
  }

  layer_weights<element> addresses(const place& p) const {
    const auto* first = reinterpret_cast<const element*>(P::address(memory_));
    const auto at = [&](std::int64_t offset) { return offset < 0 ? nullptr : first + offset; };
    return {at(p.kernel), at(p.bias), at(p.border)};
  }

  std::vector<places> places_;
  std::int64_t total_ = 0;
  typename P::buffer memory_{};
};

}  // namespace atrous
