// SPDX-License-Identifier: MIT
#pragma once
// Dense 3 x 3 convolution with stride 1 and any rate by Winograd's algorithm: tiles of x are transformed, multiplied
// by transformed weights in 25 products of matrices, and transformed into tiles of y. Each number of y is the same
// whatever group its tile is in.
#include <vector>

#include <atrous/backend/openmp/pointwise.hpp>
#include <atrous/backend/openmp/separable.hpp>
#include <atrous/backend/openmp/winograd_transforms.hpp>

namespace atrous::cpu {

/// Whether a layer is computed this way. Weights are packed before extents are known: the layer alone decides.
/// Measured against the direct kernel (AVX2, 33 x 33 to 257 x 257, 64 to 2048 channels): 1.8 to 3 times as fast at rates
/// 1 to 12, 1.1 to 1.25 times at those that leave most taps outside the image (18 at 33 x 33, 36 at 65 x 65). With fewer
/// channels than the widest vector has lanes it would go lane by lane.
constexpr bool winograd_wins(const op& o, int channels) {
  return o.kind == op_kind::convolution && o.kernel == 3 && o.stride == 1 &&
         o.pad.outside == padding::border::zeros && channels >= 16 && o.out >= 16;
}

namespace winograd {

// ---- weights: (planes, panels, channels, columns of a panel)

/// Elements of one plane.
template <class T>
std::int64_t plane_elements(simd::instruction_set set, const op& o, int channels) {
  if (rounds_to_integers<T>(set, o, channels)) return packed_integers<T>(set, channels, o.out).elements();
  return packed_panels<T>(set, channels, o.out);
}

template <class T>
std::int64_t packed_elements(simd::instruction_set set, const op& o, int channels) {
  return planes * plane_elements<T>(set, o, channels);
}

/// Whether scales of packed integers are what they should be.
template <class T>
bool finite(simd::instruction_set set, const op& o, int channels, const T* packed) {
  const packed_integers<T> at(set, channels, o.out);
  for (int p = 0; p < planes; ++p)
    if (!at.finite(packed + p * plane_elements<T>(set, o, channels))) return false;
  return true;
}

/// Transforms a kernel (3, 3, channels, out), in double.
template <class T>
void pack(simd::instruction_set set, const op& o, int channels, const float* kernel, T* packed) {
  const std::ptrdiff_t plane = std::ptrdiff_t{channels} * o.out;
  std::vector<float> numbers(static_cast<std::size_t>(plane));
  for (int p = 0; p < planes; ++p, packed += plane_elements<T>(set, o, channels)) {
    for (std::ptrdiff_t k = 0; k < plane; ++k) {
      double sum = 0;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
          sum += of_taps[p / points][i] * of_taps[p % points][j] * kernel[(i * 3 + j) * plane + k];
      numbers[static_cast<std::size_t>(k)] = static_cast<float>(sum);
    }
    if (rounds_to_integers<T>(set, o, channels))
      pack_integers(set, channels, o.out, numbers.data(), packed);
    else
      pack_panels(set, channels, o.out, numbers.data(), packed);
  }
}

// ---- runs

/// How a layer is cut: into groups of tiles, each read in one or more passes over its channels.
template <class T, class = simd::this_unit>
struct group_cut {
  bool shared = false;     // all threads work on one group; else each has groups of its own
  std::int64_t tiles = 0;  // of a group, at most
  int channels = 0;        // of a pass, at most
  std::int64_t x_tile = 0, x_plane = 0, y_tile = 0, y_plane = 0;  // elements from one to the next
  std::int64_t scales = 0;  // of the rows of a plane, if they are rounded

  /// Groups are so large that weights beyond the caches are read seldom, and what a group needs stays in the cache of
  /// the third level. Where threads would get few tiles each, they share the products of one group instead.
  group_cut(simd::instruction_set set, const op& o, shape x, int threads) {
    constexpr std::int64_t most = 144, least = 72;
    constexpr int most_channels = 512, line = 16;
    const std::int64_t all = tile_grid{tiling(rows_axis(o, x)), tiling(columns_axis(o, x))}.count();
    shared = all < least * threads;
    tiles = shared ? all : cut(all, most, simd::properties_at(set).rows, threads).size;
    const int passes = (x.channels + most_channels - 1) / most_channels;
    channels = passes > 1 ? ((x.channels + passes - 1) / passes + line - 1) / line * line : x.channels;
    const int width = panel_columns<T>(set);
    x_tile = (channels + line - 1) / line * line;
    y_tile = (o.out + width - 1) / width * width;
    x_plane = block_row<T>(tiles * x_tile);
    y_plane = block_row<T>(tiles * y_tile);
    if (rounds_to_integers<T>(set, o, x.channels)) scales = block_row<T>(tiles);
  }
  std::int64_t zeros() const { return block_row<T>(std::max(x_tile, y_tile)); }
  std::int64_t group() const { return planes * (x_plane + y_plane + scales); }
  std::size_t scratch(int threads) const {
    return static_cast<std::size_t>(zeros() + (shared ? 1 : threads) * group()) * sizeof(arithmetic<T>);
  }
};

/// One layer.
template <class T, class = simd::this_unit>
class layer {
 public:
  layer(simd::instruction_set set, const operands<T>& o, activation after, bool sum)
      : set_(set),
        o_(o),
        grid_{tiling(rows_axis(o.run->what, o.x.shape())), tiling(columns_axis(o.run->what, o.x.shape()))},
        cut_(set, o.run->what, o.x.shape(), o.threads),
        zeros_(reinterpret_cast<number*>(o.scratch.data())),
        after_(bounds_of<T>(after)),
        sum_(sum) {}

  void run() const {
    std::fill_n(zeros_, cut_.zeros(), number(0));
    number* memory = zeros_ + cut_.zeros();
    const std::int64_t all = o_.x.batch * grid_.count();
    if (cut_.shared) {
      for (std::int64_t first = 0; first < all; first += cut_.tiles)
        run_group({first, std::min(cut_.tiles, all - first), memory, o_.threads});
      return;
    }
    const blocks groups = cut(all, cut_.tiles, simd::properties_at(set_).rows, o_.threads);
    parallel_for(o_.threads, groups.count, [&](std::int64_t i, int thread) {
      const std::int64_t first = groups.begin(i);
      run_group({first, groups.end(i) - first, memory + thread * cut_.group(), 1});
    });
  }

 private:
  using number = arithmetic<T>;

  struct group {
    std::int64_t first = 0, count = 0;  // tiles
    number* x = nullptr;                // (planes, tiles, channels), and behind it
    int threads = 1;
  };
  struct channel_range {
    int first = 0, count = 0;
  };

  number* products_of(const group& g) const { return g.x + planes * cut_.x_plane; }
  number* scales_of(const group& g, int plane) const {
    return products_of(g) + planes * cut_.y_plane + plane * cut_.scales;
  }
  const T* weights_of(int plane) const {
    return o_.weights.kernel + plane * plane_elements<T>(set_, o_.run->what, o_.x.channels);
  }
  /// The row of a product that the group's tiles before one take part in.
  std::int64_t row_of(const group& g, std::int64_t tile, int plane) const {
    return grid_.before(g.first + tile, plane) - grid_.before(g.first, plane);
  }

  void run_group(const group& g) const {
    const int panels = static_cast<int>(cut_.y_tile) / panel_columns<T>(set_);
    const blocks tiles = cut(g.count, g.count, 1, g.threads), parts = cut(panels, panels, 1, g.threads);
    for (int c = 0; c < o_.x.channels; c += cut_.channels) {
      const channel_range some{c, std::min(cut_.channels, o_.x.channels - c)};
      parallel_for(g.threads, tiles.count,
                   [&](std::int64_t i, int) { enter(g, some, tiles.begin(i), tiles.end(i)); });
      parallel_for(g.threads, planes * parts.count, [&](std::int64_t i, int) {
        const std::int64_t part = i % parts.count;
        multiply(g, some, static_cast<int>(i / parts.count), parts.begin(part), parts.end(part));
      });
    }
    parallel_for(g.threads, tiles.count,
                 [&](std::int64_t i, int) { leave(g, tiles.begin(i), tiles.end(i)); });
  }

  void enter(const group& g, channel_range c, std::int64_t begin, std::int64_t end) const {
    simd::dispatch(set_,
                   input_tiles<T>{&o_.x, &grid_, reinterpret_cast<const T*>(zeros_), g.first, g.first + begin,
                                  g.first + end, c.first, c.count, g.x, cut_.x_tile, cut_.x_plane});
    if (cut_.scales == 0) return;
    for (int p = 0; p < planes; ++p) {
      const std::int64_t row = row_of(g, begin, p);
      number* tiles = g.x + p * cut_.x_plane + row * cut_.x_tile;
      simd::dispatch(set_, rounded_rows<number>{tiles, cut_.x_tile, static_cast<int>(row_of(g, end, p) - row),
                                                c.count, packed().balances(weights_of(p)) + c.first,
                                                reinterpret_cast<simd::pair*>(tiles), cut_.x_tile,
                                                scales_of(g, p) + row});
    }
  }

  /// Panels begin ... end - 1 of one plane. The sum of each pass is added to that of the passes before: one sum over
  /// 2048 channels has twice the error.
  void multiply(const group& g, channel_range c, int plane, std::int64_t begin, std::int64_t end) const {
    const int width = panel_columns<T>(set_);
    product<T, number> some;
    some.a = g.x + plane * cut_.x_plane;
    some.a_row = cut_.x_tile;
    some.rows = static_cast<int>(row_of(g, g.count, plane));
    some.terms = c.count;
    some.b_panel = std::ptrdiff_t{o_.x.channels} * width;
    some.b = weights_of(plane) + begin * some.b_panel + std::ptrdiff_t{c.first} * width;
    some.y = products_of(g) + plane * cut_.y_plane + begin * width;
    some.y_row = cut_.y_tile;
    some.columns = static_cast<int>(std::min<std::int64_t>(end * width, o_.y.channels) - begin * width);
    some.bias = reinterpret_cast<const T*>(zeros_);
    some.other = c.first > 0 ? some.y : nullptr;
    some.other_row = some.y_row;
    if (some.rows == 0) return;
    if constexpr (!std::is_same_v<T, number>) {
      if (cut_.scales > 0) {
        some.column_scales = packed().scales(weights_of(plane)) + begin * width;
        simd::dispatch(set_, some.of_pairs(reinterpret_cast<const simd::pair*>(some.a), scales_of(g, plane)));
        return;
      }
    }
    simd::dispatch(set_, some);
  }
  packed_integers<T> packed() const { return {set_, o_.x.channels, o_.y.channels}; }

  void leave(const group& g, std::int64_t begin, std::int64_t end) const {
    simd::dispatch(
        set_, output_tiles<T>{&o_.y, sum_ ? &o_.other : nullptr, &grid_, o_.weights.bias, after_, g.first,
                              g.first + begin, g.first + end, products_of(g), cut_.y_tile, cut_.y_plane});
  }

  simd::instruction_set set_;
  const operands<T>& o_;
  tile_grid grid_;
  group_cut<T> cut_;
  number* zeros_;  // for what lies outside, and for products to start from
  bounds<T> after_;
  bool sum_;
};

}  // namespace winograd
}  // namespace atrous::cpu
