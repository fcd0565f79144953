// SPDX-License-Identifier: MIT
#pragma once
// What compare.py has Callgrind count: the work below, and nothing of what prepares it.
#include <functional>

#include <atrous/backend/openmp.hpp>

namespace instructions {

using namespace atrous;

template <simd::instruction_set Set>
using policy = openmp_with<simd::only<Set>>;

/// Prints the name of what is counted next, then does the work inside of `counted_region`.
void count(const char* set, const char* name, const std::function<void()>& work);

/// Counts every kernel, or one run of a network, for one instruction set.
template <simd::instruction_set Set>
void count_kernels(const char* set);
template <simd::instruction_set Set>
void count_network(const char* set);

}  // namespace instructions
