// SPDX-License-Identifier: MIT
#pragma once
// How the right matrix of a product is packed: in panels of as many columns as a tile has.
#include <algorithm>
#include <array>
#include <cstdint>

#include <atrous/core/shape.hpp>
#include <atrous/graph/op.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>
#include <atrous/simd/pairs.hpp>

namespace atrous::cpu {

/// Terms that are summed in one go, at most (pointwise.hpp).
constexpr int most_terms = 768;

/// Terms of each sum of a convolution on an input of extent `in`.
[[gnu::always_inline]] constexpr std::int64_t terms_of(const op& o, shape in) {
  return std::int64_t{o.kernel} * o.kernel * in.channels;
}

/// Whether the stem's kernel is for a layer (stem.hpp): with more channels, laying windows out costs little beside the product.
/// Measured with AVX2, 513x513x3 -> 32, stride 2: 1.5 instead of 4.1 ms.
constexpr bool reads_whole_rows(const op& o, int channels) {
  constexpr int most = 64;  // terms in one piece
  return o.kernel > 1 && o.rate == 1 && o.kernel * channels <= most &&
         o.kernel * o.kernel * channels <= most_terms;
}

/// Columns of y that one panel of packed weights makes.
template <class T>
constexpr int panel_columns(simd::instruction_set set) {
  const simd::properties p = simd::properties_at(set);
  return p.vectors * p.bytes / static_cast<int>(sizeof(arithmetic<T>));
}

/// Columns of a panel from one of its two vectors to the other, if more than a vector of them is `used`: columns that are no
/// whole vectors are the last of both, so that each is loaded and stored as a whole.
[[gnu::always_inline]] constexpr int vectors_apart(int used, int lanes) { return used - lanes; }

/// Some columns of a panel, and where they begin in its rows.
struct panel_columns_at {
  int place = 0, column = 0, count = 0;
};
[[gnu::always_inline]] constexpr std::array<panel_columns_at, 2> vectors_of_panel(int used, int width) {
  const int lanes = width / 2;
  if (used <= lanes) return {{{0, 0, used}, {used, used, 0}}};
  return {{{0, 0, lanes}, {lanes, vectors_apart(used, lanes), lanes}}};
}

template <class T>
constexpr std::int64_t packed_panels(simd::instruction_set set, std::int64_t terms, int columns) {
  const int width = panel_columns<T>(set);
  return (columns + width - 1) / width * width * terms;
}

/// Returns the end of what it writes.
template <class T, class = simd::this_unit>
T* stored(const float* from, std::int64_t count, T* to) {
  return std::transform(from, from + count, to, [](float x) { return T(x); });
}

/// (terms, columns) -> (panel, terms, columns of a panel: vectors_of_panel), zeros where they are not. Goes
/// through all panels with a few terms at a time: rows of `from` may lie pages apart.
template <class T>
void pack_panels(simd::instruction_set set, std::int64_t terms, int columns, const float* from, T* to) {
  constexpr std::int64_t at_once = 16;
  const int width = panel_columns<T>(set);
  for (std::int64_t begin = 0; begin < terms; begin += at_once) {
    for (int first = 0; first < columns; first += width) {
      T* row = to + first * terms + begin * width;
      const int used = std::min(width, columns - first);
      for (std::int64_t k = begin; k < std::min(begin + at_once, terms); ++k, row += width) {
        if (used < width) std::fill_n(row, width, T(0));
        for (const auto& some : vectors_of_panel(used, width))
          stored(from + k * columns + first + some.column, some.count, row + some.place);
      }
    }
  }
}

/// A panel of weights as they are multiplied: converted once for all rows, if they are stored as something else.
template <class T, class Isa, class Number = arithmetic<T>>
struct converted_panel {
  alignas(64) Number numbers[most_terms * Isa::vectors * Isa::bytes / static_cast<int>(sizeof(Number))];

  [[gnu::always_inline]] const Number* operator()(const T* stored, std::ptrdiff_t count) {
    using lanes = simd::lanes<T, Isa::bytes>;
    for (std::ptrdiff_t i = 0; i < count; i += lanes::width) {
      typename lanes::vector some;
      lanes::load(stored + i, some);
      lanes::template of<Number>::store(numbers + i, some);
    }
    return numbers;
  }
};
template <class T, class Isa>
struct converted_panel<T, Isa, T> {
  [[gnu::always_inline]] const T* operator()(const T* stored, std::ptrdiff_t) const { return stored; }
};
template <class T, class Isa>
struct converted_panel<T, Isa, simd::pair> {
  [[gnu::always_inline]] const simd::pair* operator()(const T* stored, std::ptrdiff_t) const {
    return reinterpret_cast<const simd::pair*>(stored);
  }
};

}  // namespace atrous::cpu
