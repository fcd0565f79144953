// SPDX-License-Identifier: MIT
#pragma once
// A network put together at run time: same recorder, rules, planner and kernels as `model`, the kernels taken
// from a table of every structure there is. Programs and importers use it; code that knows its network uses
// `model`.
#include <array>
#include <utility>

#include <atrous/model/inference.hpp>
#include <atrous/plan/structures.hpp>

namespace atrous {

/// The structures that a policy has kernels for: all that the planner makes of the library's primitives, and
/// `P::own_structures` where the policy brings kernels for primitives of its own.
template <class P>
constexpr auto structures_for() {
  if constexpr (requires { P::own_structures; }) {
    constexpr auto all = every_structure();
    std::array<structure, all.size() + P::own_structures.size()> more{};
    for (std::size_t i = 0; i < all.size(); ++i) more[i] = all[i];
    for (std::size_t i = 0; i < P::own_structures.size(); ++i) more[all.size() + i] = P::own_structures[i];
    return more;
  } else {
    return every_structure();
  }
}

/// `runtime_model<openmp> m(define, {513, 513, 3}, read_safetensors(file));` Runs any height x width and batch.
template <backend Policy>
class runtime_model : public inference<Policy> {
 public:
  /// `define` is any callable from wire to wire; `image` is what it is checked for. Weights are packed on up to `threads`
  /// threads. Throws std::invalid_argument for a broken rule, weights_mismatch for weights that do not fit.
  runtime_model(std::function<wire(wire)> define, shape image, const tensor_set& weights,
                plan_options options = {}, int threads = 1)
      : inference<Policy>(engine<Policy>([define = std::move(define)](shape s) { return record(define, s); },
                                         image, table(), weights, options, threads)) {}

 private:
  static constexpr auto structures = structures_for<Policy>();

  template <std::size_t... I>
  static constexpr auto kernels_of(std::index_sequence<I...>) {
    return std::array<kernel_function<Policy>, sizeof...(I)>{kernel_for<Policy, structures[I]>()...};
  }

  static kernel_table<Policy> table() {
    static constexpr auto kernels = kernels_of(std::make_index_sequence<structures.size()>{});
    return {structures, kernels};
  }
};

}  // namespace atrous
