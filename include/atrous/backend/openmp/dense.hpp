// SPDX-License-Identifier: MIT
#pragma once
// Which kernel runs a dense convolution.
#include <atrous/backend/openmp/convolution.hpp>
#include <atrous/backend/openmp/pointwise.hpp>
#include <atrous/backend/openmp/stem.hpp>
#include <atrous/backend/openmp/winograd.hpp>

namespace atrous::cpu {

enum class dense_kernel { pointwise, winograd, stem, direct };

/// The kernel for a layer on an input of extent `in`; `gapless`: no elements between its pixels.
[[gnu::always_inline]] constexpr dense_kernel dense_kernel_for(const op& o, shape in, bool gapless) {
  const windows rows = rows_of(o, in), columns = columns_of(o, in);
  const bool in_place = o.kernel == 1 && o.stride == 1 && rows.before == 0 && columns.before == 0 &&
                        rows.out == in.height && columns.out == in.width;
  if (in_place) return dense_kernel::pointwise;
  if (winograd_wins(o, in.channels)) return dense_kernel::winograd;
  const bool whole_rows =
      gapless && reads_whole_rows(o, in.channels) && o.pad.outside == padding::border::zeros;
  return whole_rows ? dense_kernel::stem : dense_kernel::direct;
}

/// reads x, weights, bias, border (may be nullptr), other; writes y, scratch.
template <class T>
void convolution(simd::instruction_set set, const operands<T>& o, activation after, bool sum,
                 const T* border) {
  switch (dense_kernel_for(o.run->what, o.x.shape(), o.x.pixel == o.x.channels)) {
    case dense_kernel::pointwise:
      return pointwise(set, o, after, sum);
    case dense_kernel::winograd:
      return winograd::layer<T>(set, o, after, sum).run();
    case dense_kernel::stem:
      return stem(set, o, after, sum);
    default:
      return direct(set, o, after, sum, border);
  }
}

}  // namespace atrous::cpu
