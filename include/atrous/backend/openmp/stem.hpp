// SPDX-License-Identifier: MIT
#pragma once
// Dense convolution of few channels, as on the image: under a window, each row of the kernel sees numbers that lie in one
// piece. The windows of an output row are the rows of a matrix that need not be laid out; they overlap. Only windows that
// stick out to the left or to the right are laid out (convolution.hpp).
#include <atrous/backend/openmp/convolution.hpp>

namespace atrous::cpu {

/// Whether the kernel is for a layer: with more channels, laying windows out costs little beside the product. Measured
/// with AVX2, 513x513x3 -> 32, stride 2: 1.5 instead of 4.1 ms.
constexpr bool reads_whole_rows(const op& o, int channels) {
  constexpr int most = 64;  // terms in one piece
  return o.kernel > 1 && o.rate == 1 && o.kernel * channels <= most;
}

/// Output columns first ... last - 1 whose windows lie inside.
struct column_range {
  int first = 0, last = 0;
};
constexpr column_range whole_windows(const axis& columns) {
  const auto whole = [&](int j) { return columns.inside(j) == tap_range{0, columns.taps}; };
  column_range r{0, columns.out};
  while (r.first < r.last && !whole(r.first)) ++r.first;
  while (r.last > r.first && !whole(r.last - 1)) --r.last;
  return r;
}

/// reads x, weights, bias, other; writes y, scratch. cost: pixels * taps inside * C * channels out multiply-adds.
template <class T>
void stem(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const op& what = o.run->what;
  const axis rows = rows_axis(what, o.x.shape()), columns = columns_axis(what, o.x.shape());
  const column_range inner = whole_windows(columns);
  const convolution_cut<T> edges(set, what, o.x.channels);
  product<T> all = product_of(set, o, after, sum);
  const auto edge = [&](int thread, std::int64_t first, std::int64_t last) {
    T* scratch = reinterpret_cast<T*>(o.scratch.data()) + thread * edges.rows * edges.pitch;
    for (; first < last; first += edges.rows) {
      convolved_block<T>(set, o, all, nullptr, scratch).run(first, std::min(first + edges.rows, last));
    }
  };
  parallel_for(o.threads, std::int64_t{o.y.batch} * o.y.height, [&](std::int64_t line, int thread) {
    const int n = static_cast<int>(line / o.y.height), i = static_cast<int>(line % o.y.height);
    const tap_range u = rows.inside(i);
    const bool some = u.count() > 0 && inner.first < inner.last;
    const std::int64_t row = line * o.y.width;
    edge(thread, row, row + (some ? inner.first : o.y.width));
    if (!some) return;
    edge(thread, row + inner.last, row + o.y.width);
    product<T> middle = all;
    middle.a = o.x.at(n, rows.start(i) + u.first, columns.start(inner.first));
    middle.a_row = what.stride * o.x.pixel;
    middle.rows = inner.last - inner.first;
    middle.terms = what.kernel * o.x.channels;
    middle.parts = u.count();
    middle.a_part = o.x.width * o.x.pixel;
    middle.b += std::ptrdiff_t{u.first} * middle.terms * panel_columns<T>(set);
    middle.y = o.y.at(n, i, inner.first);
    middle.other = sum ? o.other.at(n, i, inner.first) : nullptr;
    simd::dispatch(set, middle);
  });
}

}  // namespace atrous::cpu
