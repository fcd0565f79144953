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

/// reads x, weights, bias, other; writes y, scratch. cost: pixels * taps inside * C * channels out multiply-adds.
template <class T>
void stem(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const op& what = o.run->what;
  const axis rows = rows_axis(what, o.x.shape()), columns = columns_axis(what, o.x.shape());
  const tap_range inner = columns.whole();
  const convolution_cut<T> edges(set, what, o.x.channels);
  product<T> all = product_of(set, o, after, sum);
  const auto edge = [&](int thread, std::int64_t first, std::int64_t last) {
    T* scratch = reinterpret_cast<T*>(o.scratch.data()) + thread * edges.rows * edges.pitch;
    for (; first < last; first += edges.rows) {
      convolved_block<T>(set, o, all, nullptr, scratch, nullptr)
          .run(first, std::min(first + edges.rows, last));
    }
  };
  parallel_rows(o.threads, o.y, [&](int n, int i, int j, int end, int thread) {
    const tap_range u = rows.inside(i);
    const std::int64_t row = (std::int64_t{n} * o.y.height + i) * o.y.width;
    const int first = std::clamp(inner.first, j, end),
              last = u.count() > 0 ? std::clamp(inner.last, first, end) : first;
    edge(thread, row + j, row + first);
    edge(thread, row + last, row + end);
    if (last == first) return;
    product<T> middle = all;
    middle.a = o.x.at(n, rows.start(i) + u.first, columns.start(first));
    middle.a_row = what.stride * o.x.pixel;
    middle.rows = last - first;
    middle.terms = what.kernel * o.x.channels;
    middle.parts = u.count();
    middle.a_part = o.x.width * o.x.pixel;
    middle.b += std::ptrdiff_t{u.first} * middle.terms * panel_columns<T>(set);
    middle.y = o.y.at(n, i, first);
    middle.other = sum ? o.other.at(n, i, first) : nullptr;
    simd::dispatch(set, middle);
  });
}

}  // namespace atrous::cpu
