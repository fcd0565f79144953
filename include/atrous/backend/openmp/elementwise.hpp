// SPDX-License-Identifier: MIT
#pragma once
// What treats each number by itself: normalisation of the image, batch norm, activation, sum, scale, copy. Bound by
// memory; vectors run along the channels of a pixel, or along all pixels of a chunk where they lie without gaps.
#include <cstdint>

#include <atrous/backend/openmp/limits.hpp>
#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// y = after(x * factor + term), number by number, for pixels first ... last - 1. What is nullptr is left out.
///
///   reads   x, factors, terms
///   writes  y
///   cost    a multiply-add a number
template <class T>
struct elementwise_pixels {
  const T* x = nullptr;
  const T* factors = nullptr;
  const T* terms = nullptr;
  T* y = nullptr;
  std::int64_t pixels = 0, channels = 0;
  std::ptrdiff_t x_pixel = 0, factors_pixel = 0, terms_pixel = 0, y_pixel = 0;  // 0: the same for every pixel
  bounds<T> after{};

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    if (channels >= lanes::width) {
      whole<lanes>();
    } else {
      whole<simd::lane<T>>();
    }
  }

 private:
  template <class L>
  [[gnu::always_inline]] void whole() const {
    using vector = typename L::vector;
    const vector low = after.low - vector{}, high = after.high - vector{};
    for (std::int64_t p = 0; p < pixels; ++p) {
      simd::each_vector<L>(
          static_cast<int>(channels), [&](int c) __attribute__((always_inline)) {
            vector value, more;
            L::load(x + p * x_pixel + c, value);
            if (factors != nullptr) {
              L::load(factors + p * factors_pixel + c, more);
              value *= more;
            }
            if (terms != nullptr) {
              L::load(terms + p * terms_pixel + c, more);
              value += more;
            }
            L::clamp(value, low, high);
            L::store(y + p * y_pixel + c, value);
          });
    }
  }
};

/// y = g(x) = min(max(x / 6 + 1/2, 0), 1), or x g(x) with `times_x`, number by number.
///
///   reads   x
///   writes  y
///   cost    a multiply-add a number
template <class T>
struct gated_pixels {
  elementwise_pixels<T> where{};
  bool times_x = false;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    if (where.channels >= lanes::width) {
      whole<lanes>();
    } else {
      whole<simd::lane<T>>();
    }
  }

 private:
  template <class L>
  [[gnu::always_inline]] void whole() const {
    using vector = typename L::vector;
    using number = arithmetic<T>;
    const vector low{}, high = number(1) - vector{}, half = number(0.5) - vector{};
    const vector sixth = number(1) / number(6) - vector{};
    for (std::int64_t p = 0; p < where.pixels; ++p) {
      simd::each_vector<L>(
          static_cast<int>(where.channels), [&](int c) __attribute__((always_inline)) {
            vector x;
            L::load(where.x + p * where.x_pixel + c, x);
            vector gate = x * sixth + half;
            L::clamp(gate, low, high);
            L::store(where.y + p * where.y_pixel + c, times_x ? gate * x : gate);
          });
    }
  }
};

/// Calls `run` with chunks of `all`, whose pixels are those of the whole batch, on all threads.
template <class T, class Run>
void elementwise(int threads, const elementwise_pixels<T>& all, const Run& run) {
  constexpr std::int64_t chunk = 1 << 14;  // numbers
  const bool flat = all.x_pixel == all.channels && all.y_pixel == all.channels && all.factors == nullptr &&
                    (all.terms == nullptr || all.terms_pixel == all.channels);
  if (flat) {
    const blocks parts = cut(all.pixels * all.channels, chunk, 64, threads);
    parallel_for(threads, parts.count, [&](std::int64_t k, int) {
      elementwise_pixels<T> some = all;
      const std::int64_t at = parts.begin(k);
      some.x += at, some.y += at, some.terms += some.terms != nullptr ? at : 0;
      some.pixels = 1;
      some.channels = parts.end(k) - at;
      run(some);
    });
    return;
  }
  const blocks parts = cut(all.pixels, std::max<std::int64_t>(chunk / all.channels, 1), 1, threads);
  parallel_for(threads, parts.count, [&](std::int64_t k, int) {
    elementwise_pixels<T> some = all;
    const std::int64_t at = parts.begin(k);
    some.x += at * all.x_pixel, some.y += at * all.y_pixel;
    some.terms += some.terms != nullptr ? at * all.terms_pixel : 0;
    some.pixels = parts.end(k) - at;
    run(some);
  });
}

template <class T>
void elementwise(simd::instruction_set set, int threads, const elementwise_pixels<T>& all) {
  elementwise(threads, all, [&](const elementwise_pixels<T>& some) { simd::dispatch(set, some); });
}

template <class T>
elementwise_pixels<T> elementwise_of(const operands<T>& o, activation after) {
  elementwise_pixels<T> all;
  all.x = o.x.data, all.y = o.y.data;
  all.pixels = o.y.pixels(), all.channels = o.y.channels;
  all.x_pixel = o.x.pixel, all.y_pixel = o.y.pixel;
  all.after = bounds_of<T>(after);
  return all;
}

template <class T>
void batch_norm(simd::instruction_set set, const operands<T>& o, activation after) {
  elementwise_pixels<T> all = elementwise_of(o, after);
  all.factors = o.weights.kernel, all.terms = o.weights.bias;
  elementwise(set, o.threads, all);
}

/// Also copies, with activation::none.
template <class T>
void activate(simd::instruction_set set, const operands<T>& o, activation after) {
  if (only_bounds(after)) return elementwise(set, o.threads, elementwise_of(o, after));
  const bool times_x = after == activation::hard_swish;
  elementwise(o.threads, elementwise_of(o, activation::none), [&](const elementwise_pixels<T>& some) {
    simd::dispatch(set, gated_pixels<T>{some, times_x});
  });
}

template <class T>
void add(simd::instruction_set set, const operands<T>& o, activation after) {
  elementwise_pixels<T> all = elementwise_of(o, after);
  all.terms = o.other.data, all.terms_pixel = o.other.pixel;
  elementwise(set, o.threads, all);
}

/// Factors are those of the pixel's image.
template <class T>
void scale(simd::instruction_set set, const operands<T>& o) {
  for (int n = 0; n < o.y.batch; ++n) {
    elementwise_pixels<T> all = elementwise_of(o, activation::none);
    all.x = o.x.at(n, 0, 0), all.y = o.y.at(n, 0, 0);
    all.pixels /= o.y.batch;
    all.factors = o.other.at(n, 0, 0);
    elementwise(set, o.threads, all);
  }
}

}  // namespace atrous::cpu
