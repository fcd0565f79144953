// SPDX-License-Identifier: MIT
#pragma once
// Which kernel runs a dense convolution.
#include <algorithm>

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

/// Bytes of scratch on so many threads.
template <class T>
std::size_t dense_scratch(simd::instruction_set set, const op& o, shape x, int threads) {
  if (winograd_wins(o, x.channels)) return winograd::group_cut<T>(set, o, x, threads).scratch(threads);
  const std::size_t any = convolution_cut<T>(set, o, x.channels).scratch(set, threads);
  if (!reads_whole_rows(o, x.channels)) return any;
  return std::max(any,
                  static_cast<std::size_t>(threads * stem_scratch<T>(set, o, x)) * sizeof(arithmetic<T>));
}

/// reads x, weights, bias, border (may be nullptr), other; writes y, scratch.
template <class T>
void convolution(simd::instruction_set set, const operands<T>& o, activation after, bool sum,
                 const T* border) {
  const dense_kernel by = dense_kernel_for(o.run->what, o.x.shape(), o.x.pixel == o.x.channels);
  if (by == dense_kernel::winograd) return winograd::layer<T>(set, o, after, sum).run();
  if (by == dense_kernel::pointwise) return pointwise(set, o, after, sum);
  if (by == dense_kernel::stem) return stem(set, o, after, sum);
  direct(set, o, after, sum, border);
}

}  // namespace atrous::cpu
