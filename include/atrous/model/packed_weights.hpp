// SPDX-License-Identifier: MIT
#pragma once
// The weights of a plan in a policy's memory and layout: folded and packed layer by layer, so that loading
// never holds a second copy of the network, nor more than a layer's for each thread.
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <atrous/backend/policy.hpp>
#include <atrous/core/finite.hpp>
#include <atrous/graph/graph.hpp>
#include <atrous/plan/plan.hpp>
#include <atrous/weights/fold.hpp>

namespace atrous {

template <backend P>
class packed_weights {
 public:
  using element = typename P::element;

  packed_weights() = default;

  /// Packs on up to `threads` threads, if the policy has any. Throws std::invalid_argument for weights that are not
  /// finite, naming the first tensor in the order of the plan's steps.
  packed_weights(graph_view g, plan_view p, const binding& b, int threads = 1) {
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
    each(threads, p.steps.size(), [&](std::size_t i) {
      const step& s = p.steps[i];
      store(g, fold, s.weights, places_[i].main, read_last(s));
      store(g, fold, s.first_weights, places_[i].first, read_by(s));
    });
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

  /// f(i) for every i below `count`; what it throws first in their order is thrown when all are done.
  template <class F>
  static void each(int threads, std::size_t count, const F& f) {
    std::vector<std::exception_ptr> thrown(count);
    const auto guarded = [&](std::int64_t k) {
      const auto i = static_cast<std::size_t>(k);
      try {
        f(i);
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    };
    in_parallel<P>(threads, static_cast<std::int64_t>(count), guarded);
    for (const std::exception_ptr& e : thrown)
      if (e) std::rethrow_exception(e);
  }

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
    if (!windowed(g, s)) {
      upload(f.kernel, p.kernel);
    } else if constexpr (P::host_memory) {
      P::pack(g[s.layer].what, in, f.kernel.data(), first_element() + p.kernel);
    } else {
      std::vector<element> packed(static_cast<std::size_t>(P::packed_elements(g[s.layer].what, in)));
      P::pack(g[s.layer].what, in, f.kernel.data(), packed.data());
      upload(packed, p.kernel);
    }
    upload(f.bias, p.bias);
    upload(f.border, p.border);
    if constexpr (P::host_memory && !std::is_same_v<element, float>) {
      if (!fits(g, s, f, p, in)) {
        throw std::invalid_argument(std::string(g.scope_name(g[s.layer < 0 ? s.norm : s.layer].scope)) +
                                    ": folded weights are beyond what the policy " + P::name + " can store");
      }
    }
  }

  /// Whether what was stored is finite: numbers beyond an element's range are not.
  bool fits(graph_view g, source s, const folded_layer& f, const place& p, shape in) const {
    const element* kernel = first_element() + p.kernel;
    if (p.bias >= 0 && !finite(first_element() + p.bias, std::ssize(f.bias))) return false;
    if (!windowed(g, s)) return finite(kernel, std::ssize(f.kernel));
    const op& what = g[s.layer].what;
    if constexpr (requires { P::fits(what, in, kernel); }) {
      return P::fits(what, in, kernel);
    } else {
      return finite(kernel, P::packed_elements(what, in));
    }
  }

  template <class T>
  void upload(const std::vector<T>& numbers, std::int64_t at) {
    if (numbers.empty() || at < 0) return;
    if constexpr (std::is_same_v<T, element>) {
      P::upload(memory_, static_cast<std::size_t>(at) * sizeof(element), numbers.data(),
                numbers.size() * sizeof(element));
    } else {
      upload(std::vector<element>(numbers.begin(), numbers.end()), at);
    }
  }

  element* first_element() const { return reinterpret_cast<element*>(P::address(memory_)); }

  layer_weights<element> addresses(const place& p) const {
    const element* first = first_element();
    const auto at = [&](std::int64_t offset) { return offset < 0 ? nullptr : first + offset; };
    return {at(p.kernel), at(p.bias), at(p.border)};
  }

  std::vector<places> places_;
  std::int64_t total_ = 0;
  typename P::buffer memory_{};
};

}  // namespace atrous
