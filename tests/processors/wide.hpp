// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>

/// The kernel of the openmp policy for structure k of every_structure(), compiled with -march=haswell.
atrous::kernel_function<atrous::reference> kernel_for_avx2(std::size_t k);
