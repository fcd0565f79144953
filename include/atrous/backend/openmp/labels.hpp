// SPDX-License-Identifier: MIT
#pragma once
// Bilinear resize of the logits and argmax in one go. Output pixels between the same four logits form a cell. Where
// one class leads at all four by more than rounding could undo, it leads everywhere in the cell (a bilinear value is
// a mean of its corners); elsewhere each pixel is computed. Resized logits exist in registers alone.
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/openmp/resize.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/graph/sampling.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// What is known of every logit pixel of one image: the leading class, by how much it leads, the largest magnitude.
template <class T>
struct leaders {
  T* lead = nullptr;
  T* magnitude = nullptr;
  std::uint8_t* best = nullptr;

  leaders(std::byte* scratch, std::int64_t pixels)
      : lead(reinterpret_cast<T*>(scratch)),
        magnitude(lead + pixels),
        best(reinterpret_cast<std::uint8_t*>(magnitude + pixels)) {}
};

template <class T>
std::size_t labels_scratch(shape x) {
  return static_cast<std::size_t>(pixels(x)) * (2 * sizeof(T) + 1);
}

/// Finds the leaders of `count` logit pixels.
///
///   reads   x
///   writes  found
///   cost    a few comparisons a logit
template <class T>
struct found_leaders {
  const T* x = nullptr;
  std::ptrdiff_t pixel = 0;
  int classes = 0;
  std::int64_t first = 0, count = 0;  // in `found`
  const leaders<T>* found = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    std::int64_t p = 0;
    for (; p + lanes::width <= count; p += lanes::width) group<lanes>(p);
    for (; p < count; ++p) group<simd::lane<T>>(p);
  }

 private:
  /// As many pixels as a vector has lanes, side by side in it.
  template <class L>
  [[gnu::always_inline]] void group(std::int64_t p) const {
    using vector = typename L::vector;
    using number = decltype(vector{} > vector{});
    vector best{}, second = -std::numeric_limits<T>::infinity() - vector{}, largest{};
    number which{};
    for (int c = 0; c < classes; ++c) {
      vector value{};
#pragma GCC unroll 16
      for (int k = 0; k < L::width; ++k) value[k] = x[(p + k) * pixel + c];
      const vector size = value < vector{} ? -value : value;
      largest = size > largest ? size : largest;
      if (c == 0) {
        best = value;
        continue;
      }
      const number leads = value > best;
      const vector beaten = leads ? best : value;
      second = beaten > second ? beaten : second;
      best = leads ? value : best;
      which = leads ? c - number{} : which;
    }
    L::at(found->lead + first + p).value = best - second;
    L::at(found->magnitude + first + p).value = largest;
    for (int k = 0; k < L::width; ++k) found->best[first + p + k] = static_cast<std::uint8_t>(which[k]);
  }
};

/// Output columns of one stripe that lie between the same two logit columns.
struct column_run {
  int begin = 0, end = 0, low = 0, high = 0;
};

/// A stripe of output columns and where they lie among the logits.
template <class T>
struct stripe {
  static constexpr int most = 256;
  int first = 0, width = 0, runs = 0;
  std::array<column_run, most> run;
  std::array<T, most + 16> fraction{};  // read by whole vectors

  [[gnu::always_inline]] stripe(int begin, int in, int out, corners corner)
      : first(begin), width(std::min(most, out - begin)) {
    for (int j = 0; j < width; ++j) {
      const sample at = sample_at(begin + j, in, out, corner);
      fraction[static_cast<std::size_t>(j)] = T(at.fraction);
      const bool same = runs > 0 && last().low == at.low && last().high == at.high;
      if (!same) run[static_cast<std::size_t>(runs++)] = {j, j, at.low, at.high};
      last().end = j + 1;
    }
  }

 private:
  column_run& last() { return run[static_cast<std::size_t>(runs - 1)]; }
};

/// Output rows first ... last - 1 of one stripe.
///
///   reads   x, found
///   writes  labels
///   cost    2 multiply-adds and a comparison a class and pixel of cells with several classes; else one store
template <class T>
struct labelled_rows {
  const operands<T>* o = nullptr;
  const leaders<T>* found = nullptr;
  const stripe<T>* columns = nullptr;
  int image = 0, first = 0, last = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    std::array<int, stripe<T>::most> constant{};  // the class of each run's cell, or mixed
    int low = -1, high = -1;
    for (int i = first; i < last; ++i) {
      const sample row = sample_at(i, o->x.height, o->labels.height, o->run->what.corner);
      if (row.low != low || row.high != high) {
        low = row.low, high = row.high;
        for (int r = 0; r < columns->runs; ++r) constant[static_cast<std::size_t>(r)] = cell(low, high, r);
      }
      std::uint8_t* out = o->labels.at(image, i, columns->first);
      for (int r = 0; r < columns->runs; ++r) {
        const column_run& run = columns->run[static_cast<std::size_t>(r)];
        const int known = constant[static_cast<std::size_t>(r)];
        if (known != mixed) {
          for (int j = run.begin; j < run.end; ++j)
            out[j * o->labels.pixel] = static_cast<std::uint8_t>(known);
        } else if (row.fraction == 0 && run.end - run.begin == 1 &&
                   columns->fraction[static_cast<std::size_t>(run.begin)] == 0) {
          out[run.begin * o->labels.pixel] = found->best[low * o->x.width + run.low];
        } else {
          each_pixel<Isa>(row, run, out);
        }
      }
    }
  }

 private:
  static constexpr int mixed = -1;

  [[gnu::always_inline]] int cell(int low, int high, int r) const {
    const column_run& run = columns->run[static_cast<std::size_t>(r)];
    const int width = o->x.width;
    const int corner[4] = {low * width + run.low, low * width + run.high, high * width + run.low,
                           high * width + run.high};
    T lead = found->lead[corner[0]], magnitude = found->magnitude[corner[0]];
    const int best = found->best[corner[0]];
    bool same = true;
    for (int at : corner) {
      same = same && found->best[at] == best;
      lead = std::min(lead, found->lead[at]);
      magnitude = std::max(magnitude, found->magnitude[at]);
    }
    return same && lead > 64 * std::numeric_limits<T>::epsilon() * magnitude ? best : mixed;
  }

  template <class Isa>
  [[gnu::always_inline]] void each_pixel(const sample& row, const column_run& run, std::uint8_t* out) const {
    using lanes = simd::lanes<T, Isa::bytes>;
    using vector = typename lanes::vector;
    using number = decltype(vector{} > vector{});
    constexpr int most = 256;  // classes that a label can name
    alignas(64) T left[most], right[most];
    const int classes = o->x.channels;
    interpolate<lanes>(o->x.at(image, row.low, run.low), o->x.at(image, row.high, run.low), T(row.fraction),
                       classes, left);
    interpolate<lanes>(o->x.at(image, row.low, run.high), o->x.at(image, row.high, run.high), T(row.fraction),
                       classes, right);
    for (int c = 0; c < classes; ++c) right[c] -= left[c];
    for (int j = run.begin; j < run.end; j += lanes::width) {
      const vector part = lanes::at(columns->fraction.data() + j).value;
      vector best = left[0] + right[0] * part;
      number which{};
      for (int c = 1; c < classes; ++c) {
        const vector value = left[c] + right[c] * part;
        const number leads = value > best;
        which = leads ? c - number{} : which;
        best = leads ? value : best;
      }
      const int end = std::min(lanes::width, run.end - j);
      for (int k = 0; k < end; ++k) out[(j + k) * o->labels.pixel] = static_cast<std::uint8_t>(which[k]);
    }
  }
};

/// reads x; writes labels, scratch. Of equal logits the first leads.
template <class T>
void labels(simd::instruction_set set, const operands<T>& o) {
  constexpr int band = 32;  // output rows of a task
  const leaders<T> found(o.scratch.data(), std::int64_t{o.x.height} * o.x.width);
  const int bands = (o.labels.height + band - 1) / band;
  const int stripes = (o.labels.width + stripe<T>::most - 1) / stripe<T>::most;
  for (int n = 0; n < o.labels.batch; ++n) {
    parallel_for(o.threads, o.x.height, [&](std::int64_t i, int) {
      simd::dispatch(set, found_leaders<T>{o.x.at(n, static_cast<int>(i), 0), o.x.pixel, o.x.channels,
                                           i * o.x.width, o.x.width, &found});
    });
    parallel_for(o.threads, std::int64_t{bands} * stripes, [&](std::int64_t k, int) {
      const stripe<T> columns(static_cast<int>(k % stripes) * stripe<T>::most, o.x.width, o.labels.width,
                              o.run->what.corner);
      const int first = static_cast<int>(k / stripes) * band;
      simd::dispatch(
          set, labelled_rows<T>{&o, &found, &columns, n, first, std::min(first + band, o.labels.height)});
    });
  }
}

}  // namespace atrous::cpu
