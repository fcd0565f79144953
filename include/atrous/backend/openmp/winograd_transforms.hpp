// SPDX-License-Identifier: MIT
#pragma once
// The three transforms of Winograd's convolution F(3 x 3, 3 x 3): a tile of 3 x 3 outputs sees 5 x 5 inputs, and
// y = A'[(G g G') . (B' d B)]A with . number by number costs 25 multiplications instead of 81. Polynomials are
// evaluated at 0, 1, -1, 2 and infinity; smaller tiles do without 2, or without -1 and 2, with the same weights. Tiles
// of 4 x 4 outputs have twice the error, and were not faster in a prototype with AVX-512. Source: Lavin and Gray, Fast
// algorithms for convolutional neural networks, CVPR 2016; Winograd, Arithmetic complexity of computations, 1980.
#include <cstddef>
#include <cstdint>

#include <atrous/backend/openmp/limits.hpp>
#include <atrous/backend/openmp/winograd_tiles.hpp>
#include <atrous/core/view.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu::winograd {

/// G: of the three taps of an axis.
inline constexpr double of_taps[points][3] = {{1.0 / 2, 0, 0},
                                              {-1.0 / 2, -1.0 / 2, -1.0 / 2},
                                              {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                              {1.0 / 6, 1.0 / 3, 2.0 / 3},
                                              {0, 0, 1}};

/// B' for tiles with 1, 2 and 3 outputs along an axis: what becomes of the inputs.
template <class T>
inline constexpr T of_inputs[outputs][points][points] = {
    {{2, -2}, {0, -2}, {}, {}, {0, -1, 1}},
    {{2, 0, -2}, {0, -1, -1}, {0, 3, -3}, {}, {0, -1, 0, 1}},
    {{2, -1, -2, 1}, {0, -2, -1, 1}, {0, 2, -3, 1}, {0, -1, 0, 1}, {0, 2, -1, -2, 1}}};

/// A': what the products along an axis become.
template <class T>
inline constexpr T of_products[outputs][outputs][points] = {
    {{1, 1, 0, 0, 1}}, {{1, 1, 1}, {0, 1, -1, 0, 1}}, {{1, 1, 1, 1}, {0, 1, -1, 2}, {0, 1, 1, 4, 1}}};

/// B' of a whole tile, with fewer operations.
template <class T, class Vector>
[[gnu::always_inline]] inline void whole_inputs(const Vector (&d)[points], Vector (&to)[points]) {
  const Vector t = d[3] - d[1], u = d[3] - d[2];
  to[0] = T(2) * (d[0] - d[2]) + t;
  to[1] = u - T(2) * d[1];
  to[2] = u + T(2) * (d[1] - d[2]);
  to[3] = t;
  to[4] = (d[4] - d[2]) - T(2) * t;
}

/// A' of a whole tile, with fewer operations.
template <class T, class Vector>
[[gnu::always_inline]] inline void whole_products(const Vector (&m)[points], Vector (&to)[outputs]) {
  const Vector sum = m[1] + m[2];
  to[0] = (m[0] + sum) + m[3];
  to[1] = (m[1] - m[2]) + T(2) * m[3];
  to[2] = (sum + m[4]) + T(4) * m[3];
}

/// Some tiles of x, some of its channels.
///
///   reads   x under the tiles, zeros (channels) for what lies outside
///   writes  to (planes, tiles, channels)
///   cost    a copy of 25 / 9 of x, 3.6 additions a number
template <class T>
struct input_tiles {
  const view<const T>* x = nullptr;
  const tile_grid* grid = nullptr;
  const T* zeros = nullptr;
  std::int64_t first_of_group = 0, first = 0, last = 0;
  int channel = 0, channels = 0;
  arithmetic<T>* to = nullptr;  // of the group's first tile
  std::ptrdiff_t to_tile = 0, to_plane = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    matrix_rows<arithmetic<T>> out(*grid, first_of_group, first, to, to_tile, to_plane);
    for (std::int64_t t = first; t < last; ++t) {
      const position at = grid->at(t);
      const tile_span i = grid->rows[at.row], j = grid->columns[at.column];
      const T* seen[planes];
      find(at.image, i.first, j.first, seen);
      if (channels < lanes::width) {
        part_of_tile<simd::lane<T>>(i.outputs, j.outputs, seen, out.row);
      } else if (i.outputs < outputs || j.outputs < outputs) {
        part_of_tile<lanes>(i.outputs, j.outputs, seen, out.row);
      } else {
        whole_tile<lanes>(seen, out.row);
      }
      out.next(i.outputs, j.outputs);
    }
  }

 private:
  [[gnu::always_inline]] void find(int image, int row, int column, const T* (&seen)[planes]) const {
    const axis& a = grid->rows.of();
    const axis& b = grid->columns.of();
    for (int i = 0; i < points; ++i) {
      const int u = a.start(row) + i * a.rate;
      const T* line = u >= 0 && u < a.in ? x->at(image, u, 0) + channel : nullptr;
      for (int j = 0; j < points; ++j) {
        const int v = b.start(column) + j * b.rate;
        seen[i * points + j] = line != nullptr && v >= 0 && v < b.in ? line + v * x->pixel : zeros;
      }
    }
  }

  template <class L>
  [[gnu::always_inline]] void whole_tile(const T* const (&seen)[planes],
                                         arithmetic<T>* const (&out)[planes]) const {
    using vector = typename L::vector;
    using to_lanes = typename L::template of<arithmetic<T>>;
    simd::each_vector<L>(
        channels, [&](int c) __attribute__((always_inline)) {
          vector halfway[points][points];
#pragma GCC unroll 5
          for (int j = 0; j < points; ++j) {
            vector column[points], changed[points];
#pragma GCC unroll 5
            for (int i = 0; i < points; ++i) L::load(seen[i * points + j] + c, column[i]);
            whole_inputs<arithmetic<T>>(column, changed);
#pragma GCC unroll 5
            for (int i = 0; i < points; ++i) halfway[i][j] = changed[i];
          }
#pragma GCC unroll 5
          for (int i = 0; i < points; ++i) {
            vector changed[points];
            whole_inputs<arithmetic<T>>(halfway[i], changed);
#pragma GCC unroll 5
            for (int j = 0; j < points; ++j) to_lanes::store(out[i * points + j] + c, changed[j]);
          }
        });
  }

  /// Any number of outputs: a tile with one less sees one row or column less, and what lies there counts as nothing.
  template <class L>
  [[gnu::always_inline]] void part_of_tile(int rows, int columns, const T* const (&seen)[planes],
                                           arithmetic<T>* const (&out)[planes]) const {
    using vector = typename L::vector;
    using to_lanes = typename L::template of<arithmetic<T>>;
    simd::each_vector<L>(
        channels, [&](int c) __attribute__((always_inline)) {
          for (int u = 0; u < points; ++u) {
            if (!needs(rows, u)) continue;
            vector halfway[points] = {};
            for (int j = 0; j < columns + 2; ++j)
              for (int i = 0; i < rows + 2; ++i) {
                vector value;
                L::load(seen[i * points + j] + c, value);
                halfway[j] += of_inputs<arithmetic<T>>[rows - 1][u][i] * value;
              }
            for (int v = 0; v < points; ++v) {
              if (!needs(columns, v)) continue;
              vector sum{};
              for (int j = 0; j < columns + 2; ++j)
                sum += of_inputs<arithmetic<T>>[columns - 1][v][j] * halfway[j];
              to_lanes::store(out[u * points + v] + c, sum);
            }
          }
        });
  }
};

/// Some tiles of y.
///
///   reads   from (planes, tiles, channels), bias (channels), other
///   writes  y
///   cost    25 / 9 of y read, 5.8 additions a number
template <class T>
struct output_tiles {
  const view<T>* y = nullptr;
  const view<const T>* other = nullptr;  // nullptr: nothing to add
  const tile_grid* grid = nullptr;
  const T* bias = nullptr;
  bounds<T> after{};
  std::int64_t first_of_group = 0, first = 0, last = 0;
  const arithmetic<T>* from = nullptr;  // of the group's first tile
  std::ptrdiff_t from_tile = 0, from_plane = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    matrix_rows<const arithmetic<T>> products(*grid, first_of_group, first, from, from_tile, from_plane);
    for (std::int64_t t = first; t < last; ++t) {
      const position at = grid->at(t);
      const tile_span i = grid->rows[at.row], j = grid->columns[at.column];
      const std::int64_t pixel = (std::int64_t{at.image} * y->height + i.first) * y->width + j.first;
      if (y->channels < lanes::width) {
        part_of_tile<simd::lane<T>>(i.outputs, j.outputs, products.row, pixel);
      } else if (i.outputs < outputs || j.outputs < outputs) {
        part_of_tile<lanes>(i.outputs, j.outputs, products.row, pixel);
      } else {
        whole_tile<lanes>(products.row, pixel);
      }
      products.next(i.outputs, j.outputs);
    }
  }

 private:
  /// Ends sums and writes them: bias, other, activation. The addresses of a tile's outputs, and of what is added there.
  template <class L>
  struct finish {
    using vector = typename L::vector;
    T* y;
    const T* other;
    std::ptrdiff_t y_down, y_right, other_down, other_right;
    vector low, high;

    [[gnu::always_inline]] finish(const output_tiles& of, std::int64_t pixel)
        : y(of.y->at(pixel)),
          other(of.other != nullptr ? of.other->at(pixel) : nullptr),
          low(of.after.low - vector{}),
          high(of.after.high - vector{}) {
      const std::ptrdiff_t down = std::ptrdiff_t{of.y->width} * of.grid->rows.of().rate;
      const std::ptrdiff_t right = of.grid->columns.of().rate;
      y_down = down * of.y->pixel, y_right = right * of.y->pixel;
      other_down = other != nullptr ? down * of.other->pixel : 0;
      other_right = other != nullptr ? right * of.other->pixel : 0;
    }
    [[gnu::always_inline]] void operator()(int i, int j, int c, vector& value) const {
      if (other != nullptr) {
        vector term;
        L::load(other + i * other_down + j * other_right + c, term);
        value += term;
      }
      L::clamp(value, low, high);
      L::store(y + i * y_down + j * y_right + c, value);
    }
  };

  template <class L>
  [[gnu::always_inline]] void whole_tile(const arithmetic<T>* const (&products)[planes],
                                         std::int64_t pixel) const {
    using vector = typename L::vector;
    using from_lanes = typename L::template of<arithmetic<T>>;
    const finish<L> end(*this, pixel);
    simd::each_vector<L>(
        y->channels, [&](int c) __attribute__((always_inline)) {
          vector halfway[outputs][points];
#pragma GCC unroll 5
          for (int j = 0; j < points; ++j) {
            vector column[points], changed[outputs];
#pragma GCC unroll 5
            for (int i = 0; i < points; ++i) from_lanes::load(products[i * points + j] + c, column[i]);
            whole_products<arithmetic<T>>(column, changed);
#pragma GCC unroll 3
            for (int i = 0; i < outputs; ++i) halfway[i][j] = changed[i];
          }
          vector biases;
          L::load(bias + c, biases);
#pragma GCC unroll 3
          for (int i = 0; i < outputs; ++i) {
            vector changed[outputs];
            whole_products<arithmetic<T>>(halfway[i], changed);
#pragma GCC unroll 3
            for (int j = 0; j < outputs; ++j) {
              changed[j] += biases;
              end(i, j, c, changed[j]);
            }
          }
        });
  }

  /// Any number of outputs.
  template <class L>
  [[gnu::always_inline]] void part_of_tile(int rows, int columns,
                                           const arithmetic<T>* const (&products)[planes],
                                           std::int64_t pixel) const {
    using vector = typename L::vector;
    using from_lanes = typename L::template of<arithmetic<T>>;
    const finish<L> end(*this, pixel);
    simd::each_vector<L>(
        y->channels, [&](int c) __attribute__((always_inline)) {
          for (int i = 0; i < rows; ++i) {
            vector halfway[points] = {};
            for (int v = 0; v < points; ++v)
              for (int u = 0; u < points; ++u)
                if (needs(rows, u) && needs(columns, v)) {
                  vector value;
                  from_lanes::load(products[u * points + v] + c, value);
                  halfway[v] += of_products<arithmetic<T>>[rows - 1][i][u] * value;
                }
            for (int j = 0; j < columns; ++j) {
              vector sum;
              L::load(bias + c, sum);
              for (int v = 0; v < points; ++v)
                sum += of_products<arithmetic<T>>[columns - 1][j][v] * halfway[v];
              end(i, j, c, sum);
            }
          }
        });
  }
};

}  // namespace atrous::cpu::winograd
