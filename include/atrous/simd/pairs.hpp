// SPDX-License-Identifier: MIT
#pragma once
// Pairs of 16-bit integers: processors multiply twice as many of them as floats, and add what a pair makes to 32 bits,
// without rounding.
#include <cstdint>

#include <atrous/simd/instruction_sets.hpp>

namespace atrous::simd {

/// Two 16-bit integers side by side in memory; takes as much of it as a float.
enum class pair : std::int32_t {};

/// Adds the products of both integers by lane. Right everywhere, fast where `Isa::integers`.
template <class Isa, class Integers>
[[gnu::always_inline]] inline void add_products(const Integers& x, const Integers& y, Integers& sum) {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (requires { Isa::dot_products; }) {
    Integers made = sum;  // see lanes<half>
    asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(made) : "v"(x), "v"(y));
    sum = made;
    return;
  } else if constexpr (Isa::integers) {
    Integers made;
    asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=v"(made) : "v"(x), "v"(y));
    sum += made;
    return;
  }
#endif
  sum += (x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16);
}

/// Ends the expression that x comes from: g++ fuses a product with a sum in some copies of a loop and not in others.
template <class Vector>
[[gnu::always_inline]] inline void round_here([[maybe_unused]] Vector& x) {
#if defined(__x86_64__) && !defined(__clang__)
  Vector made = x;
  asm("" : "+v"(made));
  x = made;
#endif
}

}  // namespace atrous::simd
