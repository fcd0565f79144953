// SPDX-License-Identifier: MIT
#pragma once
// An order of pixels in which those whose windows see the same follow each other, whatever the rate.
#include <algorithm>
#include <cstdint>

#include <atrous/backend/openmp/taps.hpp>

namespace atrous::cpu {

/// The rows of an image, section by section, each in the order in which those `rate` apart follow each other: 0, rate,
/// 2 rate, ..., 1, rate + 1, ...
struct row_order {
  int rows = 0, rate = 1;
  int section = rows;  // rows, the last one may have less

  /// About as many sections as threads, so that each has neighbouring rows. Whole pairs in all but the last: none is lost.
  static constexpr row_order shared(int rows, int rate, int threads) {
    const int most = (rows + threads - 1) / threads, pairs = 2 * rate;
    return {rows, rate, std::max(std::min(rows, (most + pairs - 1) / pairs * pairs), 1)};
  }

  constexpr int row(int k) const {
    const int first = k / section * section, count = std::min(section, rows - first);
    return first + row_in_section(k - first, count);
  }
  constexpr bool in_sequence() const { return rate == 1 || rate >= section; }
  /// The places of pixels first ... last - 1 of images whose rows lie in this order.
  [[gnu::always_inline]] void write_places(std::int64_t first, std::int64_t last, int columns,
                                           std::ptrdiff_t* to) const {
    for (std::int64_t p = first; p < last;) {
      const position at = position_of(p, rows, columns);
      const std::int64_t end = std::min(last, p + columns - at.column);
      const std::int64_t away = (std::int64_t{row(at.row)} - at.row) * columns;
      for (; p < end; ++p) *to++ = p + away;
    }
  }
  /// Whether the row behind the k-th is the one a rate below it.
  constexpr bool followed(int k) const { return k + 1 < rows && row(k + 1) == row(k) + rate; }

 private:
  constexpr int row_in_section(int k, int count) const {
    const int each = count / rate,
              longer = count % rate;  // rows of a residue; so many residues have one more
    const int k_longer = longer * (each + 1);
    if (k < k_longer) return k / (each + 1) + k % (each + 1) * rate;
    return longer + (k - k_longer) / each + (k - k_longer) % each * rate;
  }
};

/// Calls visit(first pixel, last column, pixels before, pixels before those below or -1) for pixels first ... last - 1 of
/// images whose rows lie in an order: each pixel once, by itself or together with the one a rate below it.
template <class Visit>
void each_pair(std::int64_t first, std::int64_t last, const row_order& order, int columns,
               const Visit& visit) {
  const auto in_image = [&](position at) { return position{at.image, order.row(at.row), at.column}; };
  for (std::int64_t strip = first; strip < last; strip += 2 * columns) {  // of two rows
    const std::int64_t end = std::min(last, strip + columns);
    for (std::int64_t p = strip; p < end;) {
      const position at = position_of(p, order.rows, columns);
      const auto count = static_cast<int>(std::min<std::int64_t>(columns - at.column, end - p));
      const auto below = static_cast<int>(std::clamp<std::int64_t>(last - columns - p, 0, count));
      const int paired = order.followed(at.row) ? below : 0;
      if (paired > 0) visit(in_image(at), at.column + paired, p - first, p - first + columns);
      if (paired < count) {
        const position rest{at.image, at.row, at.column + paired};
        visit(in_image(rest), at.column + count, p - first + paired, std::int64_t{-1});
      }
      if (paired < below) {
        const position under = position_of(p + columns, order.rows, columns);
        visit(in_image(under), under.column + below, p - first + columns, std::int64_t{-1});
      }
      p += count;
    }
  }
}

}  // namespace atrous::cpu
