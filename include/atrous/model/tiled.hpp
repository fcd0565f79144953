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
};

/// Cuts an axis into tiles that begin at multiples of 32, so that every one of them meets the network's grids as the whole
/// picture does. In an overlap the weight of a tile falls from 1 to 0 over the middle half: its outer quarter, which saw
/// the least, does not count.
inline std::vector<tile_span> tile_spans(int extent, int size, int overlap) {
  constexpr int grid = 32;
  if (size < 2 * grid || overlap < 0 || overlap > size / 2) {
    throw std::invalid_argument(
        "expected tiles of at least 64 pixels that overlap by at most half of it, found size " +
        std::to_string(size) + ", overlap " + std::to_string(overlap));
  }
  std::vector<tile_span> tiles;
  if (extent <= size) {
    tiles.push_back({0, extent, std::vector<float>(static_cast<std::size_t>(extent), 1.0F)});
    return tiles;
  }
  const std::int64_t last =
      (std::int64_t{extent} - size + grid - 1) / grid;  // begin of the last tile, in grids
  const std::int64_t step = std::max((size - overlap) / grid, 1), count = (last + step - 1) / step;
  for (std::int64_t k = 0; k <= count; ++k) {
    const int begin = static_cast<int>(k * last / count) * grid;
    tiles.push_back({begin, std::min(begin + size, extent), {}});
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
/// that the arena is a tile's, and the logits of two rows of tiles are kept. Refers to the network.
template <backend P>
class tiled : public by_parts<tiled<P>, P> {
 public:
  /// Throws std::invalid_argument for tiles that are too small or overlap by more than half.
  explicit tiled(const inference<P>& net, tile_options options = {})
      : by_parts<tiled<P>, P>(net), options_(std::move(options)) {
    static_cast<void>(tile_spans(1, options_.size, options_.overlap));
  }

  void merge(const pixels_view& image, shape output, merger& into, workspace<P>& w) const {
    if (output.height != image.height || output.width != image.width) {
      throw std::invalid_argument("tiles need a network that gives every pixel a class, this one makes " +
                                  text_of(output) + " of " + text_of(image.shape()));
    }
    const std::vector<tile_span> rows = tile_spans(image.height, options_.size, options_.overlap),
                                 columns = tile_spans(image.width, options_.size, options_.overlap);
    const int total = static_cast<int>(rows.size() * columns.size());
    int done = 0;
    report(options_.on_tile, done, total);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (const tile_span& column : columns) {
        into.add(part_of(image, rows[r], column, w));
        report(options_.on_tile, ++done, total);
      }
      into.write_until(r + 1 < rows.size() ? rows[r + 1].begin : image.height);
    }
  }

 private:
  merged_part part_of(const pixels_view& image, const tile_span& row, const tile_span& column,
                      workspace<P>& w) const {
    const pixels_view tile =
        image.region(row.begin, column.begin, row.end - row.begin, column.end - column.begin);
    return {.logits = this->net().logits(tile, w),
            .corner = this->net().runner().last_corner(),
            .top = row.begin,
            .left = column.begin,
            .row_weights = row.weights,
            .column_weights = column.weights};
  }

  tile_options options_;
};

}  // namespace atrous
