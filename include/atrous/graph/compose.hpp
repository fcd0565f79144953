// SPDX-License-Identifier: MIT
#pragma once
// How layers and wires are put together: sequence (>>), sum (+), concat, scale, and names (in).
#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include <atrous/graph/layer.hpp>

namespace atrous {

/// First one layer, then the other. `(x >> f) >> g` equals `x >> (f >> g)`.
template <class First, class Second>
struct sequence {
  First first;
  Second second;
  constexpr wire operator()(wire x) const { return x >> first >> second; }
};

/// Two layers in sequence are a layer: `pointwise{.out = 256} >> normed{}`.
template <class A, class B>
requires(layer<A> || primitive<A>) &&
    (layer<B> || primitive<B>)constexpr sequence<A, B> operator>>(const A& first, const B& second) {
  return {first, second};
}

/// A layer (or anything callable with a wire) whose parameters' names begin with `name/`.
template <class Body>
struct scoped {
  label name;
  Body body;
  constexpr auto operator()(wire x) const {
    recorder& net = *x.net;
    const int outer = net.enter(name);
    const auto y = apply(x);
    net.leave(outer);
    return y;
  }

 private:
  constexpr auto apply(wire x) const {
    if constexpr (primitive<Body>) {
      return x >> body;
    } else {
      return body(x);
    }
  }
};

/// Opens a checkpoint scope: `x >> in("aspp0", pointwise{256})`, `in({"unit_", 3}, module)`.
template <class Body>
constexpr scoped<Body> in(const label& name, const Body& body) {
  return {name, body};
}

/// Adds two feature maps of equal shape.
constexpr wire operator+(wire left, wire right) {
  left.net->expect(left.net == right.net,
                   {rule::wires_must_belong_to_one_network, left.shape(), right.shape()});
  left.net->expect(left.shape() == right.shape(),
                   {rule::addition_needs_equal_shapes, left.shape(), right.shape()});
  const std::array<int, 2> from{left.id, right.id};
  return {left.net, left.net->append({.kind = op_kind::add}, left.shape(), from, {}, 0)};
}

/// Multiplies every pixel of `x` (H x W x C) by the same C values (1 x 1 x C), as squeeze and excitation
/// does.
constexpr wire scale(wire x, wire factors) {
  const shape wanted{1, 1, x.shape().channels};
  x.net->expect(x.net == factors.net, {rule::wires_must_belong_to_one_network, x.shape(), factors.shape()});
  x.net->expect(factors.shape() == wanted,
                {rule::scale_needs_one_value_per_channel, x.shape(), factors.shape()});
  const std::array<int, 2> from{x.id, factors.id};
  return {x.net, x.net->append({.kind = op_kind::scale}, x.shape(), from, {}, 0)};
}

/// Lays feature maps of equal extents one behind the other along their channels, in the order given. At least
/// one.
constexpr wire concat(std::span<const wire> parts) {
  if (parts.empty()) throw std::invalid_argument("concatenation: expected at least one wire, found none");
  const wire first = parts[0];
  shape out = first.shape();
  std::int64_t channels = 0;
  std::vector<int> from;
  for (wire part : parts) {
    first.net->expect(part.net == first.net,
                      {rule::wires_must_belong_to_one_network, first.shape(), part.shape()});
    first.net->expect(same_extent(first.shape(), part.shape()),
                      {rule::concatenation_needs_equal_extents, first.shape(), part.shape()});
    channels += part.shape().channels;
    from.push_back(part.id);
  }
  out.channels = static_cast<int>(std::min<std::int64_t>(channels, most_extent + 1));
  return {first.net, first.net->append({.kind = op_kind::concat}, out, from, {}, 0)};
}

/// The same of wires written one by one: `concat(low, high)`.
template <std::same_as<wire>... Wires>
constexpr wire concat(wire first, Wires... others) {
  const std::array<wire, 1 + sizeof...(others)> parts{first, others...};
  return concat(std::span<const wire>(parts));
}

}  // namespace atrous
