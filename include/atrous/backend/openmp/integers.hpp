// SPDX-License-Identifier: MIT
#pragma once
// Products of what is stored in half, as products of integers: processors multiply twice as many of them, and their sums
// are exact. A row of the left matrix and a column of the right one are rounded to integers times a scale of their own.
//
//   a(i, k) d(k)  =  s(i) A(i, k)          s(i) such that |A(i, .)| <= most_of_row
//   w(k, j) / d(k) = t(j) W(k, j)          t(j) such that |W(., j)| <= most_of_column over any most_terms terms
//   sum over k of a w = s(i) t(j) times the sum of A W
//
// |.| is the Euclidean norm: by Cauchy and Schwarz no sum, nor any part of one, is beyond most_of_row * most_of_column < 2^31,
// so that all terms are summed in 32 bits. d(k), the mean of |w(k, j)| over j as a part of the largest, is there so that what
// is lost of a number does not depend on how much its channel is multiplied by. An error of 1/2 in A or W is one of s(i)/2 in
// a(i, k) d(k), of t(j)/2 in w(k, j) / d(k).
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <atrous/backend/openmp/panels.hpp>
#include <atrous/backend/openmp/product_tile.hpp>
#include <atrous/core/finite.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>
#include <atrous/simd/pairs.hpp>

namespace atrous::cpu {

constexpr float largest_integer = 32766;  // of 16 bits, and what rounding may add
constexpr float most_of_row = largest_integer;
constexpr float most_of_column = 65535;
// And what floats lose of norms and scales.
static_assert(double{most_of_row} * most_of_column * (1 + 0x1p-15) < 0x1p31);

/// Channels of a layer that is multiplied in integers. With fewer of them, or fewer columns, rounding rows takes the time that
/// it saves. No part that a kernel makes of the terms of as many has fewer than `least_integers`.
constexpr int least_integers = 32, most_integers = 8192;

/// Whether a dense layer of so many channels is multiplied in integers. Channels are even, so every part of the terms is one of
/// whole pairs.
template <class T>
constexpr bool rounds_to_integers(simd::instruction_set set, const op& o, int channels) {
  return !std::is_same_v<T, arithmetic<T>> && simd::properties_at(set).integers &&
         o.kind == op_kind::convolution && channels % 2 == 0 && channels >= least_integers &&
         channels <= most_integers && o.out >= least_integers && !reads_whole_rows(o, channels);
}

// ---- columns: panels of (pairs of terms, columns of a panel), scales (of columns as they lie in panels), balances (terms)

constexpr int most_panel_columns = 32;
static_assert(panel_columns<half>(simd::instruction_set::avx512) <= most_panel_columns);

/// Where parts of a packed layer are; `terms` is even.
template <class T, class = simd::this_unit>
struct packed_integers {
  std::int64_t panels = 0, columns = 0, terms = 0;  // elements of T; floats, as many as whole panels

  packed_integers(simd::instruction_set set, std::int64_t all_terms, int all_columns)
      : panels(packed_panels<T>(set, all_terms, all_columns)),
        columns(whole_panels(all_columns)),
        terms(whole_panels(all_terms)) {}

  std::int64_t elements() const {
    return panels + (columns + terms) * static_cast<std::int64_t>(sizeof(float) / sizeof(T));
  }
  const float* scales(const T* packed) const { return reinterpret_cast<const float*>(packed + panels); }
  const float* balances(const T* packed) const { return scales(packed) + columns; }
  bool finite(const T* packed) const { return atrous::finite(scales(packed), columns + terms); }
  float* scales(T* packed) const { return reinterpret_cast<float*>(packed + panels); }
  float* balances(T* packed) const { return scales(packed) + columns; }

 private:
  static constexpr std::int64_t whole_panels(std::int64_t count) {
    return (count + most_panel_columns - 1) / most_panel_columns * most_panel_columns;
  }
};

/// Added to a number, it leaves the nearest integer in the lowest bits of the sum.
constexpr float to_integer = 0x1.8p23F;

/// One panel while it is packed.
template <class = simd::this_unit>
struct unpacked_panel {
  int width = 0;
  std::vector<float> numbers;  // (terms, width)

  /// Some columns of w / d (vectors_of_panel), zeros where they are not.
  void take(std::int64_t terms, int used, const float* w, int columns, const float* balances) {
    numbers.assign(static_cast<std::size_t>(terms * width), 0.0F);
    for (std::int64_t k = 0; k < terms; ++k) {
      if (balances[k] == 0) continue;
      const float factor = 1 / balances[k];
      float* row = numbers.data() + k * width;
      for (const auto& some : vectors_of_panel(used, width)) {
        const float* from = w + k * columns + some.column;
        std::transform(from, from + some.count, row + some.place, [&](float x) { return x * factor; });
      }
    }
  }

  void find_scales(float* scales) const {
    const auto square = [](float x) { return double{x} * x; };
    const std::int64_t terms = static_cast<std::int64_t>(numbers.size()) / width;
    double squares[most_panel_columns] = {}, most[most_panel_columns] = {};
    float largest[most_panel_columns] = {};
    for (std::int64_t k = 0; k < terms; ++k) {
      const float* row = numbers.data() + k * width;
      const bool full = k >= most_terms;  // the window: its first term leaves it
      const float* left = full ? row - most_terms * width : nullptr;
      for (int j = 0; j < width; ++j) {
        squares[j] += square(row[j]) - (left != nullptr ? square(left[j]) : 0);
        most[j] = std::max(most[j], squares[j]);
        largest[j] = std::max(largest[j], std::abs(row[j]));
      }
    }
    const float most_norm =  // rounding may add 1/2 to each number
        most_of_column - std::sqrt(static_cast<float>(std::min<std::int64_t>(terms, most_terms))) / 2;
    for (int j = 0; j < width; ++j)
      scales[j] = std::max(static_cast<float>(std::sqrt(most[j])) / most_norm, largest[j] / largest_integer);
  }

  /// (pairs of terms, columns)
  void round(const float* scales, std::int16_t* to) const {
    float factors[most_panel_columns];
    for (int j = 0; j < width; ++j) factors[j] = scales[j] > 0 ? 1 / scales[j] : 0;
    const auto terms = static_cast<std::int64_t>(numbers.size()) / width;
    for (std::int64_t k = 0; k < terms; k += 2, to += 2 * width) {
      const float *first = numbers.data() + k * width, *second = first + width;
      for (int j = 0; j < width; ++j) {
        to[2 * j] = nearest_integer(first[j] * factors[j]);
        to[2 * j + 1] = nearest_integer(second[j] * factors[j]);
      }
    }
  }

 private:
  /// 0 of what is no number: scales too small for a factor are those of columns that are nothing.
  static std::int16_t nearest_integer(float x) {
    return static_cast<std::int16_t>(std::bit_cast<std::uint32_t>(x + to_integer));
  }
};

/// d; 0 where the weights of a channel are next to nothing beside those of others.
template <class = simd::this_unit>
void find_balances(std::int64_t terms, int columns, const float* w, float* balances) {
  constexpr double least = 0x1p-100;
  std::vector<double> sums(static_cast<std::size_t>(terms));
  double largest = std::numeric_limits<double>::min();
  for (std::int64_t k = 0; k < terms; ++k) {
    double sum = 0;
    for (int j = 0; j < columns; ++j) sum += std::abs(w[k * columns + j]);
    largest = std::max(largest, sum);
    sums[static_cast<std::size_t>(k)] = sum;
  }
  std::transform(sums.begin(), sums.end(), balances, [&](double sum) {
    return sum / largest < least ? 0.0F : static_cast<float>(sum / largest);
  });
}

/// (terms, columns) -> packed_integers.
template <class T>
void pack_integers(simd::instruction_set set, std::int64_t terms, int columns, const float* from, T* to) {
  const packed_integers<T> at(set, terms, columns);
  float *scales = at.scales(to), *balances = at.balances(to);
  std::fill_n(scales, at.columns + at.terms, 0.0F);
  find_balances(terms, columns, from, balances);
  unpacked_panel<> panel{panel_columns<T>(set), {}};
  for (int first = 0; first < columns; first += panel.width) {
    float found[most_panel_columns];
    const int used = std::min(panel.width, columns - first);
    panel.take(terms, used, from + first, columns, balances);
    panel.find_scales(found);
    std::copy_n(found, panel.width, scales + first);
    panel.round(found, reinterpret_cast<std::int16_t*>(to + first * terms));
  }
}

// ---- rows

/// Rows, each number times its balance, become integers.
///
///   reads   from (rows, terms), balances (terms)
///   writes  to (rows, terms / 2), which may be where `from` is; scales (rows): NaN or infinite where a row has no norm
///   cost    two passes over the rows
template <class From>
struct rounded_rows {
  const From* from = nullptr;
  std::ptrdiff_t from_row = 0;
  int rows = 0, terms = 0;  // terms: least_integers at least
  const float* balances = nullptr;
  simd::pair* to = nullptr;
  std::ptrdiff_t to_row = 0;
  float* scales = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<float, Isa::bytes>;
    // The last vector of a row is read after others have been written to where it may lie.
    static_assert(2 * lanes::width <= least_integers);
    constexpr int most_numbers = 4096;  // that stay in the first-level cache between passes
    const int most_rows =
        terms * lanes::width <= most_numbers ? lanes::width : (most_numbers + terms - 1) / terms;
    typename lanes::vector root;
    simd::square_root<lanes>(static_cast<float>(terms) - typename lanes::vector{}, root);
    for (int first = 0; first < rows; first += most_rows) {
      const int count = rows - first < most_rows ? rows - first : most_rows;
      float factors[lanes::width];
      find_scales<Isa::bytes>(first, count, root, factors);
      for (int i = 0; i < count; ++i) round<Isa::bytes>(first + i, factors[i]);
    }
  }

 private:
  template <int Bytes>
  using floats = typename simd::lanes<float, Bytes>::vector;

  template <int Bytes>
  [[gnu::always_inline]] static void balanced(const From* here, const float* balance, floats<Bytes>& x) {
    simd::lanes<From, Bytes>::load(here, x);
    x *= simd::lanes<float, Bytes>::at(balance).value;
  }

  /// Scales of some rows, and what their numbers are multiplied by. `root` is that of the number of terms.
  template <int Bytes>
  [[gnu::always_inline]] void find_scales(int first, int count, const floats<Bytes>& root,
                                          float (&factors)[simd::lanes<float, Bytes>::width]) const {
    using lanes = simd::lanes<float, Bytes>;
    floats<Bytes> squares[lanes::width], norms;
    for (int i = 0; i < lanes::width; ++i) {
      squares[i] = floats<Bytes>{};
      if (i < count) add_squares<Bytes>(from + (first + i) * from_row, squares[i]);
    }
    simd::sum_each<lanes>(squares);
    simd::square_root<lanes>(squares[0], norms);
    norms += root * 0x1p-63F;                              // squares of smaller numbers may be 0
    const floats<Bytes> most = most_of_row - root * 0.5F;  // rounding may add 1/2 to each number
    lanes::store(factors, most / norms);
    norms /= most;
    for (int i = 0; i < count; ++i) scales[first + i] = norms[i];
  }

  /// Some of them perhaps twice.
  template <int Bytes>
  [[gnu::always_inline]] void add_squares(const From* here, floats<Bytes>& sum) const {
    const int second = terms / 2;  // two sums, which do not wait for each other
    const float* balance = balances;
    floats<Bytes> sums[2]{};
    simd::each_vector<simd::lanes<float, Bytes>>(
        terms - second, [&](int k) __attribute__((always_inline)) {
          floats<Bytes> x, y;
          balanced<Bytes>(here + k, balance + k, x);
          balanced<Bytes>(here + second + k, balance + second + k, y);
          sums[0] += x * x;
          sums[1] += y * y;
        });
    sum = sums[0] + sums[1];
  }

  template <int Bytes>
  [[gnu::always_inline]] void round(int row, float factor) const {
    using bits = typename simd::lanes<std::uint32_t, Bytes>::vector;
    using shorts = simd::lanes<std::uint16_t, Bytes / 2>;
    const From* here = from + row * from_row;
    const float* balance = balances;  // after a store the compiler would read the member again
    auto* integers = reinterpret_cast<std::uint16_t*>(to + row * to_row);
    simd::each_vector<simd::lanes<float, Bytes>>(
        terms, [&](int k) __attribute__((always_inline)) {
          floats<Bytes> x;
          balanced<Bytes>(here + k, balance + k, x);
          x = x * factor + to_integer;
          shorts::at(integers + k).value =
              __builtin_convertvector(reinterpret_cast<bits>(x), typename shorts::vector);
        });
  }
};

}  // namespace atrous::cpu
