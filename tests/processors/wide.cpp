// SPDX-License-Identifier: MIT
// The unit of a program that is compiled for newer processors than the rest of it: all kernels, and nothing else that
// would leave functions for the linker to choose from.
#include <utility>

#include <atrous/plan/structures.hpp>

#include "wide.hpp"

namespace {

constexpr auto structures = atrous::every_structure();

template <class P, std::size_t... K>
constexpr std::array<atrous::kernel_function<P>, sizeof...(K)> kernels_of(std::index_sequence<K...>) {
  return {atrous::kernel_for<P, structures[K]>()...};
}
constexpr auto all = std::make_index_sequence<structures.size()>{};

}  // namespace

atrous::kernel_function<atrous::reference> kernel_for_avx2(std::size_t k) {
#if !defined(__AVX2__)
#error this file is to be compiled with -march=haswell
#endif
  static constexpr auto kernels = kernels_of<atrous::openmp>(all);
  return kernels[k];
}

atrous::kernel_function<atrous::openmp_half> half_kernel_for_avx2(std::size_t k) {
  static constexpr auto kernels = kernels_of<atrous::openmp_half>(all);
  return kernels[k];
}
