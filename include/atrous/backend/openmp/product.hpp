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
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// y = after(a x b + bias + other), or a part of the terms of it. Sums start from bias + 0: as no sum is ever -0, terms
/// that are 0 may be left out.
///
/// Weights are stored as T, other and y as S. Where T is not what is multiplied, a panel is converted once for all rows.
///
///   reads   a (rows, terms), b (panels, terms, columns of a panel), bias (columns) or else from (rows, columns),
///           other (rows, columns)
///   writes  y (rows, columns)
///   cost    rows * terms * columns multiply-adds
template <class T, class S = T>
struct product {
  using number = arithmetic<T>;
  const number* a = nullptr;
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

  /// The same without a second term, y stored as U.
  template <class U>
  [[gnu::always_inline]] product<T, U> into(U* to, std::ptrdiff_t to_row) const {
    product<T, U> made;
    made.a = a, made.a_row = a_row, made.rows = rows, made.terms = terms, made.parts = parts,
    made.a_part = a_part;
    made.b = b, made.b_panel = b_panel, made.y = to, made.y_row = to_row, made.columns = columns;
    made.bias = bias, made.from = from, made.from_row = from_row, made.after = after;
    return made;
  }

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    constexpr int width = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(number));
    converted_panel<T, Isa> buffer;
    for (int c = 0, panel = 0; c < columns; c += width, ++panel) {
      const T* here = b + panel * b_panel;
      const number* weights = buffer(here, std::ptrdiff_t{terms} * parts * width);
      if (c + width <= columns) {
        whole_panel<Isa>(weights, c + width < columns ? here + b_panel : b, c);
      } else if (c + width / Isa::vectors < columns) {
        part_of_panel<Isa, Isa::vectors>(weights, c);
      } else {
        part_of_panel<Isa, 1>(weights, c);
      }
    }
  }

 private:
  /// Whether sums so far lie as y does.
  static constexpr bool waits_in_y = std::is_same_v<T, number>;

  [[gnu::always_inline]] std::ptrdiff_t line(int row) const { return order != nullptr ? order[row] : row; }

  /// What one tile works on.
  struct place {
    const number* a = nullptr;
    const number* b = nullptr;
    const T* bias = nullptr;
    const number* from = nullptr;
    std::ptrdiff_t from_row = 0;
    S* y = nullptr;
    std::ptrdiff_t y_row = 0;
    const S* other = nullptr;
    std::ptrdiff_t other_row = 0;
    const std::ptrdiff_t* order = nullptr;
    int done = 0;                   // rows at the beginning that an earlier tile has written
    const char* fetch = nullptr;    // what to fetch meanwhile
    std::ptrdiff_t fetch_term = 0;  // bytes further with each term

    template <bool Ordered>
    [[gnu::always_inline]] std::ptrdiff_t line(int row) const {
      return Ordered ? order[row] : row;
    }
  };

  /// While it multiplies the first panel, each tile fetches the rows of a that the one below reads; after that, its share of
  /// the next panel. It takes 0.92 (1024 -> 1536 -> 1536 -> 2048 channels) to 0.98 (MobileNetV2) of the time that it took
  /// with the next panel fetched by the last tile alone (AVX2). Both at once were slower.
  template <class Isa>
  [[gnu::always_inline]] void whole_panel(const number* weights, const T* behind, int c) const {
    constexpr int panel = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(number));
    const int height = rows < Isa::rows ? 1 : Isa::rows, tiles = (rows + height - 1) / height;
    const std::ptrdiff_t all = std::max(std::ptrdiff_t{terms} * parts, std::ptrdiff_t{1});
    const std::ptrdiff_t below = height * a_row, rows_term = (below + all - 1) / all;
    const std::ptrdiff_t share = (panel + tiles - 1) / std::max(tiles, 1);
    const char* next = reinterpret_cast<const char*>(behind);
    const auto at = [&](int row, int done) __attribute__((always_inline)) {
      const std::ptrdiff_t start = order != nullptr ? 0 : row, from_start = waits_in_y ? start : row;
      place here{a + row * a_row,
                 weights,
                 bias + c,
                 from != nullptr ? from + from_start * from_row + c : nullptr,
                 from_row,
                 y + start * y_row + c,
                 y_row,
                 other != nullptr ? other + start * other_row + c : nullptr,
                 other_row,
                 order != nullptr ? order + row : nullptr,
                 done,
                 next,
                 panel * sizeof(T)};
      if (c > 0) {
        here.fetch_term = share * sizeof(T);
        next += here.fetch_term * all;
      } else if (row + done + height < rows) {  // another tile follows below
        here.fetch = reinterpret_cast<const char*>(here.a + below);
        here.fetch_term = rows_term * sizeof(number);
      }
      return here;
    };
    if (rows < Isa::rows) {
      for (int row = 0; row < rows; ++row) tile<Isa, 1, Isa::vectors>(at(row, 0));
      return;
    }
    for (int row = 0; row < rows; row += Isa::rows) {
      const int first = std::min(row, rows - Isa::rows);
      tile<Isa, Isa::rows, Isa::vectors>(at(first, row - first));
    }
  }

  /// The last columns pass through a buffer, so that nothing beside them is touched.
  template <class Isa, int Vectors>
  [[gnu::always_inline]] void part_of_panel(const number* weights, int c) const {
    constexpr int width = Vectors * Isa::bytes / static_cast<int>(sizeof(number));
    alignas(64) S results[Isa::rows * width], others[Isa::rows * width] = {};
    alignas(64) number starts[Isa::rows * width];
    alignas(64) T biases[width] = {};
    const auto used = static_cast<std::size_t>(columns - c);
    if (from == nullptr) std::memcpy(biases, bias + c, used * sizeof(T));
    const int height = std::min(rows, Isa::rows);
    for (int row = 0; row < rows; row += Isa::rows) {
      const int first = std::min(row, rows - height), done = row - first;
      for (int i = done; i < height; ++i) {
        if (from != nullptr)
          std::memcpy(starts + i * width, from + (waits_in_y ? line(first + i) : first + i) * from_row + c,
                      used * sizeof(number));
        if (other != nullptr)
          std::memcpy(others + i * width, other + line(first + i) * other_row + c, used * sizeof(S));
      }
      place at{a + first * a_row,
               weights,
               biases,
               from != nullptr ? starts : nullptr,
               width,
               results,
               width,
               other != nullptr ? others : nullptr,
               width,
               nullptr,
               0,
               reinterpret_cast<const char*>(weights),  // nothing new: there is no panel behind
               0};
      if (height == Isa::rows) {
        tile<Isa, Isa::rows, Vectors>(at);
      } else {
        for (int i = 0; i < height; ++i, at.a += a_row, at.y += width,
                 at.from += at.from != nullptr ? width : 0, at.other += at.other != nullptr ? width : 0)
          tile<Isa, 1, Vectors>(at);
      }
      for (int i = done; i < height; ++i)
        std::memcpy(y + line(first + i) * y_row + c, results + i * width, used * sizeof(S));
    }
  }

  template <class Isa, int Rows, int Vectors>
  [[gnu::always_inline]] void tile(const place& at) const {
    using lanes = simd::lanes<number, Isa::bytes>;
    using vector = typename lanes::vector;
    constexpr int panel = Isa::vectors * lanes::width;
    vector sums[Rows][Vectors];
    if (at.order == nullptr)
      start<Isa, Rows, Vectors, false>(at, sums);
    else
      start<Isa, Rows, Vectors, true>(at, sums);
    constexpr int near = 5;  // rows that one address serves: few registers
    const number* left[(Rows + near - 1) / near];
#pragma GCC unroll 4
    for (int i = 0; i < Rows; i += near) left[i / near] = at.a + i * a_row;
    const number* right = at.b;
    const char* fetch = at.fetch;
    constexpr int group = std::min(Rows, 6);  // rows of y fetched at once; behind more the weights would wait
    const int stretch = group < Rows ? std::max(terms * parts / Rows * group, group) : terms;
    for (int part = 0, row = 0; part < parts; ++part) {
      for (int k = 0; k < terms; row += group) {
        const int until = std::min(k + stretch, terms);
        if (Isa::prefetch && row < Rows) {
          const int last = std::min(row + group, Rows);
          if (at.order == nullptr)
            fetch_rows<Isa, false>(at, row, last);
          else
            fetch_rows<Isa, true>(at, row, last);
        }
#pragma GCC unroll 1  // more, and clang loads weights so early that sums leave the registers
        for (; k < until; ++k, right += panel, fetch += at.fetch_term) {
          vector weights[Vectors];
#pragma GCC unroll 2
          for (int j = 0; j < Vectors; ++j) {
            weights[j] = lanes::at(right + j * lanes::width).value;
            if (Isa::prefetch && j * Isa::bytes % 64 == 0) __builtin_prefetch(fetch + j * Isa::bytes);
          }
#pragma GCC unroll 16
          for (int i = 0; i < Rows; ++i) {
            const vector x = left[i / near][i % near * a_row + k] - vector{};
#pragma GCC unroll 2
            for (int j = 0; j < Vectors; ++j) sums[i][j] += x * weights[j];
          }
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < Rows; i += near) left[i / near] += a_part;
    }
    if (at.order == nullptr)
      store<Isa, Rows, Vectors, false>(at, sums);
    else
      store<Isa, Rows, Vectors, true>(at, sums);
  }

  template <class Isa, int Rows, int Vectors, bool Ordered, class Vector>
  [[gnu::always_inline]] void start(const place& at, Vector (&sums)[Rows][Vectors]) const {
    using lanes = simd::lanes<number, Isa::bytes>;
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        const std::ptrdiff_t c = j * lanes::width;
        if constexpr (std::is_same_v<T, number>) {
          lanes::load(
              (at.from != nullptr ? at.from + at.template line<Ordered>(i) * at.from_row : at.bias) + c,
              sums[i][j]);
        } else if (at.from != nullptr) {
          lanes::load(at.from + i * at.from_row + c, sums[i][j]);
        } else {
          simd::lanes<T, Isa::bytes>::load(at.bias + c, sums[i][j]);
        }
        sums[i][j] += Vector{};
      }
  }

  template <class Isa, int Rows, int Vectors, bool Ordered, class Vector>
  [[gnu::always_inline]] void store(const place& at, Vector (&sums)[Rows][Vectors]) const {
    using lanes = simd::lanes<S, Isa::bytes>;
    const Vector low = after.low - Vector{}, high = after.high - Vector{};
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      if (i < at.done) continue;
      const std::ptrdiff_t line = at.template line<Ordered>(i);
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        if (at.other != nullptr) {
          Vector term;
          lanes::load(at.other + line * at.other_row + j * lanes::width, term);
          sums[i][j] += term;
        }
        lanes::clamp(sums[i][j], low, high);
        lanes::store(at.y + line * at.y_row + j * lanes::width, sums[i][j]);
      }
    }
  }

  /// Some rows of what the tile will write and add.
  template <class Isa, bool Ordered>
  [[gnu::always_inline]] static void fetch_rows(const place& at, int first, int last) {
    constexpr int panel = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(number));
    for (int i = first; i < last; ++i) {
      const std::ptrdiff_t line = at.template line<Ordered>(i);
#pragma GCC unroll 2
      for (int c = 0; c < panel; c += 64 / static_cast<int>(sizeof(S))) {
        __builtin_prefetch(at.y + line * at.y_row + c, 1);
        if (at.other != nullptr) __builtin_prefetch(at.other + line * at.other_row + c);
      }
    }
  }
};

}  // namespace atrous::cpu
