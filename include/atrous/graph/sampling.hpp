// SPDX-License-Identifier: MIT
#pragma once
// Where the samples of a bilinear resize lie: one rule for every policy.
#include <algorithm>
#include <cmath>

#include <atrous/graph/op.hpp>

namespace atrous {

/// An output sample lies between input samples `low` and `high`, `fraction` of the way.
struct sample {
  int low = 0, high = 0;
  float fraction = 0;
};

/// Places sample `i` of `out` on an axis of `in` samples.
[[gnu::always_inline]] inline sample sample_at(int i, int in, int out, corners corner) {
  double at = 0;
  switch (corner) {
    case corners::aligned:
      at = out > 1 ? double(i) * (in - 1) / (out - 1) : 0;
      break;
    case corners::half_pixel:
      at = std::max((i + 0.5) * in / out - 0.5, 0.0);
      break;
    case corners::asymmetric:
      at = double(i) * in / out;
      break;
  }
  const int low = std::min(static_cast<int>(at), in - 1);
  const int high = std::min(low + 1, in - 1);
  return {low, high, high == low ? 0.0F : static_cast<float>(at - low)};
}

/// An axis of a resize, or a part of one: `count` input samples from `first_in` on make output samples from `first_out`
/// on; those of the whole axis are `in` and `out`.
struct resized_axis {
  int in = 0, out = 0;
  corners corner = corners::aligned;
  int first_in = 0, first_out = 0, count = in;

  /// Where output sample i of the part lies among its input samples.
  [[gnu::always_inline]] sample at(int i) const {
    sample s = sample_at(first_out + i, in, out, corner);
    s.low = std::clamp(s.low - first_in, 0, count - 1);
    s.high = std::clamp(s.high - first_in, 0, count - 1);
    return s;
  }
};

/// Between two numbers. The same formula everywhere, so that equal inputs give that very number back.
inline float between(float low, float high, float fraction) { return low + (high - low) * fraction; }

}  // namespace atrous
