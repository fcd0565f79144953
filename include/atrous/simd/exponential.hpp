// SPDX-License-Identifier: MIT
#pragma once
#include <atrous/simd/lanes.hpp>

namespace atrous::simd {

/// x = e^x by lane for float x of at most 0; below -80, where products would soon leave the normal numbers, e^-80. Error
/// below 2 units in the last place.
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r is its Taylor polynomial of degree 7 (the rest is below 6e-9), 2^n goes into
/// the exponent. Nothing that compilers may rearrange under -ffast-math.
template <class L>
[[gnu::always_inline]] inline void exponential(typename L::vector& x) {
  using vector = typename L::vector;
  using number = decltype(vector{} > vector{});  // of int lanes
  const vector least = -80.0F - vector{};
  x = x < least ? least : x;
  const number whole = __builtin_convertvector(x * 0x1.715476p0F - 0.5F, number);  // towards 0: the nearest
  const vector n = __builtin_convertvector(whole, vector);
  const vector r =
      (x - n * 0x1.62e4p-1F) - n * 0x1.7f7d1cp-20F;  // ln 2 in two parts, the first times n exact
  vector y = 1.0F / 5040 - vector{};
  y = y * r + 1.0F / 720;
  y = y * r + 1.0F / 120;
  y = y * r + 1.0F / 24;
  y = y * r + 1.0F / 6;
  y = y * r + 0.5F;
  y = y * r + 1.0F;
  y = y * r + 1.0F;
  const number exponent = (whole + 127) << 23;
  x = y * reinterpret_cast<vector>(exponent);
}

}  // namespace atrous::simd
