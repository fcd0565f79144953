// SPDX-License-Identifier: MIT
#pragma once
// What this machine keeps close to its processors.
#include <cstdint>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace atrous::simd {

/// Bytes of one processor's second-level cache, 2 MiB at most (what many processors share is more); where the system does
/// not tell, 512 KiB. Looked up once.
[[gnu::always_inline]] inline std::int64_t second_level_cache() {
  static const std::int64_t found = []() __attribute__((always_inline)) {
    std::int64_t bytes = 0;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    bytes = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    constexpr std::int64_t kilo = 1024;
    return bytes <= 0 ? 512 * kilo : bytes < 2048 * kilo ? bytes : 2048 * kilo;
  }
  ();
  return found;
}

}  // namespace atrous::simd
