// SPDX-License-Identifier: MIT
#pragma once
// Matrix product of a block of rows with packed weights: every convolution ends here. A tile of rows x columns of y
// stays in registers over all terms; each number of y is summed in the order of the terms whatever tile it falls in,
// so that results do not depend on how rows are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <atrous/backend/openmp/limits.hpp>
#include <atrous/backend/openmp/panels.hpp>
#include <atrous/backend/openmp/product_tile.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/pairs.hpp>

namespace atrous::cpu {

/// y = after(a x b + bias + other), or a part of the terms of it. Sums start from bias + 0: as no sum is ever -0, terms
/// that are 0 may be left out.
///
/// Weights are stored as T, other and y as S. What is multiplied are numbers, to which a panel is converted once for all
/// rows where T is something else; or pairs of integers, a and b rounded as integers.hpp says: with scales, and half of the terms.
///
///   reads   a (rows, terms), b (panels, terms, columns of a panel), bias (columns) or else from (rows, columns),
///           other (rows, columns), scales (rows; columns as they lie in panels)
///   writes  y (rows, columns)
///   cost    rows * terms * columns multiply-adds
template <class T, class S = T, class Term = arithmetic<T>>
struct product {
  using number = arithmetic<T>;
  static constexpr bool multiplies_integers = std::is_same_v<Term, simd::pair>;

  const Term* a = nullptr;
  std::ptrdiff_t a_row = 0;  // elements from one row to the next
  int rows = 0, terms = 0;
  int parts = 1;              // each of `terms` terms, all in one go
  std::ptrdiff_t a_part = 0;  // elements of a from one part to the next; those of b follow each other
  const T* b = nullptr;
  std::ptrdiff_t b_panel = 0;
  S* y = nullptr;
  std::ptrdiff_t y_row = 0;
  int columns = 0;
  const T* bias = nullptr;
  const number* from = nullptr;  // sums so far, in y if it can hold them; nullptr: starts from bias
  std::ptrdiff_t from_row = 0;
  const S* other = nullptr;  // nullptr: nothing to add
  std::ptrdiff_t other_row = 0;
  const std::ptrdiff_t* order = nullptr;  // rows of y and other that rows are for; nullptr: 0, 1, ...
  bounds<T> after{};
  // Of integers: scales, and what each term of a is multiplied by before it is rounded; nullptr: numbers are multiplied.
  const number *row_scales = nullptr, *column_scales = nullptr, *balances = nullptr;

  /// A part of the terms; `width` is that of a panel.
  [[gnu::always_inline]] product part(std::ptrdiff_t first, int count, int width) const {
    product made = *this;
    made.terms = count;
    made.b += first * width;
    if (balances != nullptr) made.balances += first;
    return made;
  }

  /// The same without a second term, y stored as U.
  template <class U>
  [[gnu::always_inline]] product<T, U, Term> into(U* to, std::ptrdiff_t to_row) const {
    product<T, U, Term> made = with<U, Term>();
    made.a = a, made.terms = terms, made.y = to, made.y_row = to_row, made.order = nullptr;
    return made;
  }

  /// The same of integers that a has been rounded to, of as many bytes a row.
  [[gnu::always_inline]] product<T, S, simd::pair> of_pairs(const simd::pair* rounded,
                                                            const number* scales) const {
    product<T, S, simd::pair> made = with<S, simd::pair>();
    made.a = rounded, made.terms = terms / 2, made.row_scales = scales;
    made.y = y, made.y_row = y_row, made.other = other, made.other_row = other_row;
    return made;
  }

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    if constexpr (!multiplies_integers || Isa::integers) each_panel<Isa>();  // nothing is packed for others
  }

 private:
  using tile = product_tile<T, S, Term>;
  /// Whether sums so far lie as y does.
  static constexpr bool waits_in_y = std::is_same_v<T, number>;

  /// What does not depend on types.
  template <class U, class OtherTerm>
  [[gnu::always_inline]] product<T, U, OtherTerm> with() const {
    product<T, U, OtherTerm> made;
    made.a_row = a_row, made.rows = rows, made.parts = parts, made.a_part = a_part;
    made.b = b, made.b_panel = b_panel, made.columns = columns, made.bias = bias;
    made.from = from, made.from_row = from_row, made.order = order, made.after = after;
    made.row_scales = row_scales, made.column_scales = column_scales;
    return made;
  }

  template <class Isa>
  [[gnu::always_inline]] void each_panel() const {
    static_assert(Isa::vectors == 2);
    constexpr int lanes = Isa::bytes / static_cast<int>(sizeof(number)), width = Isa::vectors * lanes;
    converted_panel<T, Isa, Term> buffer;
    for (int c = 0, panel = 0; c < columns; c += width, ++panel) {
      const T* here = b + panel * b_panel;
      const Term* weights = buffer(here, std::ptrdiff_t{terms} * parts * width);
      const T* next = c + width < columns ? here + b_panel : b;
      const int used = std::min(columns - c, width);
      if (used > lanes) {
        whole_panel<Isa, 2>(weights, next, c, vectors_apart(used, lanes));
      } else if (used == lanes) {
        whole_panel<Isa, 1>(weights, next, c, 0);
      } else {
        part_of_panel<Isa>(weights, c);
      }
    }
  }

  [[gnu::always_inline]] std::ptrdiff_t line(int row) const { return order != nullptr ? order[row] : row; }

  /// What tiles have in common.
  [[gnu::always_inline]] tile tile_of(const Term* weights, int c) const {
    tile made;
    made.a_row = a_row, made.terms = terms, made.parts = parts, made.a_part = a_part;
    made.b = weights;
    made.after = after;
    if (multiplies_integers) made.column_scales = column_scales + c;
    return made;
  }

  /// While it multiplies the first panel, each tile fetches the rows of a that the one below reads; after that, its share of
  /// the next panel. It takes 0.92 (1024 -> 1536 -> 1536 -> 2048 channels) to 0.98 (MobileNetV2) of the time that it took
  /// with the next panel fetched by the last tile alone (AVX2). Both at once were slower.
  template <class Isa, int Vectors>
  [[gnu::always_inline]] void whole_panel(const Term* weights, const T* behind, int c,
                                          std::ptrdiff_t apart) const {
    constexpr int panel = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(number));
    constexpr std::ptrdiff_t weight = multiplies_integers ? sizeof(Term) : sizeof(T);  // bytes
    const int height = rows < Isa::rows ? 1 : Isa::rows, tiles = (rows + height - 1) / height;
    const std::ptrdiff_t all = std::max(std::ptrdiff_t{terms} * parts, std::ptrdiff_t{1});
    const std::ptrdiff_t below = height * a_row, rows_term = (below + all - 1) / all;
    const std::ptrdiff_t share = (panel + tiles - 1) / std::max(tiles, 1);
    const char* next = reinterpret_cast<const char*>(behind);
    tile common = tile_of(weights, c);
    common.apart = apart;
    const auto at = [&](int row, int done) __attribute__((always_inline)) {
      const std::ptrdiff_t start = order != nullptr ? 0 : row, from_start = waits_in_y ? start : row;
      tile here = common;
      here.a = a + row * a_row;
      here.bias = bias + c;
      here.from = from != nullptr ? from + from_start * from_row + c : nullptr;
      here.from_row = from_row;
      here.y = y + start * y_row + c;
      here.y_row = y_row;
      here.other = other != nullptr ? other + start * other_row + c : nullptr;
      here.other_row = other_row;
      here.order = order != nullptr ? order + row : nullptr;
      here.done = done;
      here.fetch = next;
      here.fetch_term = panel * weight;
      if (multiplies_integers) here.row_scales = row_scales + row;
      if (c > 0) {
        here.fetch_term = share * weight;
        next += here.fetch_term * all;
      } else if (row + done + height < rows) {  // another tile follows below
        here.fetch = reinterpret_cast<const char*>(here.a + below);
        here.fetch_term = rows_term * static_cast<std::ptrdiff_t>(sizeof(Term));
      }
      return here;
    };
    if (rows < Isa::rows) {
      for (int row = 0; row < rows; ++row) at(row, 0).template run<Isa, 1, Vectors>();
      return;
    }
    for (int row = 0; row < rows; row += Isa::rows) {
      const int first = std::min(row, rows - Isa::rows);
      at(first, row - first).template run<Isa, Isa::rows, Vectors>();
    }
  }

  /// Fewer columns than a vector has pass through a buffer, so that nothing beside them is touched.
  template <class Isa>
  [[gnu::always_inline]] void part_of_panel(const Term* weights, int c) const {
    constexpr int width = Isa::bytes / static_cast<int>(sizeof(number));
    alignas(64) S results[Isa::rows * width], others[Isa::rows * width] = {};
    alignas(64) number starts[Isa::rows * width];
    alignas(64) T biases[width] = {};
    const auto used = static_cast<std::size_t>(columns - c);
    if (from == nullptr) std::memcpy(biases, bias + c, used * sizeof(T));
    const int height = std::min(rows, Isa::rows);
    tile at = tile_of(weights, c);
    at.bias = biases;
    at.from_row = at.y_row = at.other_row = width;
    at.fetch = reinterpret_cast<const char*>(weights);  // nothing new: there is no panel behind
    for (int row = 0; row < rows; row += Isa::rows) {
      const int first = std::min(row, rows - height), done = row - first;
      for (int i = done; i < height; ++i) {
        if (from != nullptr)
          std::memcpy(starts + i * width, from + (waits_in_y ? line(first + i) : first + i) * from_row + c,
                      used * sizeof(number));
        if (other != nullptr)
          std::memcpy(others + i * width, other + line(first + i) * other_row + c, used * sizeof(S));
      }
      at.a = a + first * a_row;
      at.from = from != nullptr ? starts : nullptr;
      at.y = results;
      at.other = other != nullptr ? others : nullptr;
      if (multiplies_integers) at.row_scales = row_scales + first;
      if (height == Isa::rows) {
        at.template run<Isa, Isa::rows, 1>();
      } else {
        for (int i = 0; i < height; ++i) {
          at.template run<Isa, 1, 1>();
          at.a += a_row, at.y += width;
          if (at.from != nullptr) at.from += width;
          if (at.other != nullptr) at.other += width;
          if (multiplies_integers) ++at.row_scales;
        }
      }
      for (int i = done; i < height; ++i)
        std::memcpy(y + line(first + i) * y_row + c, results + i * width, used * sizeof(S));
    }
  }
};

}  // namespace atrous::cpu
