// SPDX-License-Identifier: MIT
#pragma once
// What can be applied to a wire: a primitive, which answers four questions about itself, or a layer, which is
// any callable from wire to wire (a struct, a lambda, a function).
#include <array>
#include <concepts>
#include <cstdint>

#include <atrous/graph/recorder.hpp>

namespace atrous {

/// Any callable from wire to wire.
template <class L>
concept layer = requires(const L& l, wire x) {
  { l(x) } -> std::same_as<wire>;
};

/// What am I? A primitive must say that much; it may add what comes out, what it owns, what it costs
/// (multiply-adds of one image), and `check(recorder&, shape in)`, which holds it to its rules. What it
/// leaves out is: the shape of what comes in, nothing, nothing, no rules.
template <class P>
concept primitive = requires(const P& p) {
  { p.describe() } -> std::same_as<op>;
};

/// The shape that a primitive makes of `in`.
template <primitive P>
constexpr shape output_of(const P& p, shape in) {
  if constexpr (requires { p.output(in); }) {
    return p.output(in);
  } else {
    return in;
  }
}

/// The trained arrays that a primitive owns behind an input of shape `in`.
template <primitive P>
constexpr parameter_list parameters_of(const P& p, shape in) {
  if constexpr (requires { p.parameters(in); }) {
    return p.parameters(in);
  } else {
    return {};
  }
}

/// The multiply-adds of a primitive on one image of shape `in`.
template <primitive P>
constexpr std::int64_t madds_of(const P& p, shape in) {
  if constexpr (requires { p.madds(in); }) {
    return p.madds(in);
  } else {
    return 0;
  }
}

/// Applies a layer or a primitive: `x >> depthwise{.rate = 12}`.
template <class L>
requires layer<L> || primitive<L>
constexpr wire operator>>(wire x, const L& l) {
  if constexpr (primitive<L>) {
    const shape in = x.shape();
    const op what = l.describe();
    x.net->expect(what.kind != op_kind::input, {rule::layer_must_say_what_it_is, in, in});
    if constexpr (requires { l.check(*x.net, in); }) l.check(*x.net, in);
    const std::array<int, 1> from{x.id};
    return {x.net, x.net->append(what, output_of(l, in), from, parameters_of(l, in), madds_of(l, in))};
  } else {
    return l(x);
  }
}

}  // namespace atrous
