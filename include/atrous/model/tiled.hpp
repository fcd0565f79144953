// SPDX-License-Identifier: MIT
#pragma once
// Pictures of any size in the memory of a tile: neighbours overlap, and where they do, their probabilities pass from one to
// the other.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/model/by_parts.hpp>

namespace atrous {

/// How a picture is cut into tiles.
struct tile_options {
  int size = 1025;     // height and width of a tile at most, in pixels
  int overlap = 257;   // that neighbours share at least: the context that a pixel near a seam is seen with
  progress on_tile{};  // called before the first tile of a picture and after each
};

/// A tile's place along one axis.
struct tile_span {
  int begin = 0, end = 0;
  std::vector<float> weights{};  // of begin ... end - 1: those of all tiles over a pixel sum to 1

  int size() const { return end - begin; }
};

/// Cuts an axis into tiles of one size, at most `size`, that begin at multiples of 32. That size differs from `extent` by a
/// multiple of 32, too, so that paddings and grids of the network meet a tile as they meet the whole picture. In an overlap
/// the weight of a tile falls from 1 to 0 over the middle half: its outer quarter, which saw the least, does not count.
/// Throws std::invalid_argument for tiles of less than 128 pixels, and an overlap of more than half a tile.
inline std::vector<tile_span> tile_spans(int extent, int size, int overlap) {
  constexpr int grid = 32;
  if (size < 4 * grid || overlap < 0 || overlap > size / 2) {
    throw std::invalid_argument(
        "expected tiles of at least 128 pixels that overlap by at most half of it, found size " +
        std::to_string(size) + ", overlap " + std::to_string(overlap));
  }
  std::vector<tile_span> tiles;
  if (extent <= size) {
    tiles.push_back({0, extent, std::vector<float>(static_cast<std::size_t>(extent), 1.0F)});
    return tiles;
  }
  size -= (grid - (extent - size) % grid) % grid;
  const int last = (extent - size) / grid;  // begin of the last tile, in grids
  const int step = std::max((size - overlap) / grid, 1), count = (last + step - 1) / step;
  for (std::int64_t k = 0; k <= count; ++k) {
    const int begin = static_cast<int>(k * last / count) * grid;
    tiles.push_back({begin, begin + size, {}});
  }
  const auto ramp = [](int from, int to, int at) {  // 0 before, 1 behind
    const float quarter = static_cast<float>(to - from) / 4;
    const float part = (static_cast<float>(at - from) + 0.5F - quarter) / std::max(2 * quarter, 1.0F);
    return std::clamp(part, 0.0F, 1.0F);
  };
  std::vector<float> sums(static_cast<std::size_t>(extent), 0.0F);
  for (std::size_t k = 0; k < tiles.size(); ++k) {
    tile_span& t = tiles[k];
    for (int i = t.begin; i < t.end; ++i) {
      const float in = k == 0 ? 1 : ramp(t.begin, tiles[k - 1].end, i);
      const float out = k + 1 == tiles.size() ? 0 : ramp(tiles[k + 1].begin, t.end, i);
      t.weights.push_back(std::min(in, 1 - out));
      sums[static_cast<std::size_t>(i)] += t.weights.back();
    }
  }
  for (tile_span& t : tiles)
    for (std::size_t i = 0; i < t.weights.size(); ++i)
      t.weights[i] /= sums[static_cast<std::size_t>(t.begin) + i];
  return tiles;
}

/// `tiled big(net); big.labels(image, workspace)`. A picture no larger than a tile gives what the network gives. Beyond
/// that the arena is a tile's, and the logits of two rows of tiles are kept. Where what a pixel depends on ends within a
/// quarter of the overlap, that is what the network gives for the whole picture; image pooling sees a tile instead of the
/// picture. Refers to the network.
template <backend P>
class tiled : public by_parts<tiled<P>, P> {
 public:
  /// Throws std::invalid_argument for tiles that are too small or overlap by more than half.
  explicit tiled(const inference<P>& net, tile_options options = {})
      : by_parts<tiled<P>, P>(net), options_(std::move(options)) {
    static_cast<void>(tile_spans(1, options_.size, options_.overlap));
  }
  explicit tiled(const inference<P>&&, tile_options = {}) = delete;  // it would be gone

 private:
  friend by_parts<tiled<P>, P>;

  void merge(const pixels_view& image, shape output, merger& into, workspace<P>& w) const {
    if (output.height != image.height || output.width != image.width) {
      throw std::invalid_argument("tiles need a network that gives every pixel a class, this one makes " +
                                  text_of(output) + " of " + text_of(image.shape()));
    }
    const std::vector<tile_span> rows = tile_spans(image.height, options_.size, options_.overlap),
                                 columns = tile_spans(image.width, options_.size, options_.overlap);
    const int total = static_cast<int>(rows.size() * columns.size());
    const shape grid = this->net().logits_for(image.height, image.width);
    int done = 0;
    report(options_.on_tile, done, total);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (const tile_span& column : columns) {
        into.add(part_of(image, grid, rows[r], column, w));
        report(options_.on_tile, ++done, total);
      }
      into.write_until(r + 1 < rows.size() ? rows[r + 1].begin : image.height);
    }
  }

  merged_part part_of(const pixels_view& image, shape grid, const tile_span& row, const tile_span& column,
                      workspace<P>& w) const {
    const pixels_view tile = image.region(row.begin, column.begin, row.size(), column.size());
    merged_part part{.logits = this->net().logits(tile, w),
                     .top = row.begin,
                     .left = column.begin,
                     .row_weights = row.weights,
                     .column_weights = column.weights};
    part.down = axis(row, image.height, grid.height, part.logits.extent.height);
    part.across = axis(column, image.width, grid.width, part.logits.extent.width);
    return part;
  }

  /// How a tile's logits are resized: as the part of the whole picture's that they are. `whole` logits are of `extent`
  /// pixels, `own` of the tile.
  resized_axis axis(const tile_span& tile, int extent, int whole, int own) const {
    const corners corner = this->net().runner().last_corner();
    const int pixels = extent - tile.size(), cells = whole - own;  // that the picture has more
    const bool regular = cells > 0 && pixels % cells == 0 && tile.begin % (pixels / cells) == 0;
    if (!regular) return {own, tile.size(), corner};
    return {whole, extent, corner, tile.begin / (pixels / cells), tile.begin, own};
  }

  tile_options options_;
};

}  // namespace atrous
