// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>

/// The kernel of the openmp policy for structure k of every_structure(), compiled with -march=haswell.
atrous::kernel_function<atrous::reference> kernel_for_avx2(std::size_t k);
/// Not called: that its code stays apart is what counts (apart.cmake).
atrous::kernel_function<atrous::openmp_half> half_kernel_for_avx2(std::size_t k);
