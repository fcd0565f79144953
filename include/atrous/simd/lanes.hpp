// SPDX-License-Identifier: MIT
#pragma once
// Vectors of the compilers' own extension: arithmetic, comparison and ?: by lane, no intrinsics. A vector is never
// passed or returned by value, which would depend on the instruction set of both sides; helpers take references.
#include <algorithm>
#include <cstdint>
#include <utility>

#include <atrous/core/half.hpp>

namespace atrous::simd {

/// `Bytes` of numbers of type T, which are stored as they are computed. With Bytes = sizeof(T) there is one lane: the
/// way out where rows are shorter than any vector.
template <class T, int Bytes>
struct lanes {
  using number = T;
  static constexpr int width = Bytes / static_cast<int>(sizeof(T));
  typedef T vector __attribute__((vector_size(Bytes)));
  struct anywhere {  // in memory, on any boundary; of a vector type clang would forget that inside a template
    vector value;
  } __attribute__((packed, may_alias));
  template <class U>
  using of = lanes<U, Bytes>;

  /// `at(p).value` reads or writes the vector that begins at p.
  [[gnu::always_inline]] static const anywhere& at(const T* first) {
    return *reinterpret_cast<const anywhere*>(first);
  }
  [[gnu::always_inline]] static anywhere& at(T* first) { return *reinterpret_cast<anywhere*>(first); }

  [[gnu::always_inline]] static void load(const T* first, vector& x) { x = at(first).value; }
  [[gnu::always_inline]] static void store(T* first, const vector& x) { at(first).value = x; }

  /// NaN stays NaN.
  [[gnu::always_inline]] static void clamp(vector& x, const vector& low, const vector& high) {
    x = x < low ? low : x;
    x = x > high ? high : x;
  }
};

/// As many floats, stored as half. Vectors of 32 and 64 bytes are those of AVX2 and AVX-512, whose processors convert
/// (F16C): clang has a type for it, g++ (12) takes it in assembly alone.
template <int Bytes>
struct lanes<half, Bytes> {
  using number = float;
  using vector = typename lanes<float, Bytes>::vector;
  static constexpr int width = lanes<float, Bytes>::width;
  template <class U>
  using of = lanes<U, Bytes>;

  [[gnu::always_inline]] static void load(const half* first, vector& x) {
    if constexpr (converted) {
#if defined(__clang__) && defined(__x86_64__)
      x = __builtin_convertvector(reinterpret_cast<numbers>(reinterpret_cast<const stored*>(first)->all),
                                  vector);
#elif defined(__x86_64__)
      vector made;  // what assembly writes to would lie in memory, were it an array's
      asm("vcvtph2ps {%1, %0|%0, %1}" : "=v"(made) : "m"(*reinterpret_cast<const stored*>(first)));
      x = made;
#endif
    } else {  // as half's constructor and conversion, lane by lane
      const bits_of_float all =
          __builtin_convertvector(reinterpret_cast<const stored*>(first)->all, bits_of_float);
      const bits_of_float rest = (all & 0x7fffU) << 13;
      const vector normal = reinterpret_cast<vector>(rest + (112U << 23));
      const vector small = reinterpret_cast<vector>(rest + (113U << 23)) - 0x1p-14F;
      bits_of_float made = rest < (1U << 23) ? reinterpret_cast<bits_of_float>(small)
                                             : reinterpret_cast<bits_of_float>(normal);
      made = rest >= (0x7c00U << 13) ? rest | 0x7f800000U : made;
      x = reinterpret_cast<vector>(made | (all & 0x8000U) << 16);
    }
  }
  [[gnu::always_inline]] static void store(half* first, const vector& x) {
    if constexpr (converted) {
#if defined(__clang__) && defined(__x86_64__)
      reinterpret_cast<stored*>(first)->all =
          reinterpret_cast<bits_of_half>(__builtin_convertvector(x, numbers));
#elif defined(__x86_64__)
      asm("vcvtps2ph {$0, %1, %0|%0, %1, 0}" : "=m"(*reinterpret_cast<stored*>(first)) : "v"(x));
#endif
    } else {
      const bits_of_float all = reinterpret_cast<bits_of_float>(x), size = all & 0x7fffffffU;
      const bits_of_float small =
          reinterpret_cast<bits_of_float>(reinterpret_cast<vector>(size) + 0.5F) - 0x3f000000U;
      bits_of_float made = (size - (112U << 23) + 0xfffU + (size >> 13 & 1U)) >> 13;
      made = size < 0x38800000U ? small : made;
      made = size >= 0x477ff000U ? 0x7c00U - bits_of_float{} : made;
      made = size > 0x7f800000U ? 0x7e00U - bits_of_float{} : made;
      made |= all >> 16 & 0x8000U;
      reinterpret_cast<stored*>(first)->all = __builtin_convertvector(made, bits_of_half);
    }
  }
  [[gnu::always_inline]] static void clamp(vector& x, const vector& low, const vector& high) {
    lanes<float, Bytes>::clamp(x, low, high);
  }

 private:
  using bits_of_float = typename lanes<std::uint32_t, Bytes>::vector;
  using bits_of_half = typename lanes<std::uint16_t, Bytes / 2>::vector;
#if defined(__x86_64__)
  static constexpr bool converted = Bytes >= 32;
#else
  static constexpr bool converted = false;
#endif
#if defined(__clang__) && defined(__x86_64__)
  typedef __fp16 numbers __attribute__((vector_size(Bytes / 2)));
#endif
  struct stored {
    bits_of_half all;
  } __attribute__((packed, may_alias));
};

/// One number.
template <class T>
using lane = lanes<T, static_cast<int>(sizeof(arithmetic<T>))>;

/// Calls visit(c) for the first channels of vectors that cover 0 ... channels - 1. The last two may overlap, so that
/// nothing beyond the last channel is touched. Rule: channels is at least L::width. One loop, so that what it visits is
/// compiled once: with another for the last vector MobileNetV2 took 1.01 of the time. No std::min: in a large kernel it may
/// not be inlined, and a call would push vectors out of the registers.
template <class L, class Visit>
[[gnu::always_inline]] inline void each_vector(int channels, const Visit& visit) {
  const int last = channels - L::width;
  for (int c = 0; c < channels; c += L::width) visit(c < last ? c : last);
}

/// Sums of the lanes of as many vectors as each has lanes: that of x[i] becomes lane i of x[0].
template <class L>
[[gnu::always_inline]] inline void sum_each(typename L::vector (&x)[L::width]) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int count = L::width / 2; count > 0; count /= 2)
#pragma GCC unroll 8
      for (int i = 0; i < count; ++i) {  // lanes side by side, of two vectors
        const typename L::vector &y = x[2 * i], &z = x[2 * i + 1];
        x[i] = __builtin_shufflevector(y, z, 2 * I...) + __builtin_shufflevector(y, z, 2 * I + 1 ...);
      }
  }
  (std::make_integer_sequence<int, L::width>{});
}

/// Of each lane, none of which is below 0.
template <class L>
[[gnu::always_inline]] inline void square_root(const typename L::vector& x, typename L::vector& y) {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (L::width > 4) {  // by lane g++ would ask of each whether it is below 0
    typename L::vector made;
    asm("vsqrtps {%1, %0|%0, %1}" : "=v"(made) : "v"(x));
    y = made;
    return;
  }
#endif
  y = x;
  for (int i = 0; i < L::width; ++i) y[i] = __builtin_sqrtf(x[i]);
}

/// L is lanes of From; To may be stored otherwise.
template <class L, class To, class From>
[[gnu::always_inline]] inline void copy_values(To* to, const From* from, int count) {
  int c = 0;
  for (; c + L::width <= count; c += L::width) {
    typename L::vector x;
    L::load(from + c, x);
    L::template of<To>::store(to + c, x);
  }
  for (; c < count; ++c) to[c] = To(from[c]);
}

template <class L, class T>
[[gnu::always_inline]] inline void fill_values(T* to, T number, int count) {
  const typename L::vector many = number - typename L::vector{};
  int c = 0;
  for (; c + L::width <= count; c += L::width) L::at(to + c).value = many;
  for (; c < count; ++c) to[c] = number;
}

}  // namespace atrous::simd
