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
#include <atrous/backend/sampling.hpp>
#include <atrous/simd/exponential.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Softmax of `classes` numbers where they lie: those up to the next multiple of 16 are written, too.
template <class L>
[[gnu::always_inline]] inline void softmax(float* x, int classes) {
  using vector = typename L::vector;
  const int padded = (classes + 15) / 16 * 16;
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
/// column, its number of pixels, and probabilities that lie `padded` numbers apart.
///
///   reads   x, two rows
///   writes  between (a row of x), pixels (a stripe of padded classes)
///   cost    2 multiply-adds and an exponential a number
template <class T, class To>
struct probable_row {
  static constexpr int most = 64;  // pixels of a stripe

  const view<const T>* x = nullptr;
  int image = 0, row = 0, height = 0, width = 0;  // of the output
  corners corner{};
  T* between = nullptr;     // (x->width, C)
  float* pixels = nullptr;  // (most, padded)
  const To* to = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    const int classes = x->channels, padded = (classes + 15) / 16 * 16;
    const sample down = sample_at(row, x->height, height, corner);
    for (int j = 0; j < x->width; ++j)
      interpolate<lanes>(x->at(image, down.low, j), x->at(image, down.high, j), T(down.fraction), classes,
                         between + j * classes);
    for (int first = 0; first < width; first += most) {
      const int count = width - first < most ? width - first : most;
      for (int j = 0; j < count; ++j) {
        const sample right = sample_at(first + j, x->width, width, corner);
        float* pixel = pixels + j * padded;
        interpolate<lanes>(between + right.low * classes, between + right.high * classes, T(right.fraction),
                           classes, pixel);
        softmax<simd::lanes<float, Isa::bytes>>(pixel, classes);
      }
      (*to)(first, count, pixels, padded);
    }
  }
};

/// Bytes of scratch of one thread.
template <class T>
std::size_t probable_row_scratch(shape x) {
  const auto classes = static_cast<std::size_t>(x.channels),
             line = static_cast<std::size_t>(x.width) * classes;
  const std::size_t stripe = 64 * ((classes + 15) / 16 * 16);
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
  parallel_for(o.threads, std::int64_t{y.batch} * y.height, [&](std::int64_t k, int thread) {
    const int n = static_cast<int>(k / y.height), i = static_cast<int>(k % y.height);
    auto* between = reinterpret_cast<T*>(o.scratch.data() + static_cast<std::size_t>(thread) * bytes);
    const auto store = [&](int first, int count, const float* pixels, int padded) {
      for (int j = 0; j < count; ++j) std::copy_n(pixels + j * padded, y.channels, y.at(n, i, first + j));
    };
    auto* stripe = reinterpret_cast<float*>(between + std::ptrdiff_t{o.x.width} * o.x.channels);
    simd::dispatch(set, probable_row<T, decltype(store)>{&o.x, n, i, y.height, y.width, o.run->what.corner,
                                                         between, stripe, &store});
  });
}

}  // namespace atrous::cpu
