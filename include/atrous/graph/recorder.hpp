// SPDX-License-Identifier: MIT
#pragma once
// Recording: a network function is called once with a wire that stands for the image, and every layer applied to
// a wire appends a node. The same code records at compile time and at run time.
#include <cstdint>
#include <span>
#include <string_view>

#include <atrous/graph/graph.hpp>
#include <atrous/graph/mistake.hpp>

namespace atrous {

/// A scope's name: a text, or a text with a number in it ("unit_" 3, "separable_conv" 1 "_depthwise").
struct label {
  std::string_view text{};
  int number = -1;
  std::string_view suffix{};

  constexpr label(const char* name) : text(name) {}
  constexpr label(std::string_view name) : text(name) {}
  constexpr label(std::string_view before, int digits, std::string_view after = {})
      : text(before), number(digits), suffix(after) {}
};

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
    net.text.reserve(8192);
    net.nodes.push_back({.what = {}, .out = image});
    net.scopes.push_back({});
    expect(image.height > 0 && image.width > 0 && image.channels > 0,
           {rule::image_must_not_be_empty, image, image});
  }

  /// Holds a layer to one of its rules.
  constexpr void expect(bool holds, mistake m) {
    if (holds) return;
    if (strict_) report(m, graph_view(net).scope_name(current_));
    if (first.broken == rule::none) first = m;
  }

  constexpr int append(const op& what, shape out, std::span<const int> inputs, const parameter_list& owned,
                       std::int64_t madds) {
    node n{.what = what, .out = out, .scope = current_, .madds = madds};
    n.inputs = {static_cast<int>(net.edges.size()), static_cast<int>(inputs.size())};
    n.parameters = {static_cast<int>(net.parameters.size()), owned.count};
    for (int i : inputs) net.edges.push_back(i);
    for (const parameter& p : owned) net.parameters.push_back(p);
    net.nodes.push_back(n);
    return static_cast<int>(net.nodes.size()) - 1;
  }

  constexpr int enter(const label& name) {
    const int outer = current_;
    const int begin = static_cast<int>(net.text.size());
    write(name.text);
    if (name.number >= 0) write_number(name.number);
    write(name.suffix);
    net.scopes.push_back({{begin, static_cast<int>(net.text.size()) - begin}, outer});
    current_ = static_cast<int>(net.scopes.size()) - 1;
    return outer;
  }
  constexpr void leave(int outer) { current_ = outer; }

 private:
  constexpr void write(std::string_view text) { net.text.insert(net.text.end(), text.begin(), text.end()); }
  constexpr void write_number(int number) {
    if (number >= 10) write_number(number / 10);
    net.text.push_back(static_cast<char>('0' + number % 10));
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
