// SPDX-License-Identifier: MIT
#include "exponential.hpp"

#include <doctest/doctest.h>

TEST_CASE("the exponential is within two units in the last place, in vectors of any width") {
  CHECK(worst_error_of_exponential<16>() < 2.0 / (1 << 23));
  CHECK(worst_error_of_exponential<32>() < 2.0 / (1 << 23));
  CHECK(worst_error_of_exponential<sizeof(float)>() < 2.0 / (1 << 23));
}

TEST_CASE("the exponential of what is far below zero is nothing to speak of") {
  using lanes = atrous::simd::lanes<float, 16>;
  lanes::vector x{-81, -1000, -3e38F, 0};
  atrous::simd::exponential<lanes>(x);
  for (int k = 0; k < 3; ++k) {
    CHECK(float(x[k]) > 0);
    CHECK(float(x[k]) < 2e-35F);
  }
  CHECK(float(x[3]) == 1);
}
