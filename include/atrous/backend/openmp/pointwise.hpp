// SPDX-License-Identifier: MIT
#pragma once
// 1 x 1 convolution with stride 1: the feature map is the matrix, nothing is copied that is stored as it is computed.
#include <type_traits>

#include <atrous/backend/openmp/integers.hpp>
#include <atrous/backend/openmp/numbers.hpp>
#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/product.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/caches.hpp>

namespace atrous::cpu {

/// `all`, if that is at most `most`; else as few equal shares as that allows, in whole cache lines of floats but for the last.
constexpr int share_of(int all, int most) {
  constexpr int line = 16;
  const int shares = (all + most - 1) / most;
  return shares > 1 ? ((all + shares - 1) / shares + line - 1) / line * line : all;
}

/// Terms that are summed in one go: more would push a block of rows out of the cache. Shapes alone decide.
constexpr int terms_at_once(int terms) { return share_of(terms, most_terms); }

/// Elements from one row of a block to the next: an odd number of cache lines, or the rows of a tile would share a
/// few sets of the first-level cache.
template <class T>
[[gnu::always_inline]] constexpr std::int64_t block_row(std::int64_t terms) {
  constexpr std::int64_t line = 64 / sizeof(arithmetic<T>);
  return ((terms + line - 1) / line | 1) * line;
}

/// Rows of a block whose part of the left matrix takes a third of the second-level cache: beside it there are two panels
/// of weights and what is written.
template <class T>
std::int64_t rows_at_once(simd::instruction_set set, std::int64_t terms) {
  const std::int64_t row =
      static_cast<std::int64_t>(sizeof(arithmetic<T>)) * std::max<std::int64_t>(terms, 1);
  return std::max<std::int64_t>(simd::second_level_cache() / 3 / row, simd::properties_at(set).rows);
}

/// Memory of a block of rows: its part of the left matrix; where terms come in several passes and y cannot hold sums that
/// are not rounded, those sums; scales of rows that are rounded to integers.
template <class T, class = simd::this_unit>
class block_memory {
 public:
  using number = arithmetic<T>;

  block_memory(std::int64_t pitch, int columns, bool several)
      : pitch_(pitch), waiting_(several && !as_it_lies ? whole_lines(columns) : 0) {}

  std::int64_t pitch() const { return pitch_; }
  /// Numbers that a row takes: whole cache lines.
  std::int64_t row() const { return pitch_ + waiting_ + (as_it_lies ? 0 : line); }

  /// The same for `rows` rows at an address.
  block_memory at(number* memory, std::int64_t rows) const {
    block_memory made = *this;
    made.left_ = memory;
    made.rows_ = rows;
    return made;
  }
  number* left() const { return left_; }

  /// One of several passes over terms: all but the first go on from the sums before, only the last one finishes. The left
  /// matrix lies at `from`, where it is multiplied, or is converted or rounded from there to `left`, which may be the same.
  template <class From>
  void run(simd::instruction_set set, product<T> pass, const From* from, std::ptrdiff_t from_row, bool first,
           bool last) const {
    if (!last) {
      pass.other = nullptr;
      pass.after = {};
    }
    if constexpr (as_it_lies) {
      pass.a = from, pass.a_row = from_row;
      if (!first) pass.from = pass.y, pass.from_row = pass.y_row;
      simd::dispatch(set, pass);
    } else {
      number *waiting = left_ + rows_ * pitch_, *scales = waiting + rows_ * waiting_;
      if (!first) pass.from = waiting, pass.from_row = waiting_;
      pass.a = left_, pass.a_row = pitch_;
      if (pass.balances != nullptr) {
        auto* pairs = reinterpret_cast<simd::pair*>(left_);
        simd::dispatch(set, rounded_rows<From>{from, from_row, pass.rows, pass.terms, pass.balances, pairs,
                                               pitch_, scales});
        run_to(set, pass.of_pairs(pairs, scales), last, waiting);
        return;
      }
      if constexpr (std::is_same_v<From, T>)
        simd::dispatch(set, converted_rows<T>{from, from_row, pass.rows, pass.terms, left_, pitch_});
      run_to(set, pass, last, waiting);
    }
  }
  /// The same of numbers in `left`.
  void run(simd::instruction_set set, const product<T>& pass, bool first, bool last) const {
    run<number>(set, pass, left_, pitch_, first, last);
  }

 private:
  template <class Product>
  void run_to(simd::instruction_set set, const Product& pass, bool last, number* waiting) const {
    if (last)
      simd::dispatch(set, pass);
    else
      simd::dispatch(set, pass.into(waiting, waiting_));
  }

  static constexpr bool as_it_lies = std::is_same_v<T, number>;
  static constexpr std::int64_t line = 16;
  static constexpr std::int64_t whole_lines(std::int64_t count) { return (count + line - 1) / line * line; }

  std::int64_t pitch_, waiting_;
  number* left_ = nullptr;
  std::int64_t rows_ = 0;
};

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
  if (rounds_to_integers<T>(set, o.run->what, o.x.channels)) {
    const packed_integers<T> at(set, terms, all.columns);
    all.column_scales = at.scales(all.b);
    all.balances = at.balances(all.b);
  }
  return all;
}

/// Rows of a block.
template <class T>
std::int64_t pointwise_rows(simd::instruction_set set, int channels) {
  const std::int64_t terms = terms_at_once(channels);
  return rows_at_once<T>(set, std::is_same_v<T, arithmetic<T>> ? terms : block_row<T>(terms));
}

/// Where x is not stored as numbers, a block of it becomes numbers, or integers, first, in the scratch.
///
/// reads x, weights, bias, other; writes y. cost: pixels * C * channels out multiply-adds.
template <class T>
void pointwise(simd::instruction_set set, const operands<T>& o, activation after, bool sum) {
  constexpr bool as_it_lies = std::is_same_v<T, arithmetic<T>>;
  const product<T> all = product_of(set, o, after, sum);
  const int step = terms_at_once(all.terms);
  const block_memory<T> how(block_row<T>(step), all.columns, step < all.terms);
  const blocks rows =
      cut(o.y.pixels(), pointwise_rows<T>(set, all.terms), simd::properties_at(set).rows, o.threads);
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int thread) {
    const std::int64_t first = rows.begin(block), last = rows.end(block);
    const block_memory<T> memory = how.at(reinterpret_cast<arithmetic<T>*>(o.scratch.data()) +
                                              (as_it_lies ? 0 : thread * rows.size * how.row()),
                                          rows.size);
    for (int k = 0; k < all.terms; k += step) {
      product<T> pass = all.part(k, std::min(step, all.terms - k), panel_columns<T>(set));
      pass.rows = static_cast<int>(last - first);
      pass.y = o.y.at(first);
      pass.other = sum ? o.other.at(first) : nullptr;
      memory.run(set, pass, o.x.at(first) + k, o.x.pixel, k == 0, k + step >= all.terms);
    }
  });
}

}  // namespace atrous::cpu
