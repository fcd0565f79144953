// SPDX-License-Identifier: MIT
#pragma once
// Recording: a network function is called once with a wire that stands for the image, and every layer applied
// to a wire appends a node. The same code records at compile time and at run time.
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <atrous/graph/graph.hpp>
#include <atrous/graph/mistake.hpp>

namespace atrous {

/// Owns the graph that is being recorded, its names included. A lenient recorder keeps the first mistake and
/// goes on, a strict one reports it at once.
class recorder {
 public:
  graph net;
  mistake first{};

  constexpr explicit recorder(shape image, bool strict = true) : strict_(strict) {
    net.nodes.reserve(512);
    net.edges.reserve(512);
    net.parameters.reserve(1024);
    net.scopes.reserve(512);
    net.scopes.push_back({});
    expect(image.height > 0 && image.width > 0 && image.channels > 0,
           {rule::image_must_not_be_empty, image, image});
    append({}, image, {}, {}, 0);
  }

  /// Holds a layer to one of its rules.
  constexpr void expect(bool holds, mistake m) {
    if (holds) return;
    if (strict_) throw complaint(m, graph_view(net).scope_name(current_));
    if (first.broken == rule::none) first = m;
  }

  constexpr int append(const op& what, shape out, std::span<const int> inputs, const parameter_list& owns,
                       std::int64_t madds) {
    if (!within_limits(out)) {
      refuse_size(out, inputs.empty() ? out : net.nodes[static_cast<std::size_t>(inputs[0])].out);
      out = {1, 1, 1};  // a lenient recorder goes on
    }
    node n{.what = what, .out = out, .scope = current_, .madds = madds};
    n.inputs = {static_cast<int>(net.edges.size()), static_cast<int>(inputs.size())};
    n.parameters = {static_cast<int>(net.parameters.size()), owns.count};
    for (int i : inputs) net.edges.push_back(i);
    for (const parameter& p : owns) {
      net.parameters.push_back(p);
      if (!std::is_constant_evaluated()) net.parameters.back().name = copied(p.name);
    }
    net.nodes.push_back(n);
    return static_cast<int>(net.nodes.size()) - 1;
  }

  /// Opens a scope; returns the one around it, to be handed to `leave`.
  constexpr int enter(const label& name) {
    const int outer = current_;
    net.scopes.push_back({owned(name), outer});
    current_ = static_cast<int>(net.scopes.size()) - 1;
    return outer;
  }
  constexpr void leave(int outer) { current_ = outer; }

 private:
  /// Beyond these limits arithmetic on shapes would not be safe.
  constexpr void refuse_size(shape out, shape in) {
    const bool wide = out.height > most_extent || out.width > most_extent || out.channels > most_extent;
    expect(false,
           {wide ? rule::extents_must_not_exceed_2_to_20 : rule::feature_map_must_not_exceed_2_to_36_elements,
            out, in});
  }

  /// Texts made at run time are copied. At compile time they are literals, and copying characters would be
  /// most of what recording costs the compiler.
  constexpr label owned(label name) {
    if (!std::is_constant_evaluated()) {
      name.text = copied(name.text);
      name.suffix = copied(name.suffix);
      name.tail = copied(name.tail);
    }
    return name;
  }
  constexpr std::string_view copied(std::string_view text) {
    if (text.empty()) return {};
    net.names.emplace_back(text.begin(), text.end());
    return {net.names.back().data(), text.size()};
  }

  int current_ = 0;
  bool strict_;
};

/// A value on its way through the network: the output of one node.
struct wire {
  recorder* net = nullptr;
  int id = 0;

  constexpr atrous::shape shape() const { return net->net.nodes[static_cast<std::size_t>(id)].out; }
  constexpr explicit operator bool() const { return net != nullptr; }
};

}  // namespace atrous
