// SPDX-License-Identifier: MIT
#pragma once
// IEEE 754 binary16 as a type to store numbers in. Nothing is computed in it: it becomes a float, exactly, and a float
// becomes the nearest half (ties to even; from 65520 on infinity), whatever the processor and the compiler know of it.
// Always inlined: see simd/instruction_sets.hpp.
#include <bit>
#include <cstdint>

namespace atrous {

struct half {
  std::uint16_t bits;

  constexpr half() = default;
  [[gnu::always_inline]] constexpr explicit half(float x) : bits(rounded(std::bit_cast<std::uint32_t>(x))) {}

  [[gnu::always_inline]] constexpr operator float() const {
    const std::uint32_t sign = (bits & 0x8000U) << 16, rest = (bits & 0x7fffU) << 13;
    // The exponent's bias is 112 higher in a float; of what is infinite or no number all its bits are set.
    const std::uint32_t number =
        (bits & 0x7c00U) == 0x7c00U ? rest | 0x7f800000U : std::bit_cast<std::uint32_t>(scaled(rest));
    return std::bit_cast<float>(number | sign);
  }

  static constexpr float most = 65504;

 private:
  /// bits * 2^112 as a float; not by its product, since denormals may be taken for zero.
  [[gnu::always_inline]] static constexpr float scaled(std::uint32_t rest) {
    constexpr std::uint32_t bias = 112U << 23;
    if (rest >= 1U << 23) return std::bit_cast<float>(rest + bias);
    return std::bit_cast<float>(rest + bias + (1U << 23)) - 0x1p-14F;
  }

  [[gnu::always_inline]] static constexpr std::uint16_t rounded(std::uint32_t x) {
    const std::uint32_t sign = x >> 16 & 0x8000U, size = x & 0x7fffffffU;
    std::uint32_t result = 0;
    if (size > 0x7f800000U) {
      result = 0x7e00U;
    } else if (size >= 0x477ff000U) {
      result = 0x7c00U;
    } else if (size < 0x38800000U) {  // below 2^-14: a sum with 0.5 ends at 2^-24
      result = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5F) -
               std::bit_cast<std::uint32_t>(0.5F);
    } else {
      result = (size - (112U << 23) + 0xfffU + (size >> 13 & 1U)) >> 13;
    }
    return static_cast<std::uint16_t>(result | sign);
  }
};

/// The type that numbers stored as T are computed in.
template <class T>
struct arithmetic_of {
  using type = T;
};
template <>
struct arithmetic_of<half> {
  using type = float;
};
template <class T>
using arithmetic = typename arithmetic_of<T>::type;

}  // namespace atrous
