// SPDX-License-Identifier: MIT
#pragma once
// One run of a plan's steps, each on whole feature maps or, in a group, on bands of rows.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include <atrous/backend/policy.hpp>
#include <atrous/model/packed_weights.hpp>
#include <atrous/model/results.hpp>
#include <atrous/plan/band_rows.hpp>

namespace atrous {

/// What a run works on, all of it where kernels can reach it.
template <backend P>
struct run_memory {
  pixels_view image{};
  results out{};
  typename P::element* arena = nullptr;
  std::span<std::byte> scratch{};
  int threads = 1;
  std::span<double> seconds{};  // of each step, added up; empty: not measured
  std::span<float> largest{};   // magnitude of what each step wrote; empty: not looked at
};

template <backend P>
class plan_run {
 public:
  plan_run(const plan& p, std::span<const kernel_function<P>> kernels, const packed_weights<P>& weights,
           const run_memory<P>& memory)
      : p_(p), kernels_(kernels), weights_(weights), m_(memory) {}

  /// Step i on whole maps; image by image, where each has a bias of its own.
  void whole(std::size_t i) const {
    const step& s = p_.steps[i];
    operands<element> o = basis(i);
    o.x = map(s.x);
    o.other = map(s.other);
    o.y = map(s.y);
    if (s.bias < 0) return call(i, o);
    for (int n = 0; n < p_.batch; ++n) {
      operands<element> one = o;
      one.weights.bias = map(s.bias).at(n, 0, 0);
      one.x = image_of(o.x, n);
      one.other = image_of(o.other, n);
      one.y = image_of(o.y, n);
      call(i, one);
    }
  }

  /// The steps of a group, image by image and band by band. Their maps are in host memory.
  void group(const band_group& g) const {
    for (int n = 0; n < p_.batch; ++n)
      for (int k = 0; k < g.tasks; ++k) band(n, p_.tasks[static_cast<std::size_t>(g.first_task + k)]);
  }

 private:
  using element = typename P::element;
  using clock = std::chrono::steady_clock;

  const value& value_at(int v) const { return p_.values[static_cast<std::size_t>(v)]; }

  shape extent(int v) const { return v < 0 ? shape{} : value_at(v).extent; }

  operands<element> basis(std::size_t i) const {
    operands<element> o;
    o.run = &p_.steps[i];
    o.image = m_.image;
    o.probabilities = m_.out.probabilities;
    o.labels = m_.out.labels;
    o.weights = weights_.of(i);
    o.first_weights = weights_.first_of(i);
    o.scratch = m_.scratch;
    o.threads = m_.threads;
    return o;
  }

  view<element> map(int v) const {
    if (v < 0) return {};
    const value& there = value_at(v);
    return {m_.arena + there.offset, p_.batch, there.extent, there.pixel};
  }

  template <class View>
  static View image_of(View all, int n) {
    if (all.data != nullptr) all.data = all.at(n, 0, 0), all.batch = 1;
    return all;
  }

  /// Rows of image n of a map, of which the memory begins with row `base` where not all of it is there.
  view<element> rows_of_map(int v, int n, row_range rows, int base) const {
    if (v < 0) return {};
    const value& there = value_at(v);
    const bool all = value_at(root_of(p_, v)).rows == 0;
    const std::int64_t row = all ? std::int64_t{n} * there.extent.height + rows.first : rows.first - base;
    return {m_.arena + there.offset + row * there.extent.width * there.pixel,
            1,
            {rows.count(), there.extent.width, there.extent.channels},
            there.pixel};
  }

  void band(int n, const band_task& t) const {
    const auto i = static_cast<std::size_t>(t.step);
    const step part = on_band(p_.steps[i], extent(p_.steps[i].x), t);
    move_up(part.y, t);
    operands<element> o = basis(i);
    o.run = &part;
    o.x = rows_of_map(part.x, n, t.x, t.x_base);
    o.other = rows_of_map(part.other, n, t.y, t.other_base);
    o.y = rows_of_map(part.y, n, t.y, t.y_base);
    if (part.form.kind == step_kind::input) {
      o.image.data = o.image.address(n * o.image.image + t.y.first * o.image.row);
      o.image.batch = 1, o.image.height = t.y.count();
    }
    if (part.form.kind == step_kind::resize) {
      o.rows = {value_at(part.x).extent.height,
                value_at(part.y).extent.height,
                part.what.corner,
                t.x.first,
                t.y.first,
                t.x.count()};
    }
    call(i, o);
  }

  /// What a band still needs of a map moves to its first rows, each thread some columns of all of them.
  void move_up(int y, const band_task& t) const {
    if (t.kept.count() <= 0 || t.moved_up <= 0) return;
    const value& whole = value_at(root_of(p_, y));
    const std::int64_t row = whole.extent.width * whole.pixel;
    element* first = m_.arena + whole.offset;
    in_parallel<P>(m_.threads, m_.threads, [&](std::int64_t i) {
      const std::int64_t begin = row * i / m_.threads, end = row * (i + 1) / m_.threads;
      const auto bytes = static_cast<std::size_t>(end - begin) * sizeof(element);
      for (element* to = first + begin; to < first + t.kept.count() * row; to += row)
        std::memcpy(to, to + t.moved_up * row, bytes);
    });
  }

  void call(std::size_t i, const operands<element>& o) const {
    const auto begin = m_.seconds.empty() ? clock::time_point{} : clock::now();
    kernels_[i](o);
    if (!m_.seconds.empty()) m_.seconds[i] += std::chrono::duration<double>(clock::now() - begin).count();
    if constexpr (P::host_memory) {
      if (!m_.largest.empty()) m_.largest[i] = std::max(m_.largest[i], largest_magnitude(o.y));
    }
  }

  /// Infinity for what is no number.
  static float largest_magnitude(const view<element>& map) {
    float largest = 0;
    for (std::int64_t p = 0; p < map.pixels(); ++p) {
      for (int c = 0; c < map.channels; ++c) {
        const float size = std::abs(static_cast<float>(map.at(p)[c]));
        largest = std::isnan(size) ? std::numeric_limits<float>::infinity() : std::max(largest, size);
      }
    }
    return largest;
  }

  const plan& p_;
  std::span<const kernel_function<P>> kernels_;
  const packed_weights<P>& weights_;
  const run_memory<P>& m_;
};

}  // namespace atrous
