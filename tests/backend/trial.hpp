// SPDX-License-Identifier: MIT
#pragma once
// What a test of one kernel varies, and what follows from it: the step, the extents of its output, how exact it is.
#include <limits>
#include <string>

#include <atrous/plan/step.hpp>

namespace grid {

using namespace atrous;

/// One step with everything that it depends on.
struct trial {
  structure form{};
  int kernel = 1, stride = 1, rate = 1;
  padding pad{};
  shape in{};
  int out = 1, batch = 1;
  int gap = 0;     // channels beside the slices of x and y
  shape target{};  // extents of a resize, of probabilities or of labels
  corners corner{};
  int window = 0;  // of an average pool
  bool float_image = false;
  bool halves = false;  // numbers that fit into half, whoever computes with them
  unsigned seed = 1;
};

inline std::string text_of(const trial& t) {
  std::string all = "kind " + std::to_string(static_cast<int>(t.form.kind));
  const auto add = [&](const char* name, int number) {
    all += std::string(" ") + name + " " + std::to_string(number);
  };
  add("kernel", t.kernel), add("stride", t.stride), add("rate", t.rate),
      add("rule", static_cast<int>(t.pad.by));
  add("in", t.in.height), add("x", t.in.width), add("x", t.in.channels), add("out", t.out),
      add("batch", t.batch);
  add("gap", t.gap), add("before", static_cast<int>(t.form.before)),
      add("between", static_cast<int>(t.form.between));
  add("after", static_cast<int>(t.form.after)), add("sum", t.form.sum), add("border", t.form.border);
  add("target", t.target.height), add("x", t.target.width), add("corners", static_cast<int>(t.corner));
  return all;
}

inline step step_of(const trial& t) {
  step s{.form = t.form};
  s.what.stride = t.stride, s.what.kernel = t.kernel, s.what.rate = t.rate, s.what.pad = t.pad;
  s.what.out = t.out, s.what.corner = t.corner, s.what.window_height = s.what.window_width = t.window;
  s.what.factors = {0.5F, 0.25F, 2, 3}, s.what.offsets = {-1, 0.5F, 0, 0.125F};
  if (t.form.border) s.what.pad.outside = padding::border::per_channel;
  switch (t.form.kind) {
    case step_kind::convolution:
      s.what.kind = op_kind::convolution;
      break;
    case step_kind::depthwise:
      s.what.kind = op_kind::depthwise;
      break;
    case step_kind::max_pool:
      s.what.kind = op_kind::max_pool;
      break;
    case step_kind::separable:
      s.first = s.what;
      s.first.kind = op_kind::depthwise;
      s.what = {.kind = op_kind::convolution, .out = t.out};
      break;
    default:
      break;
  }
  return s;
}

inline shape output_of(const trial& t) {
  const step s = step_of(t);
  const op& o = t.form.kind == step_kind::separable ? s.first : s.what;
  switch (t.form.kind) {
    case step_kind::convolution:
    case step_kind::separable:
      return {rows_of(o, t.in).out, columns_of(o, t.in).out, t.out};
    case step_kind::depthwise:
    case step_kind::max_pool:
      return {rows_of(o, t.in).out, columns_of(o, t.in).out, t.in.channels};
    case step_kind::average_pool: {
      const int height = t.window > 0 ? t.window : t.in.height, width = t.window > 0 ? t.window : t.in.width;
      if (height > t.in.height || width > t.in.width) return {};
      return {(t.in.height - height) / t.stride + 1, (t.in.width - width) / t.stride + 1, t.in.channels};
    }
    case step_kind::resize:
    case step_kind::probabilities:
      return {t.target.height, t.target.width, t.in.channels};
    case step_kind::labels:
      return {t.target.height, t.target.width, 1};
    default:
      return t.in;
  }
}

/// Numbers that enter one output, and how large they may be.
inline double tolerance(const trial& t) {
  constexpr double eps = std::numeric_limits<float>::epsilon();
  const double taps = double(t.kernel) * t.kernel;
  switch (t.form.kind) {
    case step_kind::convolution:
      return 2 * eps * (taps * t.in.channels + 2);
    case step_kind::depthwise:
      return 2 * eps * (taps + 2);
    case step_kind::separable:
      return 2 * eps * (taps + 2 + t.in.channels) * 10;
    case step_kind::average_pool:
      return eps * (t.in.height + t.in.width);
    case step_kind::activate:
      return only_bounds(t.form.after) ? 0 : 8 * eps;
    case step_kind::max_pool:
    case step_kind::copy:
      return 0;
    case step_kind::input:
      return 256 * eps;
    case step_kind::probabilities:  // relative errors of resized logits, of the exponential and of the sum
      return (16 + t.in.channels) * eps;
    default:
      return 8 * eps;
  }
}

}  // namespace grid
