// SPDX-License-Identifier: MIT
#pragma once
// A tile of a product: as many rows x vectors of sums as stay in registers over all terms.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <atrous/backend/openmp/limits.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>
#include <atrous/simd/pairs.hpp>

namespace atrous::cpu {

/// What a tile works on; `T`, `S` and `Term` are those of a product.
///
///   reads   a (rows, terms), b (terms, columns of a panel), bias or from, other, scales
///   writes  y (rows, columns)
///   cost    rows * terms * columns multiply-adds
template <class T, class S, class Term>
struct product_tile {
  using number = arithmetic<T>;
  static constexpr bool integers = std::is_same_v<Term, simd::pair>;

  const Term* a = nullptr;
  std::ptrdiff_t a_row = 0;
  int terms = 0, parts = 1;
  std::ptrdiff_t a_part = 0;
  const Term* b = nullptr;
  const T* bias = nullptr;
  const number* from = nullptr;
  std::ptrdiff_t from_row = 0;
  S* y = nullptr;
  std::ptrdiff_t y_row = 0;
  const S* other = nullptr;
  std::ptrdiff_t other_row = 0;
  const std::ptrdiff_t* order = nullptr;
  const number *row_scales = nullptr, *column_scales = nullptr;  // of integers
  std::ptrdiff_t apart = 0;  // columns from one vector to the next; they may overlap (panels.hpp)
  bounds<T> after{};
  int done = 0;                   // rows at the beginning that an earlier tile has written
  const char* fetch = nullptr;    // what to fetch meanwhile
  std::ptrdiff_t fetch_term = 0;  // bytes further with each term

  template <class Isa, int Rows, int Vectors>
  [[gnu::always_inline]] void run() const {
    if (order == nullptr)
      multiply<Isa, Rows, Vectors, false>();
    else
      multiply<Isa, Rows, Vectors, true>();
  }

 private:
  template <class Isa>
  using lanes = simd::lanes<number, Isa::bytes>;
  template <class Isa, int Rows, int Vectors>
  using sums_of = typename lanes<Isa>::vector[Rows][Vectors];

  template <bool Ordered>
  [[gnu::always_inline]] std::ptrdiff_t line(int row) const {
    return Ordered ? order[row] : row;
  }

  static constexpr int near = 5;  // rows that one address serves: few registers
  template <int Rows>
  struct cursor {
    const Term* left[(Rows + near - 1) / near];
    const Term* right;
    const char* fetch;
  };

  template <class Isa, int Rows, int Vectors, bool Ordered>
  [[gnu::always_inline]] void multiply() const {
    cursor<Rows> at;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; i += near) at.left[i / near] = a + i * a_row;
    at.right = b;
    at.fetch = fetch;
    sums_of<Isa, Rows, Vectors> sums;
    if constexpr (integers)
      sum_integers<Isa, Rows, Vectors, Ordered>(at, sums);
    else
      sum_numbers<Isa, Rows, Vectors, Ordered>(at, sums);
    store<Isa, Rows, Vectors, Ordered>(sums);
  }

  template <class Isa, int Rows, int Vectors, bool Ordered>
  [[gnu::always_inline]] void sum_numbers(cursor<Rows>& at, sums_of<Isa, Rows, Vectors>& sums) const {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) start<Isa, Ordered>(i, j, sums[i][j]);
    multiply_parts<Isa, Rows, Vectors, Ordered>(at, sums);
  }

  /// Sums in 32 bits (integers.hpp), which become floats at the end.
  template <class Isa, int Rows, int Vectors, bool Ordered>
  [[gnu::always_inline]] void sum_integers(cursor<Rows>& at, sums_of<Isa, Rows, Vectors>& sums) const {
    using vector = typename lanes<Isa>::vector;
    using integers_of = typename simd::lanes<std::int32_t, Isa::bytes>::vector;
    integers_of whole[Rows][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) whole[i][j] = integers_of{};
    multiply_parts<Isa, Rows, Vectors, Ordered>(at, whole);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        vector scale, begin;
        lanes<Isa>::load(column_scales + j * lanes<Isa>::width, scale);
        scale *= row_scales[i];
        start<Isa, Ordered>(i, j, begin);
        sums[i][j] = __builtin_convertvector(whole[i][j], vector);
        sums[i][j] *= scale;
        simd::round_here(sums[i][j]);  // fused with the sum in some rows, results would depend on the tile
        sums[i][j] += begin;
      }
  }

  /// All terms, and rows of y that are fetched meanwhile.
  template <class Isa, int Rows, int Vectors, bool Ordered, class Vector>
  [[gnu::always_inline]] void multiply_parts(cursor<Rows>& at, Vector (&sums)[Rows][Vectors]) const {
    constexpr int group = std::min(Rows, 6);  // rows of y fetched at once; behind more the weights would wait
    const int stretch = group < Rows ? std::max(terms * parts / Rows * group, group) : terms;
    for (int part = 0, row = 0; part < parts; ++part) {
      for (int k = 0; k < terms; k += stretch, row += group) {
        fetch_rows<Isa, Ordered>(row, std::min(row + group, Rows));
        multiply_terms<Isa, Rows, Vectors>(at, k, std::min(k + stretch, terms), sums);
      }
#pragma GCC unroll 4
      for (int i = 0; i < Rows; i += near) at.left[i / near] += a_part;
    }
  }

  /// Terms k ... until - 1.
  template <class Isa, int Rows, int Vectors, class Vector>
  [[gnu::always_inline]] void multiply_terms(cursor<Rows>& at, int k, int until,
                                             Vector (&sums)[Rows][Vectors]) const {
    using number_of_sums = std::remove_cvref_t<decltype(sums[0][0][0])>;
    using sum_lanes = simd::lanes<number_of_sums, Isa::bytes>;
    constexpr int panel = Isa::vectors * sum_lanes::width;
    const Term* right = at.right;
    const char* ahead = at.fetch;
#pragma GCC unroll 1  // more, and clang loads weights so early that sums leave the registers
    for (; k < until; ++k, right += panel, ahead += fetch_term) {
      Vector weights[Vectors];
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        weights[j] =
            sum_lanes::at(reinterpret_cast<const number_of_sums*>(right) + j * sum_lanes::width).value;
        if (Isa::prefetch && j * Isa::bytes % 64 == 0) __builtin_prefetch(ahead + j * Isa::bytes);
      }
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const Vector x = static_cast<number_of_sums>(at.left[i / near][i % near * a_row + k]) - Vector{};
#pragma GCC unroll 2
        for (int j = 0; j < Vectors; ++j) {
          if constexpr (integers)
            simd::add_products<Isa>(x, weights[j], sums[i][j]);
          else
            sums[i][j] += x * weights[j];
        }
      }
    }
    at.right = right;
    at.fetch = ahead;
  }

  /// What a sum begins with, and 0, lest it is -0.
  template <class Isa, bool Ordered, class Vector>
  [[gnu::always_inline]] void start(int i, int j, Vector& sum) const {
    const std::ptrdiff_t c = j * apart;
    if constexpr (std::is_same_v<T, number>) {
      lanes<Isa>::load((from != nullptr ? from + line<Ordered>(i) * from_row : bias) + c, sum);
    } else if (from != nullptr) {
      lanes<Isa>::load(from + i * from_row + c, sum);
    } else {
      simd::lanes<T, Isa::bytes>::load(bias + c, sum);
    }
    sum += Vector{};
  }

  template <class Isa, int Rows, int Vectors, bool Ordered, class Vector>
  [[gnu::always_inline]] void store(Vector (&sums)[Rows][Vectors]) const {
    using stored = simd::lanes<S, Isa::bytes>;
    const Vector low = after.low - Vector{}, high = after.high - Vector{};
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      if (i < done) continue;
      const std::ptrdiff_t at = line<Ordered>(i);
      if (other != nullptr) {  // of both vectors before one is stored: it may lie in y
#pragma GCC unroll 2
        for (int j = 0; j < Vectors; ++j) {
          Vector term;
          stored::load(other + at * other_row + j * apart, term);
          sums[i][j] += term;
        }
      }
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        stored::clamp(sums[i][j], low, high);
        stored::store(y + at * y_row + j * apart, sums[i][j]);
      }
    }
  }

  /// Some rows of what the tile will write and add.
  template <class Isa, bool Ordered>
  [[gnu::always_inline]] void fetch_rows(int first, int last) const {
    if (!Isa::prefetch) return;
    constexpr int panel = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(number));
    for (int i = first; i < last; ++i) {
      const std::ptrdiff_t at = line<Ordered>(i);
#pragma GCC unroll 2
      for (int c = 0; c < panel; c += 64 / static_cast<int>(sizeof(S))) {
        __builtin_prefetch(y + at * y_row + c, 1);
        if (other != nullptr) __builtin_prefetch(other + at * other_row + c);
      }
    }
  }
};

}  // namespace atrous::cpu
