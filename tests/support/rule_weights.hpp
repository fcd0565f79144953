// SPDX-License-Identifier: MIT
#pragma once
// Made-up weights that anybody can make again: every number follows from its tensor's name, its place and its
// role (the weight rule of parity/README.md, by which the expected values of other implementations were
// recorded).
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/graph/graph.hpp>
#include <atrous/weights/dialects/translate.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace rule_weights {

using namespace atrous;

constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return h;
}

constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// r(i) of the rule: in [0, 1), a multiple of 2^-24.
constexpr double draw(std::uint64_t hash, std::uint64_t i) {
  return static_cast<double>(splitmix64(hash + i) >> 40) * 0x1p-24;
}

/// value = offset + factor * r.
struct line {
  double offset = 0, factor = 0;
};

/// A kernel's numbers are (2 r - 1) sqrt(3.5 / fan_in). What the rule does not know is drawn as biases are.
inline line line_of(const parameter& p) {
  const auto around_zero = [](double most) { return line{-most, 2 * most}; };
  const auto taps = double(p.extents[0]) * p.extents[1];
  switch (p.use) {
    case role::kernel:
      return around_zero(std::sqrt(3.5 / (taps * p.extents[2])));
    case role::depthwise_kernel:
      return around_zero(std::sqrt(3.5 / taps));
    case role::gamma:
      return {0.75, 0.5};
    case role::beta:
    case role::moving_mean:
      return around_zero(0.2);
    case role::moving_variance:
      return {0.5, 1};
    default:
      return around_zero(0.1);
  }
}

inline std::vector<float> numbers(std::string_view name, const parameter& p) {
  const std::uint64_t hash = fnv1a(name);
  const line l = line_of(p);
  std::vector<float> all(static_cast<std::size_t>(p.size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<float>(l.offset + l.factor * draw(hash, i));
  return all;
}

/// A tensor for every parameter of the network.
inline tensor_set make(graph_view g) {
  made_set all("the weight rule");
  for (int i = 0; i < g.size(); ++i) {
    for (const parameter& p : g.parameters_of(i)) {
      const std::string name = g.parameter_name(i, p);
      all.add(name, shape_of(p), numbers(name, p));
    }
  }
  return all.take();
}

/// The same in the words and the order of extents of a PyTorch implementation.
inline tensor_set make(graph_view g, const dialect& d) {
  made_set all("the weight rule");
  for (int i = 0; i < g.size(); ++i) {
    for (const parameter& p : g.parameters_of(i)) {
      const std::string name = torch_name(d, g, i, p);
      if (p.use != role::border) all.add(name, torch_shape(p), numbers(name, p));
    }
  }
  return all.take();
}

}  // namespace rule_weights
