// SPDX-License-Identifier: MIT
// The same under -ffast-math, which users may choose for their program (the build gives this file that flag).
#include <doctest/doctest.h>

#include "exponential.hpp"

TEST_CASE("the exponential stays one under -ffast-math") {
#if !defined(__FAST_MATH__)
  FAIL("this file is to be compiled with -ffast-math");
#endif
  CHECK(worst_error_of_exponential<16>() < 1e-5);
}
