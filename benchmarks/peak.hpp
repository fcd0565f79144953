// SPDX-License-Identifier: MIT
#pragma once
// The multiply-adds that this machine does at best: independent chains in registers, nothing from memory, in the widest
// instruction set. Measured in the process of the benchmark, since clocks depend on the load.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace benchmarks {

struct chains {
  static constexpr int count = 12, rounds = 1'000'000;
  float* numbers = nullptr;  // (16); read before and written after

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = atrous::simd::lanes<float, Isa::bytes>;
    using vector = typename lanes::vector;
    const vector factor = numbers[0] - vector{}, term = numbers[1] - vector{};
    vector sums[count];
#pragma GCC unroll 16
    for (int k = 0; k < count; ++k) sums[k] = static_cast<float>(k) - vector{};
#pragma GCC unroll 1
    for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
      for (int k = 0; k < count; ++k) sums[k] = sums[k] * factor + term;
    }
    vector all{};
#pragma GCC unroll 16
    for (int k = 0; k < count; ++k) all += sums[k];
    lanes::at(numbers).value = all;
  }
};

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Multiplications and additions per second on `threads` threads, the best of some tries.
inline double peak_flops(int threads) {
  const atrous::simd::instruction_set set = atrous::simd::widest::get();
  const double flops =
      2.0 * chains::count * chains::rounds * atrous::simd::properties_at(set).bytes / sizeof(float);
  double best = 0;
  for (int i = 0; i < 8; ++i) {
    const double start = seconds();
    atrous::cpu::parallel_for(threads, threads, [&](std::int64_t, int) {
      alignas(64) float numbers[16] = {0.5F, 0.25F};
      atrous::simd::dispatch(set, chains{numbers});
      benchmark::DoNotOptimize(numbers);
    });
    best = std::max(best, threads * flops / (seconds() - start));
  }
  return best;
}

}  // namespace benchmarks
