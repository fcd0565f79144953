// SPDX-License-Identifier: MIT
#pragma once
// Bilinear resize: two input rows are interpolated once for a whole output row, then its pixels from neighbours in
// that row. Where samples coincide with input pixels, and from a single pixel, this is a copy.
#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/graph/sampling.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

template <class T>
std::size_t resize_scratch(shape x, int threads) {
  return sizeof(arithmetic<T>) * static_cast<std::size_t>(x.width) * static_cast<std::size_t>(x.channels) *
         static_cast<std::size_t>(threads);
}

/// to = between(low, high, fraction), number by number.
template <class L, class From, class To>
[[gnu::always_inline]] inline void interpolate(const From* low, const From* high, arithmetic<From> fraction,
                                               int count, To* to) {
  using vector = typename L::vector;
  const vector part = fraction - vector{};
  int c = 0;
  for (; c + L::width <= count; c += L::width) {
    vector from, until;
    L::template of<From>::load(low + c, from);
    L::template of<From>::load(high + c, until);
    from = from + (until - from) * part;
    L::template of<To>::store(to + c, from);
  }
  for (; c < count; ++c) to[c] = To(low[c] + (high[c] - low[c]) * fraction);
}

/// Columns first ... last - 1 of an output row.
///
///   reads   x, two rows
///   writes  y; between, a row of x
///   cost    2 multiply-adds a number of y
template <class T>
struct resized_row {
  const view<const T>* x = nullptr;
  const view<T>* y = nullptr;
  resized_axis rows{};
  int image = 0, row = 0, first = 0, last = 0;
  arithmetic<T>* between = nullptr;  // (x->width, C)

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    const sample down = rows.at(row);
    const T* line = x->at(image, down.low, 0);
    const std::ptrdiff_t pixel = x->pixel;
    if (down.fraction != 0) {
      const T* next = x->at(image, down.high, 0);
      const int end = sample_at(last - 1, x->width, y->width, rows.corner).high + 1;
      for (int j = sample_at(first, x->width, y->width, rows.corner).low; j < end; ++j)
        interpolate<lanes>(line + j * pixel, next + j * pixel, arithmetic<T>(down.fraction), x->channels,
                           between + j * x->channels);
      columns<typename lanes::template of<arithmetic<T>>>(between, x->channels);
    } else {
      columns<lanes>(line, pixel);
    }
  }

 private:
  /// The output row from one row of inputs.
  template <class L, class From>
  [[gnu::always_inline]] void columns(const From* line, std::ptrdiff_t pixel) const {
    for (int j = first; j < last; ++j) {
      const sample right = sample_at(j, x->width, y->width, rows.corner);
      const From *low = line + right.low * pixel, *high = line + right.high * pixel;
      if (right.fraction == 0) {
        simd::copy_values<L>(y->at(image, row, j), low, x->channels);
      } else {
        interpolate<L>(low, high, arithmetic<T>(right.fraction), x->channels, y->at(image, row, j));
      }
    }
  }
};

/// reads x; writes y, scratch.
template <class T>
void resize(simd::instruction_set set, const operands<T>& o) {
  const std::ptrdiff_t line = std::ptrdiff_t{o.x.width} * o.x.channels;
  const resized_axis all{.in = o.x.height, .out = o.y.height, .corner = o.run->what.corner};
  const resized_axis rows = o.rows.in > 0 ? o.rows : all;
  parallel_rows(o.threads, o.y, [&](int n, int i, int first, int last, int thread) {
    auto* between = reinterpret_cast<arithmetic<T>*>(o.scratch.data()) + thread * line;
    simd::dispatch(set, resized_row<T>{&o.x, &o.y, rows, n, i, first, last, between});
  });
}

}  // namespace atrous::cpu
