// SPDX-License-Identifier: MIT
#pragma once
// Dense convolution of few channels, as on the image: under a window, each row of the kernel sees numbers that lie in one
// piece. The windows of an output row are the rows of a matrix that need not be laid out; they overlap. Only windows that
// stick out to the left or to the right are laid out (convolution.hpp).
#include <atrous/backend/openmp/convolution.hpp>

namespace atrous::cpu {

/// Numbers of scratch of a thread: of windows that stick out, and of what an output row sees, where x is stored otherwise.
template <class T>
std::int64_t stem_scratch(simd::instruction_set set, const op& o, shape x) {
  constexpr bool as_they_lie = std::is_same_v<T, arithmetic<T>>;
  const convolution_cut<T> edges(set, o, x.channels);
  return edges.rows * edges.memory.row() +
         (as_they_lie ? 0 : o.kernel * block_row<T>(std::int64_t{x.width} * x.channels));
}

/// reads x, weights, bias, other; writes y, scratch. cost: pixels * taps inside * C * channels out multiply-adds.
template <class T>
void stem(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const op& what = o.run->what;
  const axis rows = rows_axis(what, o.x.shape()), columns = columns_axis(what, o.x.shape());
  const tap_range inner = columns.whole();
  const convolution_cut<T> edges(set, what, o.x.channels);
  const product<T> all = product_of(set, o, after, sum);
  const auto scratch_of = [&](int thread) {
    return reinterpret_cast<arithmetic<T>*>(o.scratch.data()) +
           thread * stem_scratch<T>(set, what, o.x.shape());
  };
  const auto edge = [&](int thread, std::int64_t first, std::int64_t last) {
    for (; first < last; first += edges.rows) {
      convolved_block<T>(set, o, all, nullptr, edges, edges.memory.at(scratch_of(thread), edges.rows))
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
    product<T> middle = all.part(std::ptrdiff_t{u.first} * what.kernel * o.x.channels,
                                 what.kernel * o.x.channels, panel_columns<T>(set));
    middle.a_row = what.stride * o.x.pixel;
    middle.rows = last - first;
    middle.parts = u.count();
    const int above = rows.start(i) + u.first, left = columns.start(first);
    if constexpr (std::is_same_v<T, arithmetic<T>>) {
      middle.a = o.x.at(n, above, left);
      middle.a_part = o.x.width * o.x.pixel;
    } else {
      arithmetic<T>* numbers = scratch_of(thread) + edges.rows * edges.memory.row();
      middle.a_part = block_row<T>(std::int64_t{o.x.width} * o.x.channels);
      const int seen = (last - first - 1) * what.stride + what.kernel;  // columns
      simd::dispatch(set, converted_rows<T>{o.x.at(n, above, left), o.x.width * o.x.pixel, u.count(),
                                            seen * o.x.channels, numbers, middle.a_part});
      middle.a = numbers;
    }
    middle.y = o.y.at(n, i, first);
    middle.other = sum ? o.other.at(n, i, first) : nullptr;
    simd::dispatch(set, middle);
  });
}

}  // namespace atrous::cpu
