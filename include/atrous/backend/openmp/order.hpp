// SPDX-License-Identifier: MIT
#pragma once
// An order of pixels in which those whose windows see the same follow each other, whatever the rate.
#include <algorithm>
#include <cstdint>

#include <atrous/backend/openmp/taps.hpp>

namespace atrous::cpu {

/// Pixels that follow each other: of one row, or of two rows a rate apart, which alternate.
struct pixel_run {
  position at{};  // the first; of two rows in the upper one
  int end = 0;    // the column behind the last
  bool pair = false;

  [[gnu::always_inline]] constexpr int columns() const { return end - at.column; }
  [[gnu::always_inline]] constexpr int count() const { return pair ? 2 * columns() : columns(); }
};

/// The pixels of images, section by section. In a section rows `rate` apart follow each other: 0, rate, 2 rate, ..., 1,
/// rate + 1, ...; with `pairs`, every two of them go together, column by column, so that any block has the pixels of both.
struct window_order {
  int rows = 0, columns = 0;  // of an image
  int rate = 1, section = rows;
  bool pairs = false;

  /// In pairs, with about as many sections as threads, so that each has neighbouring rows. Whole pairs in all but the last:
  /// none is lost.
  [[gnu::always_inline]] static constexpr window_order shared(int rows, int columns, int rate, int threads) {
    if (rate >= rows) return {rows, columns};
    const int most = (rows + threads - 1) / threads, whole = 2 * rate;
    const int section = std::max(std::min(rows, (most + whole - 1) / whole * whole), 1);
    return {rows, columns, rate, section, true};
  }

  constexpr bool in_sequence() const { return !pairs; }

  /// The longest run from the p-th pixel on that ends before the last-th.
  [[gnu::always_inline]] constexpr pixel_run from(std::int64_t p, std::int64_t last) const {
    const position here = position_of(p, rows, columns);
    const line of = line_at(here.row);
    if (!pairs || (of.index | 1) >= of.count) {
      const std::int64_t end = here.column + (last - p);
      return {{here.image, of.row, here.column}, static_cast<int>(std::min<std::int64_t>(columns, end))};
    }
    const int second = of.index % 2, before = second * columns + here.column;  // pixels of the pair
    const position at{here.image, of.row + (before % 2 - second) * rate, before / 2};
    const std::int64_t left = (last - p) / 2;
    if (before % 2 == 1 || left == 0) return {at, at.column + 1};
    return {at, static_cast<int>(std::min<std::int64_t>(columns, at.column + left)), true};
  }

  /// The places of pixels first ... last - 1.
  [[gnu::always_inline]] void write_places(std::int64_t first, std::int64_t last, std::ptrdiff_t* to) const {
    for (std::int64_t p = first; p < last;) {
      const pixel_run run = from(p, last);
      const std::int64_t place = (std::int64_t{run.at.image} * rows + run.at.row) * columns + run.at.column;
      for (int j = 0; j < run.columns(); ++j) {
        *to++ = place + j;
        if (run.pair) *to++ = place + j + std::int64_t{rate} * columns;
      }
      p += run.count();
    }
  }

 private:
  /// A row of an image: the index-th of `count` rows of its section that are a rate apart.
  struct line {
    int row = 0, index = 0, count = 0;
  };
  [[gnu::always_inline]] constexpr line line_at(int k) const {
    const int first = k / section * section, in_section = std::min(section, rows - first);
    const int each = in_section / rate, longer = in_section % rate;  // so many residues have one row more
    const int at = k - first, at_others = at - longer * (each + 1);
    const int count = at_others < 0 ? each + 1 : each;
    const int residue = at_others < 0 ? at / count : longer + at_others / count;
    const int index = at_others < 0 ? at % count : at_others % count;
    return {first + residue + index * rate, index, count};
  }
};

}  // namespace atrous::cpu
