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

/// How items are cut: `count` blocks of at most `size`. The later ones are a multiple shorter where it does not come out
/// even, so that threads end together.
struct blocks {
  std::int64_t total = 0, multiple = 1, pieces = 0;  // items; pieces of so many items, the last one less
  std::int64_t count = 0, size = 0;
  [[gnu::always_inline]] constexpr std::int64_t begin(std::int64_t i) const {
    const std::int64_t longer = pieces % count;
    return (i * (pieces / count) + (i < longer ? i : longer)) * multiple;
  }
  [[gnu::always_inline]] constexpr std::int64_t end(std::int64_t i) const {
    return i + 1 < count ? begin(i + 1) : total;
  }
};

/// Cuts `total` items into blocks of at most `limit` (but at least one multiple of `multiple`), their number a multiple of
/// `shares` where there is enough to share.
[[gnu::always_inline]] constexpr blocks cut(std::int64_t total, std::int64_t limit, std::int64_t multiple,
                                            std::int64_t shares) {
  const std::int64_t pieces = (total + multiple - 1) / multiple;
  const std::int64_t most = limit / multiple > 1 ? limit / multiple : 1;
  const std::int64_t needed = (pieces + most - 1) / most, shared = (needed + shares - 1) / shares * shares;
  const std::int64_t count = shared < pieces ? shared : pieces;
  return {total, multiple, pieces, count, count > 0 ? (pieces + count - 1) / count * multiple : 0};
}

}  // namespace atrous::cpu
