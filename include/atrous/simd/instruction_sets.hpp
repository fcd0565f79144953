// SPDX-License-Identifier: MIT
#pragma once
// One binary for every processor, without -march. The hot code is a template over one of the tags below, always
// inlined into a thin function that is compiled for that instruction set; `dispatch` calls the right one. Threads
// start outside of it: clang 14 loses the instruction set inside a parallel region.
namespace atrous::simd {

// Of functions with one name the linker keeps one, whatever flags its unit was compiled with. So everything here, and
// what has a type of here in its name, bears the name of the flags: kernels of units built for different processors
// stay apart (tests/processors).
#if defined(__AVX512F__)
inline namespace built_for_avx512 {
#elif defined(__AVX2__)
inline namespace built_for_avx2 {
#elif defined(__AVX__)
inline namespace built_for_avx {
#elif defined(__SSE3__)
inline namespace built_for_sse3 {
#elif defined(__ARM_FEATURE_SVE)
inline namespace built_for_sve {
#else
inline namespace built_for_baseline {
#endif

/// For the name of what kernels use that has no other type of here in it: `template <class T, class = simd::this_unit>`.
struct this_unit {};

/// What kernels are compiled for, from the narrowest to the widest.
enum class instruction_set { baseline, avx2, avx512, avx512_vnni };

// Per tag: `bytes` of a vector; `rows` x (`vectors` vectors) of a product kept in registers; `prefetch`, whether products
// fetch ahead what they will read; `depthwise_rows` of output whose sums and weights registers hold; `integers`, whether
// products of what is stored in half are those of pairs of 16-bit integers (pairs.hpp).

/// clang (19) takes neither assembly nor builtins of another processor in what is inlined into a function for it, and makes
/// two instructions too many of the same in plain code.
#if defined(__clang__)
inline constexpr bool compiles_pairs = false;
#else
inline constexpr bool compiles_pairs = true;
#endif

/// Every processor of AArch64, which has twice the registers of SSE2.
struct neon {
  static constexpr int bytes = 16, rows = 8, vectors = 2, depthwise_rows = 2;
  static constexpr bool prefetch = false, integers = false;
};
/// Every x86-64 (SSE2), and whatever else the compiler knows.
struct sse2 {
  static constexpr int bytes = 16, rows = 4, vectors = 2, depthwise_rows = 1;
  static constexpr bool prefetch = false, integers = false;
};
/// x86-64 with AVX2, FMA and F16C, which every processor with AVX2 has.
struct avx2 {
  static constexpr int bytes = 32, rows = 6, vectors = 2, depthwise_rows = 1;
  static constexpr bool prefetch = true, integers = compiles_pairs;
};
/// x86-64 with AVX-512 F, VL, BW and DQ.
struct avx512 {
  static constexpr int bytes = 64, rows = 14, vectors = 2, depthwise_rows = 2;
  static constexpr bool prefetch = true, integers = compiles_pairs;
};
/// The same with dot products of 16-bit integers.
struct avx512_vnni : avx512 {
  static constexpr bool dot_products = true;
};

#if defined(__aarch64__)
using baseline = neon;
#else
using baseline = sse2;
#endif

/// The properties of an instruction set as values.
struct properties {
  int bytes = 0, rows = 0, vectors = 0;
  bool integers = false;
};

template <class Isa>
constexpr properties properties_of{Isa::bytes, Isa::rows, Isa::vectors, Isa::integers};

constexpr properties properties_at(instruction_set set) {
  switch (set) {
    case instruction_set::avx512_vnni:
      return properties_of<avx512_vnni>;
    case instruction_set::avx512:
      return properties_of<avx512>;
    case instruction_set::avx2:
      return properties_of<avx2>;
    default:
      return properties_of<baseline>;
  }
}

// Job is a callable with `template <class Isa> [[gnu::always_inline]] void operator()() const`. What it calls must
// be inlined too, or it is compiled for the baseline. One that says `static constexpr bool multiplies_integers = true` is
// compiled for dot products of integers, too.

template <class Job>
concept job_of_integers = Job::multiplies_integers;

template <class Job>
void run_baseline(const Job& job) {
  job.template operator()<baseline>();
}

#if defined(__x86_64__)

template <class Job>
[[gnu::target("avx2,fma,f16c")]] void run_avx2(const Job& job) {
  job.template operator()<avx2>();
}

#if defined(__clang__)  // which otherwise may split wide vectors
template <class Job>
[[gnu::target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c"), clang::min_vector_width(512)]] void
run_avx512(const Job& job) {
  job.template operator()<avx512>();
}
template <class Job>
[[gnu::target("avx512vnni,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c"),
  clang::min_vector_width(512)]] void
run_avx512_vnni(const Job& job) {
  job.template operator()<avx512_vnni>();
}
#else
template <class Job>
[[gnu::target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")]] void run_avx512(const Job& job) {
  job.template operator()<avx512>();
}
template <class Job>
[[gnu::target("avx512vnni,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")]] void run_avx512_vnni(
    const Job& job) {
  job.template operator()<avx512_vnni>();
}
#endif

/// Whether this processor has an instruction set.
inline bool has(instruction_set set) {
  const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (set) {
    case instruction_set::avx512_vnni:
      return has(instruction_set::avx512) && __builtin_cpu_supports("avx512vnni");
    case instruction_set::avx512:
      return fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    case instruction_set::avx2:
      return fma;
    default:
      return true;
  }
}

/// Runs a job in its version for an instruction set, which this processor must have.
template <class Job>
void dispatch(instruction_set set, const Job& job) {
  switch (set) {
    case instruction_set::avx512_vnni:
      if constexpr (job_of_integers<Job>) {
        return run_avx512_vnni(job);
      } else {
        return run_avx512(job);
      }
    case instruction_set::avx512:
      return run_avx512(job);
    case instruction_set::avx2:
      return run_avx2(job);
    default:
      return run_baseline(job);
  }
}

#else

constexpr bool has(instruction_set set) { return set == instruction_set::baseline; }

template <class Job>
void dispatch(instruction_set, const Job& job) {
  run_baseline(job);
}

#endif

/// The widest that this processor has; looked up once.
struct widest {
  static instruction_set get() {
    static const instruction_set found = has(instruction_set::avx512_vnni) ? instruction_set::avx512_vnni
                                         : has(instruction_set::avx512)    ? instruction_set::avx512
                                         : has(instruction_set::avx2)      ? instruction_set::avx2
                                                                           : instruction_set::baseline;
    return found;
  }
};

/// Always the same one, which this processor must have: for tests and comparisons.
template <instruction_set Set>
struct only {
  static instruction_set get() { return Set; }
};

}  // inline namespace
}  // namespace atrous::simd
