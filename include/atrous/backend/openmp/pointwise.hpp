// SPDX-License-Identifier: MIT
#pragma once
// 1 x 1 convolution with stride 1: the feature map is the matrix, nothing is copied.
#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/product.hpp>
#include <atrous/backend/operands.hpp>

namespace atrous::cpu {

/// Terms that are summed in one go: more would push a block of rows out of the cache. Shapes alone decide.
constexpr int terms_at_once(int terms) {
  constexpr int most = 1024;
  const int passes = (terms + most - 1) / most;
  return passes > 1 ? (terms + passes - 1) / passes : terms;
}

/// Rows of a block whose part of the left matrix stays in the cache.
template <class T>
constexpr std::int64_t rows_at_once(simd::instruction_set set, std::int64_t terms) {
  const simd::properties p = simd::properties_at(set);
  const std::int64_t fitting = p.block_bytes / (static_cast<std::int64_t>(sizeof(T)) * (terms > 0 ? terms : 1));
  return fitting > p.rows ? fitting : p.rows;
}

/// The product of one block of rows, term by term range where there are too many.
template <class T>
void multiply(simd::instruction_set set, const product<T>& whole) {
  const int step = terms_at_once(whole.terms);
  for (int k = 0; k < whole.terms || k == 0; k += step) {
    product<T> part = whole;
    const bool last = k + step >= whole.terms;
    part.a += k;
    part.b += std::ptrdiff_t{k} * panel_columns<T>(set);
    part.terms = last ? whole.terms - k : step;
    if (k > 0) part.bias = nullptr;
    if (!last) part.other = nullptr, part.after = {};
    simd::dispatch(set, part);
    if (last) return;
  }
}

/// What a product has in common for all rows of a step.
template <class T>
product<T> product_of(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const int terms = o.run->what.kernel * o.run->what.kernel * o.x.channels;
  product<T> all;
  all.terms = terms;
  all.b = o.weights.kernel;
  all.b_panel = std::ptrdiff_t{terms} * panel_columns<T>(set);
  all.y_row = o.y.pixel;
  all.columns = o.y.channels;
  all.bias = o.weights.bias;
  all.other_row = sum ? o.other.pixel : 0;
  all.after = bounds_of<T>(after);
  return all;
}

/// reads x, weights, bias, other; writes y. cost: pixels * C * channels out multiply-adds.
template <class T>
void pointwise(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  const product<T> all = product_of(set, o, after, sum);
  const std::int64_t pixels = o.y.pixels();
  const blocks rows = cut(pixels, rows_at_once<T>(set, terms_at_once(all.terms)), simd::properties_at(set).rows, o.threads);
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int) {
    const std::int64_t first = rows.begin(block);
    product<T> some = all;
    some.a = o.x.at(first);
    some.a_row = o.x.pixel;
    some.rows = static_cast<int>(rows.end(block, pixels) - first);
    some.y = o.y.at(first);
    some.other = sum ? o.other.at(first) : nullptr;
    multiply(set, some);
  });
}

}  // namespace atrous::cpu
