// SPDX-License-Identifier: MIT
#pragma once
// How Winograd's algorithm cuts the outputs of a 3 x 3 convolution into tiles. With a rate r, outputs r apart are r
// interleaved convolutions without a rate, in each direction: a tile belongs to one of them. Where fewer than 3 outputs
// are left, a tile has 2 or 1, and takes part in fewer of the products. Tiles begin at multiples of 3 r and do not
// depend on what comes after them, so that bands of 3 r rows have the same ones.
#include <algorithm>
#include <cstdint>

#include <atrous/backend/openmp/taps.hpp>

namespace atrous::cpu::winograd {

inline constexpr int outputs = 3;                 // of a whole tile along an axis
inline constexpr int points = 5;                  // where the polynomials are evaluated, along an axis
inline constexpr int places = outputs * outputs;  // outputs of a whole tile
inline constexpr int planes = points * points;    // products of matrices

/// Whether tiles with some outputs need a point. In their order: 0, 1, -1, 2, infinity.
[[gnu::always_inline]] constexpr bool needs(int outputs_of_tile, int point) {
  return outputs_of_tile >= (point == 2 ? 2 : point == 3 ? 3 : 1);
}

/// A tile along an axis: outputs first, first + rate, ...
struct tile_span {
  int first = 0, outputs = 0;
};

/// The tiles of one axis, those of an interleaved convolution one after the other.
class tiling {
 public:
  [[gnu::always_inline]] constexpr explicit tiling(const axis& a)
      : axis_(a),
        each_(a.out / a.rate),
        longer_(a.out % a.rate),
        many_(tiles(each_ + 1)),
        few_(tiles(each_)) {}

  constexpr const axis& of() const { return axis_; }
  [[gnu::always_inline]] constexpr int count() const {
    return longer_ * many_ + (axis_.rate - longer_) * few_;
  }

  [[gnu::always_inline]] constexpr tile_span operator[](int tile) const {
    const place p = find(tile);
    return {p.offset + p.index * outputs * axis_.rate, std::min(outputs, p.length - p.index * outputs)};
  }
  /// How many of the first `tile` tiles need a point.
  [[gnu::always_inline]] constexpr int before(int tile, int point) const {
    const place p = find(tile);
    const int of_longer = needing(each_ + 1, point), of_others = needing(each_, point);
    return std::min(p.offset, longer_) * of_longer + std::max(p.offset - longer_, 0) * of_others +
           std::min(p.index, needing(p.length, point));
  }

 private:
  struct place {
    int offset = 0, index = 0, length = 0;  // which convolution, which of its tiles, how many outputs it has
  };
  [[gnu::always_inline]] static constexpr int tiles(int length) { return (length + outputs - 1) / outputs; }
  [[gnu::always_inline]] static constexpr int needing(int length, int point) {
    return length / outputs + (length % outputs > 0 && needs(length % outputs, point) ? 1 : 0);
  }
  [[gnu::always_inline]] constexpr place find(int tile) const {
    const int rest = tile - longer_ * many_;
    if (rest < 0 || few_ == 0) return {tile / many_, tile % many_, each_ + 1};
    return {longer_ + rest / few_, rest % few_, each_};
  }

  axis axis_;
  int each_, longer_;  // outputs of most of the convolutions; how many have one more
  int many_, few_;     // tiles of these, tiles of the others
};

/// The tiles of all images, row by row.
struct tile_grid {
  tiling rows, columns;

  [[gnu::always_inline]] constexpr std::int64_t count() const {
    return std::int64_t{rows.count()} * columns.count();
  }  // of an image
  [[gnu::always_inline]] constexpr position at(std::int64_t tile) const {
    return position_of(tile, rows.count(), columns.count());
  }
  /// How many of the first `tile` tiles take part in a product: the row of its matrices that belongs to a tile.
  [[gnu::always_inline]] constexpr std::int64_t before(std::int64_t tile, int plane) const {
    const int u = plane / points, v = plane % points;
    const position p = at(tile);
    const std::int64_t wide = columns.before(columns.count(), v), high = rows.before(rows.count(), u);
    const bool here = p.row < rows.count() && needs(rows[p.row].outputs, u);
    return (p.image * high + rows.before(p.row, u)) * wide + (here ? columns.before(p.column, v) : 0);
  }
};

/// The rows of all matrices that belong to a tile, from one tile to the next.
template <class T>
class matrix_rows {
 public:
  T* row[planes];

  /// `first` lies in row 0 of the first matrix, the first tile's.
  [[gnu::always_inline]] matrix_rows(const tile_grid& grid, std::int64_t first_tile, std::int64_t tile,
                                     T* first, std::ptrdiff_t pitch, std::ptrdiff_t plane)
      : pitch_(pitch) {
    for (int p = 0; p < planes; ++p)
      row[p] = first + p * plane + (grid.before(tile, p) - grid.before(first_tile, p)) * pitch;
  }
  [[gnu::always_inline]] void next(int rows, int columns) {
    for (int p = 0; p < planes; ++p)
      if (needs(rows, p / points) && needs(columns, p % points)) row[p] += pitch_;
  }

 private:
  std::ptrdiff_t pitch_;
};

}  // namespace atrous::cpu::winograd
