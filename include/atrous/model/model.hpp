// SPDX-License-Identifier: MIT
#pragma once
// A network known at compile time with its weights: only the kernels that its plan needs are compiled.
#include <array>
#include <utility>

#include <atrous/model/inference.hpp>

namespace atrous {

/// `model<voc, openmp> m(read_safetensors("voc.safetensors"));` Runs any height x width and batch. Keeps no
/// reference to the file's tensors.
template <const network& Net, backend Policy>
class model : public inference<Policy> {
 public:
  /// Packs the weights on up to `threads` threads. Throws weights_mismatch, naming every tensor, if they do not fit the
  /// network.
  explicit model(const tensor_set& weights, int threads = 1)
      : inference<Policy>(engine<Policy>([](shape image) { return record(Net.define, image); }, Net.image,
                                         table(), weights, {}, threads)) {}

 private:
  template <std::size_t... I>
  static constexpr auto kernels_of(std::index_sequence<I...>) {
    return std::array<kernel_function<Policy>, sizeof...(I)>{kernel_for<Policy, structures_of<Net>[I]>()...};
  }
  static constexpr auto kernels = kernels_of(std::make_index_sequence<structures_of<Net>.size()>{});

  static kernel_table<Policy> table() { return {structures_of<Net>, kernels}; }
};

}  // namespace atrous
