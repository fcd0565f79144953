// SPDX-License-Identifier: MIT
#pragma once
// A step on some rows of its map: which ones it can make, what it needs for them, how it runs.
#include <algorithm>

#include <atrous/graph/sampling.hpp>
#include <atrous/plan/plan.hpp>

namespace atrous {

/// Whether a step can make some rows of its map from some rows of what it reads.
constexpr bool works_by_rows(const step& s) {
  if (s.bias >= 0)
    return false;  // which is of the whole image: it would have to be there before the first band
  switch (s.form.kind) {
    case step_kind::input:
    case step_kind::convolution:
    case step_kind::depthwise:
    case step_kind::separable:
    case step_kind::batch_norm:
    case step_kind::activate:
    case step_kind::max_pool:
    case step_kind::resize:
    case step_kind::add:
    case step_kind::copy:
      return true;
    default:
      return false;
  }
}

/// The sliding window of a step, if it has one.
constexpr const op* window_in(const step& s) {
  switch (s.form.kind) {
    case step_kind::separable:
      return &s.first;
    case step_kind::convolution:
    case step_kind::depthwise:
    case step_kind::max_pool:
      return &s.what;
    default:
      return nullptr;
  }
}

/// Rows of x, whose extent is `in`, that a step needs for rows `made` of y, whose extent is `out`; at least one.
inline row_range rows_needed(const step& s, shape in, shape out, row_range made) {
  row_range needed = made;
  if (s.form.kind == step_kind::resize) {
    needed.first = sample_at(made.first, in.height, out.height, s.what.corner).low;
    needed.last = sample_at(made.last - 1, in.height, out.height, s.what.corner).high + 1;
  } else if (const op* o = window_in(s)) {
    const int before = rows_of(*o, in).before;
    needed.first = made.first * o->stride - before;
    needed.last = (made.last - 1) * o->stride - before + (o->kernel - 1) * o->rate + 1;
  }
  needed.first = std::clamp(needed.first, 0, in.height - 1);
  needed.last = std::clamp(needed.last, needed.first + 1, in.height);
  return needed;
}

/// A step as it runs for a band: where its windows lie on the rows that it sees is the padding of the whole map, less what
/// lies above them.
inline step on_band(const step& s, shape in, const band_task& t) {
  step part = s;
  const op* window = window_in(s);
  if (window == nullptr) return part;
  const windows columns = columns_of(*window, in);
  const int reach = (window->kernel - 1) * window->rate + 1;
  const int top = rows_of(*window, in).before - t.y.first * window->stride + t.x.first;
  const int bottom = (t.y.count() - 1) * window->stride + reach - t.x.count() - top;
  const int right = (columns.out - 1) * window->stride + reach - in.width - columns.before;
  op& moved = s.form.kind == step_kind::separable ? part.first : part.what;
  moved.pad.by = padding::rule::given;
  moved.pad.top = top, moved.pad.left = columns.before, moved.pad.bottom = bottom, moved.pad.right = right;
  return part;
}

/// Rows that a step makes at a time, where that is more than one: tiles of Winograd's algorithm begin at multiples of 3.
constexpr int rows_together(const step& s) {
  return s.form.kind == step_kind::convolution && s.what.kernel == 3 && s.what.stride == 1 ? 3 * s.what.rate
                                                                                           : 1;
}

}  // namespace atrous
