// SPDX-License-Identifier: MIT
#pragma once
// The definition of correct: every kernel as plain loops, one output at a time. Loop indices: n image, i j
// output row and column, u v taps, c input channel, o output channel.
#include <algorithm>
#include <cstring>
#include <limits>

#include <atrous/backend/host_memory.hpp>
#include <atrous/backend/policy.hpp>
#include <atrous/backend/sampling.hpp>

namespace atrous {

constexpr float activated(activation act, float x) {
  switch (act) {
    case activation::relu:
      return x < 0 ? 0 : x;
    case activation::relu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    default:
      return x;
  }
}

struct reference : host_memory_policy {
  static constexpr const char* name = "reference";
  using element = float;

  // ---- weights stay as checkpoints have them: (kernel, kernel, C, out), depthwise (kernel, kernel, C)

  static std::int64_t packed_elements(const op& o, shape in) {
    return std::int64_t{o.kernel} * o.kernel * in.channels * (o.kind == op_kind::depthwise ? 1 : o.out);
  }
  static void pack(const op& o, shape in, const float* kernel, float* packed) {
    std::copy_n(kernel, packed_elements(o, in), packed);
  }
  /// A separable keeps one pixel of its depthwise.
  static std::size_t scratch_bytes(const step& s, shape x, int) {
    return s.form.kind == step_kind::separable ? static_cast<std::size_t>(x.channels) * sizeof(float) : 0;
  }

  // ---- kernels

  /// y = pixel * factor + offset. reads image (uint8 or float), writes y.
  template <structure S>
  static void input(const operands<float>& a) {
    const op& o = a.run->what;
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      const std::ptrdiff_t first = n * a.image.image + i * a.image.row + j * a.image.pixel;
      for (int c = 0; c < a.y.channels; ++c) {
        const float pixel =
            a.image.type == pixel_type::uint8
                ? static_cast<float>(static_cast<const std::uint8_t*>(a.image.data)[first + c])
                : static_cast<const float*>(a.image.data)[first + c];
        const auto k = static_cast<std::size_t>(std::min(c, 3));
        y[c] = pixel * o.factors[k] + o.offsets[k];
      }
    });
  }

  template <structure S>
  static void convolution(const operands<float>& a) {
    const op& o = a.run->what;
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      for (int k = 0; k < a.y.channels; ++k) y[k] = 0;
      each_tap(o, a.x, a.weights.border, n, i, j, [&](const float* x, int tap) {
        const float* w = a.weights.kernel + std::int64_t{tap} * a.x.channels * a.y.channels;
        for (int c = 0; c < a.x.channels; ++c)
          for (int k = 0; k < a.y.channels; ++k) y[k] += x[c] * w[std::int64_t{c} * a.y.channels + k];
      });
      finish<S>(a, n, i, j, y);
    });
  }

  template <structure S>
  static void depthwise(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      depthwise_pixel(a.run->what, a.x, a.weights, S.before, S.after, n, i, j, y);
    });
  }

  /// One pixel of the depthwise at a time, then the pointwise of that pixel.
  template <structure S>
  static void separable(const operands<float>& a) {
    auto* middle = reinterpret_cast<float*>(a.scratch.data());
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      depthwise_pixel(a.run->first, a.x, a.first_weights, S.before, S.between, n, i, j, middle);
      for (int k = 0; k < a.y.channels; ++k) {
        y[k] = 0;
        for (int c = 0; c < a.x.channels; ++c)
          y[k] += middle[c] * a.weights.kernel[std::int64_t{c} * a.y.channels + k];
      }
      finish<S>(a, n, i, j, y);
    });
  }

  /// y = x * scale + shift.
  template <structure S>
  static void batch_norm(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      const float* x = a.x.at(n, i, j);
      for (int c = 0; c < a.y.channels; ++c)
        y[c] = activated(S.after, x[c] * a.weights.kernel[c] + a.weights.bias[c]);
    });
  }

  template <structure S>
  static void activate(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      const float* x = a.x.at(n, i, j);
      for (int c = 0; c < a.y.channels; ++c) y[c] = activated(S.after, x[c]);
    });
  }

  template <structure S>
  static void max_pool(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      for (int c = 0; c < a.y.channels; ++c) y[c] = -std::numeric_limits<float>::infinity();
      each_tap(a.run->what, a.x, nullptr, n, i, j, [&](const float* x, int) {
        for (int c = 0; c < a.y.channels; ++c) y[c] = std::max(y[c], x[c]);
      });
    });
  }

  /// Sums in double: a window may be a whole feature map.
  template <structure S>
  static void average_pool(const operands<float>& a) {
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

  template <structure S>
  static void resize(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      for (int c = 0; c < a.y.channels; ++c) y[c] = resized(a, a.y.shape(), n, i, j, c);
    });
  }

  template <structure S>
  static void add(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      const float *x = a.x.at(n, i, j), *other = a.other.at(n, i, j);
      for (int c = 0; c < a.y.channels; ++c) y[c] = activated(S.after, x[c] + other[c]);
    });
  }

  template <structure S>
  static void scale(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) {
      const float *x = a.x.at(n, i, j), *factors = a.other.at(n, 0, 0);
      for (int c = 0; c < a.y.channels; ++c) y[c] = x[c] * factors[c];
    });
  }

  template <structure S>
  static void copy(const operands<float>& a) {
    each_pixel(a.y, [&](int n, int i, int j, float* y) { std::copy_n(a.x.at(n, i, j), a.y.channels, y); });
  }

  /// The class of the largest resized logit; of equal ones the first.
  template <structure S>
  static void labels(const operands<float>& a) {
    each_pixel(a.labels, [&](int n, int i, int j, std::uint8_t* label) {
      float best = resized(a, a.labels.shape(), n, i, j, 0);
      *label = 0;
      for (int c = 1; c < a.x.channels; ++c) {
        const float logit = resized(a, a.labels.shape(), n, i, j, c);
        if (logit > best) best = logit, *label = static_cast<std::uint8_t>(c);
      }
    });
  }

 protected:
  template <class T, class Visit>
  static void each_pixel(const view<T>& y, const Visit& visit) {
    for (int n = 0; n < y.batch; ++n)
      for (int i = 0; i < y.height; ++i)
        for (int j = 0; j < y.width; ++j) visit(n, i, j, y.at(n, i, j));
  }

  /// Visits the pixels under a window. Those outside are `border` if there is one, else left out.
  template <class Visit>
  static void each_tap(const op& o, const view<const float>& x, const float* border, int n, int i, int j,
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

  static void depthwise_pixel(const op& o, const view<const float>& x, const layer_weights<float>& weights,
                              activation before, activation after, int n, int i, int j, float* y) {
    for (int c = 0; c < x.channels; ++c) y[c] = 0;
    each_tap(o, x, weights.border, n, i, j, [&](const float* pixel, int tap) {
      const float* w = weights.kernel + std::int64_t{tap} * x.channels;
      for (int c = 0; c < x.channels; ++c) y[c] += activated(before, pixel[c]) * w[c];
    });
    for (int c = 0; c < x.channels; ++c) y[c] = activated(after, y[c] + weights.bias[c]);
  }

  template <structure S>
  static void finish(const operands<float>& a, int n, int i, int j, float* y) {
    const float* other = S.sum ? a.other.at(n, i, j) : nullptr;
    for (int k = 0; k < a.y.channels; ++k) {
      const float sum = y[k] + a.weights.bias[k] + (other != nullptr ? other[k] : 0.0F);
      y[k] = activated(S.after, sum);
    }
  }

  static float resized(const operands<float>& a, shape out, int n, int i, int j, int c) {
    const sample row = sample_at(i, a.x.height, out.height, a.run->what.corner);
    const sample column = sample_at(j, a.x.width, out.width, a.run->what.corner);
    const float upper =
        between(a.x.at(n, row.low, column.low)[c], a.x.at(n, row.low, column.high)[c], column.fraction);
    const float lower =
        between(a.x.at(n, row.high, column.low)[c], a.x.at(n, row.high, column.high)[c], column.fraction);
    return between(upper, lower, row.fraction);
  }
};
static_assert(backend<reference>);

}  // namespace atrous
