// SPDX-License-Identifier: MIT
#pragma once
// The only place that knows of threads.
#include <algorithm>
#include <atomic>
#include <cstdint>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace atrous::cpu {

/// How items are cut: `count` blocks of at most `size`, some a multiple shorter where it does not come out even.
struct blocks {
  std::int64_t total = 0, multiple = 1, pieces = 0;  // items; pieces of so many items, the last one less
  std::int64_t count = 0, size = 0;
  [[gnu::always_inline]] constexpr std::int64_t begin(std::int64_t i) const {
    return i * pieces / count * multiple;
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

/// Indices that one thread takes before it helps others. Nothing is set before it is needed: loops are many and short.
struct alignas(128) share {
  std::int64_t next, end;
  std::int64_t take() { return std::atomic_ref(next).fetch_add(1, std::memory_order_relaxed); }
};

/// Calls f(index, thread) for every index below `count`, on up to `threads` threads numbered from 0; without OpenMP
/// one after the other. What f does must not depend on who does it. f does not throw.
///
/// A thread begins with the same part of every loop, so it finds in its own caches most of what it made in the one before:
/// cores that share none pay dearly for the rest. Threads that are done help the next ones.
template <class F>
void parallel_for([[maybe_unused]] int threads, std::int64_t count, const F& f) {
#if defined(_OPENMP)
  if (threads > 1 && count > 1) {
    constexpr int most = 64;
    share all[most];
    const blocks parts = cut(count, count, 1, std::min(threads, most));
    const int shares = static_cast<int>(parts.count);
    for (int k = 0; k < shares; ++k) all[k] = {parts.begin(k), parts.end(k)};
#pragma omp parallel num_threads(threads)
    {
      const int thread = omp_get_thread_num();
      for (int k = 0; k < shares; ++k) {
        share& from = all[(thread + k) % shares];
        for (std::int64_t i = from.take(); i < from.end; i = from.take()) f(i, thread);
      }
    }
    return;
  }
#endif
  for (std::int64_t i = 0; i < count; ++i) f(i, 0);
}

}  // namespace atrous::cpu
