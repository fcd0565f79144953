// SPDX-License-Identifier: MIT
#pragma once
// What compare.py has Callgrind count: the work below, and nothing of what prepares it.
#include <valgrind/callgrind.h>
#include <cstdio>

#include <atrous/backend/openmp.hpp>

namespace instructions {

using namespace atrous;

template <simd::instruction_set Set>
using policy = openmp_with<simd::only<Set>>;

/// The name of what `counted` is called for next.
inline void announce(simd::instruction_set set, const char* name) {
  std::printf("%s, %s\n", set == simd::instruction_set::baseline ? "baseline" : "avx2", name);
}

/// Everything else runs without instrumentation, which takes most of the time.
template <class Work>
void counted(const Work& work) {
  CALLGRIND_START_INSTRUMENTATION;
  work();
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS;
}

/// Counts every kernel, or one run of a network, for one instruction set.
template <simd::instruction_set Set>
void count_kernels();
template <simd::instruction_set Set>
void count_network();

}  // namespace instructions
