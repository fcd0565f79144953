// SPDX-License-Identifier: MIT
#pragma once
// The closed list of structures that the planner makes of published kinds of layers (fuse.hpp, pair.hpp). A network
// put together at run time finds its kernels among them.
#include <array>
#include <cstddef>

#include <atrous/plan/step.hpp>

namespace atrous {

// The types are spelled out: nvcc 13.0 writes deduced ones wrongly where they come again.
inline constexpr std::array<int, 5> listed_kernels{0, 1, 3, 5, 7};
inline constexpr std::array<int, 3> listed_strides{0, 1, 2};
inline constexpr std::array<activation, 3> bounding_activations{activation::none, activation::relu,
                                                                activation::relu6};
inline constexpr std::array<activation, 2> waiting_activations{
    activation::none, activation::relu};  // those that a depthwise loads through

/// Calls visit(structure) for each of the list, in an order that does not change.
template <class Visit>
constexpr void each_structure(const Visit& visit) {
  for (step_kind kind : {step_kind::input, step_kind::max_pool, step_kind::average_pool, step_kind::resize,
                         step_kind::scale, step_kind::copy, step_kind::probabilities, step_kind::labels})
    visit(structure{.kind = kind});
  for (activation alone : {activation::hard_sigmoid, activation::hard_swish})
    visit(structure{.kind = step_kind::activate, .after = alone});
  for (activation after : bounding_activations) {
    for (step_kind kind : {step_kind::batch_norm, step_kind::activate, step_kind::add})
      visit(structure{.kind = kind, .after = after});
    for (int kernel : listed_kernels) {
      for (int stride : listed_strides) {
        for (bool border : {false, true}) {
          for (bool sum : {false, true})
            visit(structure{step_kind::convolution, kernel, stride, activation::none, activation::none, after,
                            sum, border});
          for (activation before : waiting_activations) {
            if (border && before != activation::none) continue;  // it would change the border's values
            visit(structure{step_kind::depthwise, kernel, stride, before, activation::none, after, false,
                            border});
          }
        }
      }
    }
    for (int stride : {1, 2})
      for (activation before : waiting_activations)
        for (activation between : bounding_activations)
          for (bool sum : {false, true})
            visit(structure{step_kind::separable, 3, stride, before, between, after, sum, false});
  }
}

constexpr auto every_structure() {
  constexpr std::size_t count = [] {
    std::size_t n = 0;
    each_structure([&](const structure&) { ++n; });
    return n;
  }();
  std::array<structure, count> all{};
  std::size_t n = 0;
  each_structure([&](const structure& s) { all[n++] = s; });
  return all;
}

}  // namespace atrous
