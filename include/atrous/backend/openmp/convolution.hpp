// SPDX-License-Identifier: MIT
#pragma once
// Dense convolution of any kernel, stride, rate and padding: what the taps of a block of output pixels see is laid
// out as a matrix that fits the cache, a few taps at a time, and multiplied. Taps that no pixel of the block sees are
// left out, which changes no sum: each starts from a bias that is not -0.
#include <cstring>

#include <atrous/backend/openmp/separable.hpp>
#include <atrous/backend/openmp/taps.hpp>

namespace atrous::cpu {

/// Which numbers of a window are laid out at a time: some taps with all channels, or a part of one tap's channels.
struct window_part {
  int tap = 0, taps = 0;          // the first, how many
  int channel = 0, channels = 0;  // the first, how many
};

/// The left matrix of a block of output pixels.
///
///   reads   x or border under the taps
///   writes  to (pixels, taps * channels)
///   cost    a copy
template <class T>
struct patches {
  const view<const T>* x = nullptr;
  const T* border = nullptr;
  const axis* rows = nullptr;
  const axis* columns = nullptr;
  position from{};  // the first output pixel
  int pixels = 0;   // of the same output row
  window_part part{};
  arithmetic<T>* to = nullptr;
  std::ptrdiff_t to_row = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = simd::lanes<T, Isa::bytes>;
    const tap_range u = rows->inside(from.row);
    for (int p = 0; p < pixels; ++p) {
      const tap_range v = columns->inside(from.column + p);
      arithmetic<T>* out = to + p * to_row;
      for (int t = part.tap; t < part.tap + part.taps;) {
        const int i = t / columns->taps, j = t - i * columns->taps;
        const int end = std::min(columns->taps, j + part.tap + part.taps - t);
        line<lanes>(p, i, u, j, end, v, out);
        out += (end - j) * part.channels;
        t += end - j;
      }
    }
  }

 private:
  /// Taps j ... end - 1 of kernel row i, for output pixel p.
  template <class L>
  [[gnu::always_inline]] void line(int p, int i, tap_range u, int j, int end, tap_range v,
                                   arithmetic<T>* out) const {
    const bool row_inside = i >= u.first && i < u.last;
    const int first = row_inside ? std::clamp(v.first, j, end) : end;
    const int last = row_inside ? std::clamp(v.last, first, end) : end;
    outside<L>(first - j, out);
    out += (first - j) * part.channels;
    if (last > first) {
      const T* pixel = x->at(from.image, rows->start(from.row) + i * rows->rate,
                             columns->start(from.column + p) + first * columns->rate) +
                       part.channel;
      const std::ptrdiff_t right = columns->rate * x->pixel;
      if (right == part.channels) {
        simd::copy_values<L>(out, pixel, (last - first) * part.channels);
      } else {
        for (int k = 0; k < last - first; ++k)
          simd::copy_values<L>(out + k * part.channels, pixel + k * right, part.channels);
      }
    }
    out += (last - first) * part.channels;
    outside<L>(end - last, out);
  }

  template <class L>
  [[gnu::always_inline]] void outside(int count, arithmetic<T>* out) const {
    if (border == nullptr) {
      simd::fill_values<typename L::template of<arithmetic<T>>>(out, arithmetic<T>(0), count * part.channels);
    } else {
      for (int k = 0; k < count; ++k)
        simd::copy_values<L>(out + k * part.channels, border + part.channel, part.channels);
    }
  }
};

/// How a dense convolution is cut, by its shape.
template <class T>
struct convolution_cut {
  int taps = 0, channels = 0;  // laid out at a time
  block_memory<T> memory;
  std::int64_t rows = 0;  // of a block, at most

  convolution_cut(simd::instruction_set set, const op& o, int input_channels, int most = 576)
      : taps(std::clamp(most / input_channels, 1, o.kernel * o.kernel)),
        channels(input_channels <= most ? input_channels : terms_at_once(input_channels)),
        memory(block_row<T>(std::int64_t{taps} * channels), o.out, o.kernel > 1 || channels < input_channels),
        rows(rows_at_once<T>(set, memory.pitch())) {}

  std::size_t scratch(simd::instruction_set set, int threads) const {
    return static_cast<std::size_t>((rows + simd::properties_at(set).rows) * memory.row() * threads) *
           sizeof(arithmetic<T>);
  }
};

/// One block of output pixels on one thread.
template <class T, class = simd::this_unit>
class convolved_block {
 public:
  convolved_block(simd::instruction_set set, const operands<T>& o, const product<T>& all, const T* border,
                  const convolution_cut<T>& how, const block_memory<T>& memory)
      : set_(set),
        o_(o),
        product_(all),
        border_(border),
        memory_(memory),
        rows_(rows_axis(o.run->what, o.x.shape())),
        columns_(columns_axis(o.run->what, o.x.shape())),
        cut_(how) {}

  void run(std::int64_t first, std::int64_t last) {
    first_ = first;
    last_ = last;
    find_seen();
    product_.rows = static_cast<int>(last - first);
    const int taps = o_.run->what.kernel * o_.run->what.kernel;
    window_part waiting{};  // found, not yet multiplied: whether it is the last decides how it ends
    for (int t = 0; t < taps;) {
      const int most = std::min(t + cut_.taps, taps), end = end_of_part(t, most);
      for (int c = 0; end > t && c < o_.x.channels; c += cut_.channels) {
        if (waiting.taps > 0) pass(waiting, false);
        waiting = {t, end - t, c, std::min(cut_.channels, o_.x.channels - c)};
      }
      t = whole_parts() ? most : std::max(end, t + 1);
    }
    pass(waiting, true);
  }

 private:
  /// Where the taps end, `most` at most, that are laid out with tap t; t itself if there are none. Integers have the scale of
  /// all that is laid out with them, which must not depend on the block.
  int end_of_part(int t, int most) const {
    int end = t, seen_taps = 0;
    for (; end < most && (seen(end) || whole_parts()); ++end) seen_taps += seen(end);
    return seen_taps > 0 ? end : t;
  }
  bool whole_parts() const { return product_.balances != nullptr; }

  bool seen(int tap) const {
    if (border_ != nullptr) return true;
    const int i = tap / columns_.taps, j = tap % columns_.taps;
    return within(rows_, i, rows_seen_) && within(columns_, j, columns_seen_);
  }
  /// Output rows and columns of the block, between the outermost ones at least.
  void find_seen() {
    const position begin = position_of(first_, rows_.out, columns_.out);
    const position end = position_of(last_ - 1, rows_.out, columns_.out);
    const bool many = begin.image != end.image;
    const bool wide = many || begin.row != end.row;
    rows_seen_ = many ? tap_range{0, rows_.out} : tap_range{begin.row, end.row + 1};
    columns_seen_ = wide ? tap_range{0, columns_.out} : tap_range{begin.column, end.column + 1};
  }
  /// Whether tap i of some output lies inside.
  static bool within(const axis& a, int i, tap_range outputs) {
    return a.start(outputs.last - 1) + i * a.rate >= 0 && a.start(outputs.first) + i * a.rate < a.in;
  }

  void pass(const window_part& part, bool final) {
    each_row(first_, last_, rows_.out, columns_.out, [&](int n, int i, int j, int end, std::int64_t done) {
      simd::dispatch(set_, patches<T>{&o_.x,
                                      border_,
                                      &rows_,
                                      &columns_,
                                      {n, i, j},
                                      end - j,
                                      part,
                                      memory_.left() + done * memory_.pitch(),
                                      memory_.pitch()});
    });
    product<T> some = product_.part(std::ptrdiff_t{part.tap} * o_.x.channels + part.channel,
                                    part.taps * part.channels, panel_columns<T>(set_));
    some.y = o_.y.at(first_);
    some.other = product_.other_row != 0 ? o_.other.at(first_) : nullptr;
    memory_.run(set_, some, !started_, final);
    started_ = true;
  }

  simd::instruction_set set_;
  const operands<T>& o_;
  product<T> product_;
  const T* border_;
  block_memory<T> memory_;
  axis rows_, columns_;
  const convolution_cut<T>& cut_;
  std::int64_t first_ = 0, last_ = 0;
  tap_range rows_seen_{}, columns_seen_{};
  bool started_ = false;
};

/// reads x, weights, bias, border (may be nullptr), other; writes y, scratch. cost: pixels * taps seen * C * channels
/// out multiply-adds.
template <class T>
void direct(simd::instruction_set set, const operands<T>& o, activation after, bool sum, const T* border) {
  const convolution_cut<T> how(set, o.run->what, o.x.channels);
  const product<T> all = product_of(set, o, after, sum);
  const std::int64_t pixels = o.y.pixels();
  const blocks rows = cut(pixels, how.rows, simd::properties_at(set).rows, o.threads);
  parallel_for(o.threads, rows.count, [&](std::int64_t block, int thread) {
    auto* scratch =
        reinterpret_cast<arithmetic<T>*>(o.scratch.data()) + thread * rows.size * how.memory.row();
    convolved_block<T>(set, o, all, border, how, how.memory.at(scratch, rows.size))
        .run(rows.begin(block), rows.end(block));
  });
}

}  // namespace atrous::cpu
