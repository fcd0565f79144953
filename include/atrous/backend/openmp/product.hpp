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

/// (terms, columns) -> (panel, terms, columns of a panel), zeros beyond the last column.
template <class T>
void pack_panels(simd::instruction_set set, std::int64_t terms, int columns, const float* from, T* to) {
  const int width = panel_columns<T>(set);
  for (int first = 0; first < columns; first += width)
    for (std::int64_t k = 0; k < terms; ++k)
      for (int c = first; c < first + width; ++c)
        *to++ = c < columns ? static_cast<T>(from[k * columns + c]) : T(0);
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
        whole_panel<Isa>(weights, c);
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
    int done = 0;  // rows at the beginning that an earlier tile has written
  };

  template <class Isa>
  [[gnu::always_inline]] void whole_panel(const T* weights, int c) const {
    const auto at = [&](int row, int done) __attribute__((always_inline)) {
      return place{a + row * a_row,     weights, bias != nullptr ? bias + c : nullptr,
                   y + row * y_row + c, y_row,   other != nullptr ? other + row * other_row + c : nullptr,
                   other_row,           done};
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
               0};
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
    const T* left = at.a;
    const T* right = at.b;
#pragma GCC unroll 4
    for (int k = 0; k < terms; ++k, ++left, right += panel) {
      vector weights[Vectors];
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        weights[j] = lanes::at(right + j * lanes::width).value;
        if (Isa::prefetch > 0) __builtin_prefetch(right + Isa::prefetch * panel + j * lanes::width);
      }
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const vector x = left[i * a_row] - vector{};
#pragma GCC unroll 2
        for (int j = 0; j < Vectors; ++j) sums[i][j] += x * weights[j];
      }
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
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) {
        if (at.other != nullptr)
          sums[i][j] += lanes::at(at.other + i * at.other_row + j * lanes::width).value;
        lanes::clamp(sums[i][j], low, high);
        lanes::at(at.y + i * at.y_row + j * lanes::width).value = sums[i][j];
      }
    }
  }
};

}  // namespace atrous::cpu
