// SPDX-License-Identifier: MIT
#pragma once
// How the kernels cut a step, as text: from the functions that they themselves ask. Where nothing lies between an input's
// pixels, as in all but concatenations.
#include <string>
#include <type_traits>

#include <atrous/backend/openmp/dense.hpp>
#include <atrous/backend/openmp/separable.hpp>

namespace atrous::cpu {

/// "54 rows x 728 terms a block, 22 blocks, tiles 6x16": rows of the left matrix, of a block and of the tile in registers.
template <class T>
std::string text_of_product(simd::instruction_set set, std::int64_t pixels, std::int64_t limit, int terms,
                            int threads) {
  const simd::properties p = simd::properties_at(set);
  const blocks rows = cut(pixels, limit, p.rows, threads);
  return std::to_string(std::min(rows.size, pixels)) + " rows x " + std::to_string(terms) +
         " terms a block, " + std::to_string(rows.count) + (rows.count == 1 ? " block" : " blocks") +
         ", tiles " + std::to_string(p.rows) + 'x' + std::to_string(panel_columns<T>(set));
}

/// "weights and feature maps in half, sums in float, converted by F16C": what numbers are stored as, and computed in.
template <class T>
std::string text_of_numbers(simd::instruction_set set) {
  if (std::is_same_v<T, arithmetic<T>>) return "weights, feature maps and sums in float";
  const simd::properties p = simd::properties_at(set);
  return std::string("weights and feature maps in half, sums in float, converted by ") +
         (p.bytes >= 32 ? "F16C" : "integer arithmetic") +
         (p.integers ? "; steps that say so multiply 16-bit integers, summed in 32 bits" : "");
}

/// How a step from x to y is cut on so many threads, whatever is multiplied.
template <class T>
std::string text_of_blocks(simd::instruction_set set, const step& s, shape x, shape y, int batch,
                           int threads) {
  const std::int64_t all = batch * pixels(y);
  if (s.form.kind == step_kind::separable) {
    const int terms = terms_at_once(x.channels);
    return text_of_product<T>(set, all, separable_rows<T>(set, x.channels), terms, threads);
  }
  if (s.form.kind != step_kind::convolution) return "";
  switch (dense_kernel_for(s.what, x, true)) {
    case dense_kernel::pointwise: {
      const std::int64_t rows = pointwise_rows<T>(set, x.channels);
      return text_of_product<T>(set, all, rows, terms_at_once(x.channels), threads);
    }
    case dense_kernel::winograd: {
      const winograd::group_cut<T> how(set, s.what, x, threads);
      return "Winograd F(3x3, 3x3), " + std::to_string(how.tiles) + " tiles x " +
             std::to_string(how.channels) + " terms " + (how.shared ? "on all threads" : "a group");
    }
    case dense_kernel::stem:
      return "windows where they lie";
    default: {
      const convolution_cut<T> how(set, s.what, x.channels);
      return "direct, " + text_of_product<T>(set, all, how.rows, how.taps * how.channels, threads);
    }
  }
}

/// How a step from x to y is cut on so many threads; empty where there is nothing to choose.
template <class T>
std::string text_of_cut(simd::instruction_set set, const step& s, shape x, shape y, int batch, int threads) {
  const bool dense = s.form.kind == step_kind::convolution || s.form.kind == step_kind::separable;
  return text_of_blocks<T>(set, s, x, y, batch, threads) +
         (dense && rounds_to_integers<T>(set, s.what, x.channels) ? ", integers" : "");
}

}  // namespace atrous::cpu
