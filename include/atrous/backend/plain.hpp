// SPDX-License-Identifier: MIT
#pragma once
// The definition of correct: every kernel as plain loops, one output at a time. Loop indices: n image, i j output row
// and column, u v taps, c input channel, k output channel. Structures are values here: nothing is compiled twice.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <atrous/backend/operands.hpp>
#include <atrous/graph/sampling.hpp>

namespace atrous {

constexpr float activated(activation act, float x) {
  switch (act) {
    case activation::relu:
      return x < 0 ? 0 : x;
    case activation::relu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    case activation::hard_sigmoid:
      return activated(activation::relu6, x + 3) / 6;
    case activation::hard_swish:
      return x * activated(activation::hard_sigmoid, x);
    default:
      return x;
  }
}

namespace plain {

template <class T, class Visit>
void each_pixel(const view<T>& y, const Visit& visit) {
  for (int n = 0; n < y.batch; ++n)
    for (int i = 0; i < y.height; ++i)
      for (int j = 0; j < y.width; ++j) visit(n, i, j, y.at(n, i, j));
}

/// Visits the pixels under a window. Those outside are `border` if there is one, else left out.
template <class Visit>
void each_tap(const op& o, const view<const float>& x, const float* border, int n, int i, int j,
              const Visit& visit) {
  const int top = i * o.stride - rows_of(o, x.shape()).before,
            left = j * o.stride - columns_of(o, x.shape()).before;
  for (int u = 0; u < o.kernel; ++u) {
    for (int v = 0; v < o.kernel; ++v) {
      const int row = top + u * o.rate, column = left + v * o.rate;
      const bool inside = row >= 0 && row < x.height && column >= 0 && column < x.width;
      if (inside) visit(x.at(n, row, column), u * o.kernel + v);
      if (!inside && border != nullptr) visit(border, u * o.kernel + v);
    }
  }
}

inline void depthwise_pixel(const op& o, const view<const float>& x, const layer_weights<float>& weights,
                            activation before, activation after, int n, int i, int j, float* y) {
  for (int c = 0; c < x.channels; ++c) y[c] = 0;
  each_tap(o, x, weights.border, n, i, j, [&](const float* pixel, int tap) {
    const float* w = weights.kernel + std::int64_t{tap} * x.channels;
    for (int c = 0; c < x.channels; ++c) y[c] += activated(before, pixel[c]) * w[c];
  });
  for (int c = 0; c < x.channels; ++c) y[c] = activated(after, y[c] + weights.bias[c]);
}

inline void finish(const operands<float>& a, const structure& s, int n, int i, int j, float* y) {
  const float* other = s.sum ? a.other.at(n, i, j) : nullptr;
  for (int k = 0; k < a.y.channels; ++k) {
    const float sum = y[k] + a.weights.bias[k] + (other != nullptr ? other[k] : 0.0F);
    y[k] = activated(s.after, sum);
  }
}

inline float resized(const operands<float>& a, shape out, int n, int i, int j, int c) {
  const sample row = a.rows.in > 0 ? a.rows.at(i) : sample_at(i, a.x.height, out.height, a.run->what.corner);
  const sample column = sample_at(j, a.x.width, out.width, a.run->what.corner);
  const float upper =
      between(a.x.at(n, row.low, column.low)[c], a.x.at(n, row.low, column.high)[c], column.fraction);
  const float lower =
      between(a.x.at(n, row.high, column.low)[c], a.x.at(n, row.high, column.high)[c], column.fraction);
  return between(upper, lower, row.fraction);
}

// ---- kernels

/// y = pixel * factor + offset. reads image (uint8 or float), writes y.
[[gnu::noinline]] inline void input(const operands<float>& a, [[maybe_unused]] const structure& s) {
  const op& o = a.run->what;
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    for (int c = 0; c < a.y.channels; ++c) {
      const auto k = static_cast<std::size_t>(std::min(c, 3));
      y[c] = a.image.at(n, i, j, c) * o.factors[k] + o.offsets[k];
    }
  });
}

[[gnu::noinline]] inline void convolution(const operands<float>& a, [[maybe_unused]] const structure& s) {
  const op& o = a.run->what;
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    for (int k = 0; k < a.y.channels; ++k) y[k] = 0;
    each_tap(o, a.x, a.weights.border, n, i, j, [&](const float* x, int tap) {
      const float* w = a.weights.kernel + std::int64_t{tap} * a.x.channels * a.y.channels;
      for (int c = 0; c < a.x.channels; ++c)
        for (int k = 0; k < a.y.channels; ++k) y[k] += x[c] * w[std::int64_t{c} * a.y.channels + k];
    });
    finish(a, s, n, i, j, y);
  });
}

[[gnu::noinline]] inline void depthwise(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    depthwise_pixel(a.run->what, a.x, a.weights, s.before, s.after, n, i, j, y);
  });
}

/// One pixel of the depthwise at a time, then the pointwise of that pixel.
[[gnu::noinline]] inline void separable(const operands<float>& a, [[maybe_unused]] const structure& s) {
  auto* middle = reinterpret_cast<float*>(a.scratch.data());
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    depthwise_pixel(a.run->first, a.x, a.first_weights, s.before, s.between, n, i, j, middle);
    for (int k = 0; k < a.y.channels; ++k) {
      y[k] = 0;
      for (int c = 0; c < a.x.channels; ++c)
        y[k] += middle[c] * a.weights.kernel[std::int64_t{c} * a.y.channels + k];
    }
    finish(a, s, n, i, j, y);
  });
}

/// y = x * scale + shift.
[[gnu::noinline]] inline void batch_norm(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    const float* x = a.x.at(n, i, j);
    for (int c = 0; c < a.y.channels; ++c)
      y[c] = activated(s.after, x[c] * a.weights.kernel[c] + a.weights.bias[c]);
  });
}

[[gnu::noinline]] inline void activate(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    const float* x = a.x.at(n, i, j);
    for (int c = 0; c < a.y.channels; ++c) y[c] = activated(s.after, x[c]);
  });
}

[[gnu::noinline]] inline void max_pool(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    for (int c = 0; c < a.y.channels; ++c) y[c] = -std::numeric_limits<float>::infinity();
    each_tap(a.run->what, a.x, nullptr, n, i, j, [&](const float* x, int) {
      for (int c = 0; c < a.y.channels; ++c) y[c] = std::max(y[c], x[c]);
    });
  });
}

/// Sums in double: a window may be a whole feature map.
[[gnu::noinline]] inline void average_pool(const operands<float>& a, [[maybe_unused]] const structure& s) {
  const op& o = a.run->what;
  const int height = o.window_height > 0 ? o.window_height : a.x.height;
  const int width = o.window_width > 0 ? o.window_width : a.x.width;
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    for (int c = 0; c < a.y.channels; ++c) {
      double sum = 0;
      for (int u = 0; u < height; ++u)
        for (int v = 0; v < width; ++v) sum += a.x.at(n, i * o.stride + u, j * o.stride + v)[c];
      y[c] = static_cast<float>(sum / (double(height) * width));
    }
  });
}

[[gnu::noinline]] inline void resize(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    for (int c = 0; c < a.y.channels; ++c) y[c] = resized(a, a.y.shape(), n, i, j, c);
  });
}

[[gnu::noinline]] inline void add(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    const float *x = a.x.at(n, i, j), *other = a.other.at(n, i, j);
    for (int c = 0; c < a.y.channels; ++c) y[c] = activated(s.after, x[c] + other[c]);
  });
}

[[gnu::noinline]] inline void scale(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) {
    const float *x = a.x.at(n, i, j), *factors = a.other.at(n, 0, 0);
    for (int c = 0; c < a.y.channels; ++c) y[c] = x[c] * factors[c];
  });
}

[[gnu::noinline]] inline void copy(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.y, [&](int n, int i, int j, float* y) { std::copy_n(a.x.at(n, i, j), a.y.channels, y); });
}

/// probability = exp(logit) / sum of exp(logits), of resized logits less the largest of their pixel.
[[gnu::noinline]] inline void probabilities(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.probabilities, [&](int n, int i, int j, float* y) {
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    for (int c = 0; c < a.x.channels; ++c)
      largest = std::max(largest, resized(a, a.probabilities.shape(), n, i, j, c));
    for (int c = 0; c < a.x.channels; ++c)
      sum += y[c] = std::exp(resized(a, a.probabilities.shape(), n, i, j, c) - largest);
    for (int c = 0; c < a.x.channels; ++c) y[c] /= sum;
  });
}

/// The class of the largest resized logit; of equal ones the first.
[[gnu::noinline]] inline void labels(const operands<float>& a, [[maybe_unused]] const structure& s) {
  each_pixel(a.labels, [&](int n, int i, int j, std::uint8_t* label) {
    float best = resized(a, a.labels.shape(), n, i, j, 0);
    *label = 0;
    for (int c = 1; c < a.x.channels; ++c) {
      const float logit = resized(a, a.labels.shape(), n, i, j, c);
      if (logit > best) best = logit, *label = static_cast<std::uint8_t>(c);
    }
  });
}

}  // namespace plain
}  // namespace atrous
