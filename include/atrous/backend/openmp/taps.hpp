// SPDX-License-Identifier: MIT
#pragma once
// Which taps of a window lie inside the image, without trying each.
#include <algorithm>
#include <cstdint>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/core/view.hpp>
#include <atrous/graph/op.hpp>

namespace atrous::cpu {

/// Taps, or outputs, first ... last - 1.
struct tap_range {
  int first = 0, last = 0;
  constexpr int count() const { return last > first ? last - first : 0; }
  friend constexpr bool operator==(const tap_range&, const tap_range&) = default;
};

/// One axis of a sliding window.
struct axis {
  int in = 0, out = 0, before = 0, taps = 1, stride = 1, rate = 1;

  /// Input sample under the first tap; may lie outside.
  constexpr int start(int i) const { return i * stride - before; }

  [[gnu::always_inline]] constexpr tap_range inside(int i) const { return inside(i, taps); }
  /// The same of a window with so many taps.
  [[gnu::always_inline]] constexpr tap_range inside(int i, int count) const {
    const int at = start(i);
    return {std::min(needed(-at), count), std::min(needed(in - at), count)};
  }

  /// The outputs that see all taps.
  [[gnu::always_inline]] constexpr tap_range whole() const {
    tap_range r{0, out};
    while (r.first < r.last && inside(r.first) != tap_range{0, taps}) ++r.first;
    while (r.last > r.first && inside(r.last - 1) != tap_range{0, taps}) --r.last;
    return r;
  }

  /// The outputs after `i` that see the same taps as `i` end here.
  [[gnu::always_inline]] constexpr int same_until(int i, int end) const {
    const tap_range taps_here = inside(i);
    if (taps_here == tap_range{0, taps}) return std::min(end, last_whole() + 1);
    int j = i + 1;
    while (j < end && inside(j) == taps_here) ++j;
    return j;
  }

 private:
  /// Steps of `rate` that it takes to get as far as `distance`.
  constexpr int needed(int distance) const { return distance <= 0 ? 0 : (distance + rate - 1) / rate; }
  /// The last output that sees all taps, if there is one.
  constexpr int last_whole() const { return (in - 1 - (taps - 1) * rate + before) / stride; }
};

[[gnu::always_inline]] constexpr axis rows_axis(const op& o, shape in) {
  const windows w = rows_of(o, in);
  return {in.height, w.out, w.before, o.kernel, o.stride, o.rate};
}
[[gnu::always_inline]] constexpr axis columns_axis(const op& o, shape in) {
  const windows w = columns_of(o, in);
  return {in.width, w.out, w.before, o.kernel, o.stride, o.rate};
}

/// A pixel of all images counted through, taken apart.
struct position {
  int image = 0, row = 0, column = 0;
};
[[gnu::always_inline]] constexpr position position_of(std::int64_t pixel, int rows, int columns) {
  const std::int64_t line = pixel / columns;
  return {static_cast<int>(line / rows), static_cast<int>(line % rows), static_cast<int>(pixel % columns)};
}

/// Calls visit(image, row, first column, last column, pixels before) for each row that pixels first ... last - 1 touch.
template <class Visit>
void each_row(std::int64_t first, std::int64_t last, int rows, int columns, const Visit& visit) {
  for (std::int64_t p = first; p < last;) {
    const position at = position_of(p, rows, columns);
    const int end = static_cast<int>(std::min<std::int64_t>(columns, at.column + (last - p)));
    visit(at.image, at.row, at.column, end, p - first);
    p += end - at.column;
  }
}

/// Calls visit(image, row, first column, last column, thread) for all pixels of y on all threads: a row at a time, or a part
/// of one where there are few.
template <class T, class Visit>
void parallel_rows(int threads, const view<T>& y, const Visit& visit) {
  const blocks parts = cut(y.pixels(), y.width, 1, threads);
  parallel_for(threads, parts.count, [&](std::int64_t k, int thread) {
    each_row(parts.begin(k), parts.end(k), y.height, y.width,
             [&](int n, int i, int j, int end, std::int64_t) { visit(n, i, j, end, thread); });
  });
}

}  // namespace atrous::cpu
