// SPDX-License-Identifier: MIT
#pragma once
// The multiply-adds that this machine does at best: independent chains in registers, nothing from memory, in the widest
// instruction set. Measured in the process of the benchmark, since clocks depend on the load. Of numbers in half it is that
// of pairs of 16-bit integers where the processor's kernels have such products, whatever a layer uses, else that of floats.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <type_traits>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>
#include <atrous/simd/pairs.hpp>

namespace benchmarks {

/// Of numbers stored as T.
template <class T>
struct chains {
  static constexpr int count = 12, rounds = 1'000'000;
  static constexpr bool multiplies_integers = !std::is_same_v<T, float>;
  float* numbers = nullptr;  // (16); read before and written after

  /// What one of the chain's instructions makes, a vector being of so many bytes.
  static constexpr double multiply_adds(const atrous::simd::properties& of) {
    return double(of.bytes) / sizeof(float) * (multiplies_integers && of.integers ? 2 : 1);
  }

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    constexpr bool pairs = multiplies_integers && Isa::integers;
    using lanes = atrous::simd::lanes<std::conditional_t<pairs, std::int32_t, float>, Isa::bytes>;
    using vector = typename lanes::vector;
    using number = std::remove_cvref_t<decltype(vector{}[0])>;
    constexpr int scale = pairs ? 8 : 1;  // 0 would be no number to multiply
    vector factor = static_cast<number>(numbers[0] * scale) - vector{};
    const vector term = static_cast<number>(numbers[1] * scale) - vector{};
    vector sums[count];
#pragma GCC unroll 16
    for (int k = 0; k < count; ++k) sums[k] = static_cast<number>(k) - vector{};
#pragma GCC unroll 1
    for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
      for (int k = 0; k < count; ++k) {
        if constexpr (pairs) {
          atrous::simd::round_here(factor);  // else one product serves all sums
          atrous::simd::add_products<Isa>(factor, term, sums[k]);
        } else {
          sums[k] = sums[k] * factor + term;
        }
      }
    }
    vector all{};
#pragma GCC unroll 16
    for (int k = 0; k < count; ++k) all += sums[k];
    lanes::at(reinterpret_cast<number*>(numbers)).value = all;
  }
};

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Multiplications and additions per second of numbers stored as T on `threads` threads, the best of some tries.
template <class T = float>
double peak_flops(int threads) {
  using work = chains<T>;
  const atrous::simd::instruction_set set = atrous::simd::widest::get();
  const double flops =
      2.0 * work::count * work::rounds * work::multiply_adds(atrous::simd::properties_at(set));
  double best = 0;
  for (int i = 0; i < 8; ++i) {
    const double start = seconds();
    atrous::cpu::parallel_for(threads, threads, [&](std::int64_t, int) {
      alignas(64) float numbers[16] = {0.5F, 0.25F};
      atrous::simd::dispatch(set, work{numbers});
      benchmark::DoNotOptimize(numbers);
    });
    best = std::max(best, threads * flops / (seconds() - start));
  }
  return best;
}

}  // namespace benchmarks
