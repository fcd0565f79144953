// SPDX-License-Identifier: MIT
#pragma once
// The only place that knows of threads.
#include <cstdint>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace atrous::cpu {

/// Calls f(index, thread) for every index below `count`, on up to `threads` threads numbered from 0; without OpenMP
/// one after the other. What f does must not depend on who does it. f does not throw.
template <class F>
void parallel_for([[maybe_unused]] int threads, std::int64_t count, const F& f) {
#if defined(_OPENMP)
  if (threads > 1 && count > 1) {
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) f(i, omp_get_thread_num());
    return;
  }
#endif
  for (std::int64_t i = 0; i < count; ++i) f(i, 0);
}

/// How `total` items are cut: `count` blocks of `size`, the last one shorter.
struct blocks {
  std::int64_t size = 0, count = 0;
  constexpr std::int64_t begin(std::int64_t i) const { return i * size; }
  constexpr std::int64_t end(std::int64_t i, std::int64_t total) const {
    return (i + 1) * size < total ? (i + 1) * size : total;
  }
};

/// Cuts `total` items into blocks of at most `limit` (but at least one multiple of `multiple`), as equal as
/// multiples allow, their number a multiple of `shares` where there is enough to share.
constexpr blocks cut(std::int64_t total, std::int64_t limit, std::int64_t multiple, std::int64_t shares) {
  const std::int64_t pieces = (total + multiple - 1) / multiple;
  const std::int64_t most = limit / multiple > 1 ? limit / multiple : 1;
  std::int64_t count = (pieces + most - 1) / most;
  count = (count + shares - 1) / shares * shares;
  const std::int64_t size = pieces > count ? (pieces + count - 1) / count : 1;
  return {size * multiple, (pieces + size - 1) / size};
}

}  // namespace atrous::cpu
