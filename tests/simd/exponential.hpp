// SPDX-License-Identifier: MIT
#pragma once
// The exponential against that of the standard library.
#include <algorithm>
#include <cmath>

#include <atrous/simd/exponential.hpp>

/// The largest relative error for x from -80 to 0, in vectors of `Bytes`.
template <int Bytes>
double worst_error_of_exponential() {
  using lanes = atrous::simd::lanes<float, Bytes>;
  double worst = 0;
  for (int i = 0; i < 200'000; i += lanes::width) {
    typename lanes::vector x{};
    for (int k = 0; k < lanes::width; ++k) x[k] = -80.0F * static_cast<float>(i + k) / 200'000.0F;
    typename lanes::vector y = x;
    atrous::simd::exponential<lanes>(y);
    for (int k = 0; k < lanes::width; ++k) {
      const double expected = std::exp(static_cast<double>(x[k]));
      worst = std::max(worst, std::abs(static_cast<double>(y[k]) - expected) / expected);
    }
  }
  return worst;
}
