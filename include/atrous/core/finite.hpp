// SPDX-License-Identifier: MIT
#pragma once
// Whether numbers are neither infinite nor NaN. Always inlined: see simd/instruction_sets.hpp.
#include <cmath>
#include <cstdint>

namespace atrous {

template <class T>
[[gnu::always_inline]] inline bool finite(const T* first, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    if (!std::isfinite(static_cast<float>(first[i]))) return false;
  return true;
}

}  // namespace atrous
