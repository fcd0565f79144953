// SPDX-License-Identifier: MIT
// The unit of a program that is compiled for newer processors than the rest of it: all kernels, and nothing else that
// would leave functions for the linker to choose from.
#include <utility>

#include <atrous/plan/structures.hpp>

#include "wide.hpp"

namespace {

constexpr auto structures = atrous::every_structure();

template <std::size_t... K>
constexpr std::array<atrous::kernel_function<atrous::openmp>, sizeof...(K)> kernels_of(
    std::index_sequence<K...>) {
  return {atrous::kernel_for<atrous::openmp, structures[K]>()...};
}

}  // namespace

atrous::kernel_function<atrous::reference> kernel_for_avx2(std::size_t k) {
#if !defined(__AVX2__)
#error this file is to be compiled with -march=haswell
#endif
  static constexpr auto kernels = kernels_of(std::make_index_sequence<structures.size()>{});
  return kernels[k];
}
