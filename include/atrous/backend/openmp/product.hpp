// SPDX-License-Identifier: MIT
#pragma once
// Matrix product of a block of rows with packed weights: every convolution ends here. A tile of rows x columns of y
// stays in registers over all terms; each number of y is summed in the order of the terms whatever tile it falls in,
// so that results do not depend on how rows are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <atrous/backend/openmp/limits.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Columns of y that one panel of packed weights makes.
template <class T>
constexpr int panel_columns(simd::instruction_set set) {
  const simd::properties p = simd::properties_at(set);
  return p.vectors * p.bytes / static_cast<int>(sizeof(T));
}

template <class T>
constexpr std::int64_t packed_panels(simd::instruction_set set, std::int64_t terms, int columns) {
  const int width = panel_columns<T>(set);
  return (columns + width - 1) / width * width * terms;
}

/// (terms, columns) -> (panel, terms, columns of a panel), zeros beyond the last column. Goes through all panels with a
/// few terms at a time: rows of `from` may lie pages apart.
template <class T>
void pack_panels(simd::instruction_set set, std::int64_t terms, int columns, const float* from, T* to) {
  constexpr std::int64_t at_once = 16;
  const int width = panel_columns<T>(set);
  for (std::int64_t begin = 0; begin < terms; begin += at_once) {
    for (int first = 0; first < columns; first += width) {
      T* row = to + first * terms + begin * width;
      const int used = std::min(width, columns - first);
      for (std::int64_t k = begin; k < std::min(begin + at_once, terms); ++k, row += width)
        std::fill(std::copy_n(from + k * columns + first, used, row), row + width, T(0));
    }
  }
}

/// y = after(a x b + bias + other), or a part of the terms of it. Sums start from bias + 0: as no sum is ever -0, terms
/// that are 0 may be left out.
///
///   reads   a (rows, terms), b (panels, terms, columns of a panel), bias (columns) or else y, other (rows, columns)
///   writes  y (rows, columns)
///   cost    rows * terms * columns multiply-adds
template <class T>
struct product {
  const T* a = nullptr;
  std::ptrdiff_t a_row = 0;  // elements from one row to the next
  int rows = 0, terms = 0;
  int parts = 1;              // each of `terms` terms, all in one go
  std::ptrdiff_t a_part = 0;  // elements of a from one part to the next; those of b follow each other
  const T* b = nullptr;
  std::ptrdiff_t b_panel = 0;
  T* y = nullptr;
  std::ptrdiff_t y_row = 0;
  int columns = 0;
  const T* bias = nullptr;   // nullptr: goes on from y
  const T* other = nullptr;  // nullptr: nothing to add
  std::ptrdiff_t other_row = 0;
  bounds<T> after{};

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    constexpr int width = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(T));
    for (int c = 0, panel = 0; c < columns; c += width, ++panel) {
      const T* weights = b + panel * b_panel;
      if (c + width <= columns) {
        whole_panel<Isa>(weights, c + width < columns ? weights + b_panel : b, c);
      } else if (c + width / Isa::vectors < columns) {
        part_of_panel<Isa, Isa::vectors>(weights, c);
      } else {
        part_of_panel<Isa, 1>(weights, c);
      }
    }
  }

 private:
  /// What one tile works on.
  struct place {
    const T* a = nullptr;
    const T* b = nullptr;
    const T* bias = nullptr;
    T* y = nullptr;
    std::ptrdiff_t y_row = 0;
    const T* other = nullptr;
    std::ptrdiff_t other_row = 0;
    int done = 0;                   // rows at the beginning that an earlier tile has written
    const T* fetch = nullptr;       // what to fetch meanwhile
    std::ptrdiff_t fetch_term = 0;  // elements further with each term
    bool more = false;              // whether another tile follows below
  };

  /// While it multiplies the first panel, each tile fetches the rows of a that the one below reads; after that, its share of
  /// the next panel. It takes 0.92 (1024 -> 1536 -> 1536 -> 2048 channels) to 0.98 (MobileNetV2) of the time that it took
  /// with the next panel fetched by the last tile alone (AVX2). Both at once were slower.
  template <class Isa>
  [[gnu::always_inline]] void whole_panel(const T* weights, const T* next, int c) const {
    constexpr int panel = Isa::vectors * Isa::bytes / static_cast<int>(sizeof(T));
    const int height = rows < Isa::rows ? 1 : Isa::rows, tiles = (rows + height - 1) / height;
    const std::ptrdiff_t all = std::max(std::ptrdiff_t{terms} * parts, std::ptrdiff_t{1});
    const std::ptrdiff_t below = height * a_row, rows_term = (below + all - 1) / all;
    const std::ptrdiff_t share = (panel + tiles - 1) / std::max(tiles, 1);
    const auto at = [&](int row, int done) __attribute__((always_inline)) {
      place here{a + row * a_row,
                 weights,
                 bias != nullptr ? bias + c : nullptr,
                 y + row * y_row + c,
                 y_row,
                 other != nullptr ? other + row * other_row + c : nullptr,
                 other_row,
                 done,
                 next,
                 panel,
                 row + done + height < rows};
      if (c > 0) {
        here.fetch_term = share;
        next += share * all;
      } else if (here.more) {
        here.fetch = here.a + below;
        here.fetch_term = rows_term;
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
  [[gnu::always_inline]] void part_of_panel(const T* weights, int c) const {
    constexpr int width = Vectors * Isa::bytes / static_cast<int>(sizeof(T));
    alignas(64) T sums[Isa::rows * width], others[Isa::rows * width] = {}, biases[width] = {};
    const std::size_t used = sizeof(T) * static_cast<std::size_t>(columns - c);
    if (bias != nullptr) std::memcpy(biases, bias + c, used);
    const int height = std::min(rows, Isa::rows);
    for (int row = 0; row < rows; row += Isa::rows) {
      const int first = std::min(row, rows - height), done = row - first;
      for (int i = done; i < height; ++i) {
        if (bias == nullptr) std::memcpy(sums + i * width, y + (first + i) * y_row + c, used);
        if (other != nullptr) std::memcpy(others + i * width, other + (first + i) * other_row + c, used);
      }
      place at{a + first * a_row,
               weights,
               bias != nullptr ? biases : nullptr,
               sums,
               width,
               other != nullptr ? others : nullptr,
               width,
               0,
               weights,  // nothing new: there is no panel behind
               0,
               false};
      if (height == Isa::rows) {
        tile<Isa, Isa::rows, Vectors>(at);
      } else {
        for (int i = 0; i < height;
             ++i, at.a += a_row, at.y += width, at.other += at.other != nullptr ? width : 0)
          tile<Isa, 1, Vectors>(at);
      }
      for (int i = done; i < height; ++i) std::memcpy(y + (first + i) * y_row + c, sums + i * width, used);
    }
  }

  template <class Isa, int Rows, int Vectors>
  [[gnu::always_inline]] void tile(const place& at) const {
    using lanes = simd::lanes<T, Isa::bytes>;
    using vector = typename lanes::vector;
    constexpr int panel = Isa::vectors * lanes::width;
    vector sums[Rows][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j)
        sums[i][j] =
            lanes::at((at.bias != nullptr ? at.bias : at.y + i * at.y_row) + j * lanes::width).value +
            vector{};
    constexpr int near = 5;  // rows that one address serves: few registers
    const T* left[(Rows + near - 1) / near];
#pragma GCC unroll 4
    for (int i = 0; i < Rows; i += near) left[i / near] = at.a + i * a_row;
    const T* right = at.b;
    const T* fetch = at.fetch;
    for (int part = 0; part < parts; ++part) {
#pragma GCC unroll 1  // more, and clang loads weights so early that sums leave the registers
      for (int k = 0; k < terms; ++k, right += panel, fetch += at.fetch_term) {
        vector weights[Vectors];
#pragma GCC unroll 2
        for (int j = 0; j < Vectors; ++j) {
          weights[j] = lanes::at(right + j * lanes::width).value;
          if (Isa::prefetch && j * Isa::bytes % 64 == 0) __builtin_prefetch(fetch + j * lanes::width);
        }
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
          const vector x = left[i / near][i % near * a_row + k] - vector{};
#pragma GCC unroll 2
          for (int j = 0; j < Vectors; ++j) sums[i][j] += x * weights[j];
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < Rows; i += near) left[i / near] += a_part;
    }
    store<Isa, Rows, Vectors>(at, sums);
  }

  template <class Isa, int Rows, int Vectors, class Vector>
  [[gnu::always_inline]] void store(const place& at, Vector (&sums)[Rows][Vectors]) const {
    using lanes = simd::lanes<T, Isa::bytes>;
    const Vector low = after.low - Vector{}, high = after.high - Vector{};
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      if (i < at.done) continue;
      if (Isa::prefetch && at.more) fetch_below<Isa, Rows>(at, i);
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        if (at.other != nullptr)
          sums[i][j] += lanes::at(at.other + i * at.other_row + j * lanes::width).value;
        lanes::clamp(sums[i][j], low, high);
        lanes::at(at.y + i * at.y_row + j * lanes::width).value = sums[i][j];
      }
    }
  }

  /// Row i of what the tile below writes and adds: a line at a time, never so many at once that the sums wait.
  template <class Isa, int Rows>
  [[gnu::always_inline]] static void fetch_below(const place& at, int i) {
#pragma GCC unroll 2
    for (int c = 0; c < Isa::vectors * Isa::bytes / static_cast<int>(sizeof(T));
         c += 64 / static_cast<int>(sizeof(T))) {
      __builtin_prefetch(at.y + (Rows + i) * at.y_row + c, 1);
      if (at.other != nullptr) __builtin_prefetch(at.other + (Rows + i) * at.other_row + c);
    }
  }
};

}  // namespace atrous::cpu
