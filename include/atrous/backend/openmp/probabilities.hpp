// SPDX-License-Identifier: MIT
#pragma once
// Bilinear resize of the logits and softmax in one go: a stripe of an output row at a time, so that resized logits never
// leave the cache.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/resize.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/graph/sampling.hpp>
#include <atrous/simd/exponential.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Numbers that a pixel's classes take where they are worked on: whole vectors of any width.
constexpr int padded_classes(int classes) { return (classes + 15) / 16 * 16; }

/// Softmax of `classes` numbers where they lie; those up to padded_classes are written, too.
template <class L>
[[gnu::always_inline]] inline void softmax(float* x, int classes) {
  using vector = typename L::vector;
  const int padded = padded_classes(classes);
  for (int c = classes; c < padded; ++c) x[c] = -std::numeric_limits<float>::max();
  vector largest = L::at(x).value;
  for (int c = L::width; c < padded; c += L::width) {
    const vector value = L::at(x + c).value;
    largest = value > largest ? value : largest;
  }
  float most = largest[0];
  for (int k = 1; k < L::width; ++k) most = largest[k] > most ? largest[k] : most;
  vector sums{};
  for (int c = 0; c < padded; c += L::width) {
    vector value = L::at(x + c).value - most;
    simd::exponential<L>(value);
    L::at(x + c).value = value;
    sums += value;
  }
  float sum = 0;
  for (int k = 0; k < L::width; ++k) sum += sums[k];
  const float factor = 1 / sum;
  for (int c = 0; c < padded; c += L::width) L::at(x + c).value *= factor;
}

/// One output row of resized logits -> softmax, handed on by stripes of pixels. `To` is called with the stripe's first
/// column, its number of pixels, and probabilities that lie padded_classes apart.
///
///   reads   x, two rows
///   writes  between (a row of x), pixels (a stripe of padded classes)
///   cost    2 multiply-adds and an exponential a number
template <class T, class To>
struct probable_row {
  const view<const T>* x = nullptr;
  int image = 0, row = 0, width = 0;  // of the output
  resized_axis down{}, across{};
  T* between = nullptr;     // (x->width, C)
  float* pixels = nullptr;  // (stripe_pixels, padded)
  const To* to = nullptr;

  static constexpr int stripe_pixels = 64;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    const int classes = x->channels;
    const std::ptrdiff_t padded = padded_classes(classes), stored = classes;
    const sample line = down.at(row);
    for (int j = 0; j < x->width; ++j)
      interpolate<lanes>(x->at(image, line.low, j), x->at(image, line.high, j), T(line.fraction), classes,
                         between + j * stored);
    for (int first = 0; first < width; first += stripe_pixels) {
      const int count = width - first < stripe_pixels ? width - first : stripe_pixels;
      for (int j = 0; j < count; ++j) {
        const sample right = across.at(first + j);
        interpolate<lanes>(between + right.low * stored, between + right.high * stored, T(right.fraction),
                           classes, pixels + j * padded);
        softmax<simd::lanes<float, Isa::bytes>>(pixels + j * padded, classes);
      }
      (*to)(first, count, pixels, padded);
    }
  }
};

/// Bytes of scratch of one thread: `between`, then `pixels`.
template <class T>
std::size_t probable_row_scratch(shape x) {
  using row = probable_row<T, void>;
  const auto line = static_cast<std::size_t>(x.width) * static_cast<std::size_t>(x.channels);
  const std::size_t stripe = row::stripe_pixels * static_cast<std::size_t>(padded_classes(x.channels));
  return (line * sizeof(T) + stripe * sizeof(float) + 63) / 64 * 64;
}

template <class T>
std::size_t probabilities_scratch(shape x, int threads) {
  return probable_row_scratch<T>(x) * static_cast<std::size_t>(threads);
}

/// reads x; writes probabilities, scratch.
template <class T>
void probabilities(simd::instruction_set set, const operands<T>& o) {
  const view<float>& y = o.probabilities;
  const std::size_t bytes = probable_row_scratch<T>(o.x.shape());
  const resized_axis down{o.x.height, y.height, o.run->what.corner},
      across{o.x.width, y.width, o.run->what.corner};
  parallel_for(o.threads, std::int64_t{y.batch} * y.height, [&](std::int64_t k, int thread) {
    const int n = static_cast<int>(k / y.height), i = static_cast<int>(k % y.height);
    auto* between = reinterpret_cast<T*>(o.scratch.data() + static_cast<std::size_t>(thread) * bytes);
    const auto store = [&](int first, int count, const float* pixels, std::ptrdiff_t padded) {
      for (int j = 0; j < count; ++j) std::copy_n(pixels + j * padded, y.channels, y.at(n, i, first + j));
    };
    auto* stripe = reinterpret_cast<float*>(between + std::ptrdiff_t{o.x.width} * o.x.channels);
    simd::dispatch(
        set, probable_row<T, decltype(store)>{&o.x, n, i, y.width, down, across, between, stripe, &store});
  });
}

}  // namespace atrous::cpu
