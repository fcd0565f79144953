// SPDX-License-Identifier: MIT
#pragma once
// What this machine keeps close to its processors.
#include <cstdint>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace atrous::simd {

/// Bytes of one processor's second-level cache; where the system does not tell, 512 KiB. Looked up once.
[[gnu::always_inline]] inline std::int64_t second_level_cache() {
  static const std::int64_t found = [] {
    std::int64_t bytes = 0;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    bytes = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return bytes > 0 ? bytes : std::int64_t{512} << 10;
  }();
  return found;
}

}  // namespace atrous::simd
