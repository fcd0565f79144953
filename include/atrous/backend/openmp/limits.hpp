// SPDX-License-Identifier: MIT
#pragma once
// Activations as values: one instantiation of a kernel serves them all.
#include <limits>

#include <atrous/core/half.hpp>
#include <atrous/graph/op.hpp>

namespace atrous::cpu {

/// An activation of x is x, but at least `low` and at most `high`. T is what numbers are stored as.
template <class T>
struct bounds {
  arithmetic<T> low = -std::numeric_limits<arithmetic<T>>::infinity();
  arithmetic<T> high = std::numeric_limits<arithmetic<T>>::infinity();
};

template <class T>
constexpr bounds<T> bounds_of(activation act) {
  if (act == activation::none) return {};
  if (act == activation::relu) return {.low = 0};
  return {.low = 0, .high = 6};
}

}  // namespace atrous::cpu
