// SPDX-License-Identifier: MIT
#pragma once
// Which kernel runs a dense convolution.
#include <atrous/backend/openmp/convolution.hpp>
#include <atrous/backend/openmp/pointwise.hpp>
#include <atrous/backend/openmp/stem.hpp>
#include <atrous/backend/openmp/winograd.hpp>

namespace atrous::cpu {

/// Whether each output pixel sees just the input pixel at its own place.
template <class T>
[[gnu::always_inline]] inline bool reads_in_place(const operands<T>& o) {
  const op& what = o.run->what;
  const bool moved = rows_of(what, o.x.shape()).before != 0 || columns_of(what, o.x.shape()).before != 0;
  return what.kernel == 1 && what.stride == 1 && !moved && o.y.height == o.x.height && o.y.width == o.x.width;
}

/// reads x, weights, bias, border (may be nullptr), other; writes y, scratch.
template <class T>
void convolution(simd::instruction_set set, const operands<T>& o, activation after, bool sum,
                 const T* border) {
  if (reads_in_place(o)) return pointwise(set, o, after, sum);
  if (winograd_wins(o.run->what, o.x.channels)) return winograd::layer<T>(set, o, after, sum).run();
  const bool gapless = border == nullptr && o.x.pixel == o.x.channels;
  if (gapless && reads_whole_rows(o.run->what, o.x.channels)) return stem(set, o, after, sum);
  direct(set, o, after, sum, border);
}

}  // namespace atrous::cpu
