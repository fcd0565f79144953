// SPDX-License-Identifier: MIT
#pragma once
// Trials by chance.
#include "grid.hpp"

namespace grid {

/// Picks from lists by a counter, so that neighbouring trials differ in everything.
struct picker {
  std::mt19937 engine{2018};
  template <class T>
  T any(std::initializer_list<T> list) {
    return list.begin()[engine() % list.size()];
  }
};

inline padding some_padding(picker& p, int kernel) {
  switch (p.any({0, 1, 2, 3})) {
    case 0:
      return {};
    case 1:
      return padding::same();
    case 2:
      return padding::none();
    default:
      return padding::given(kernel / 2, kernel - 1, kernel, kernel / 3);
  }
}

/// Multiply-adds at most, so that all trials together take seconds.
inline constexpr std::int64_t affordable = 1 << 20;

inline std::int64_t cost(const trial& t) {
  const std::int64_t taps = std::int64_t{t.kernel} * t.kernel;
  return elements(t.in) * t.batch * (t.form.kind == step_kind::convolution ? taps * t.out : taps + t.out);
}

inline trial some_trial(picker& p, const structure& form) {
  trial t{.form = form};
  t.kernel = form.kernel != 0 ? form.kernel : p.any({2, 4, 9});
  t.stride = form.stride != 0 ? form.stride : p.any({3, 4});
  t.rate = t.stride == 1 ? p.any({1, 1, 2, 4, 6, 12, 18, 36}) : p.any({1, 1, 1, 2});
  t.pad = some_padding(p, t.kernel);
  t.batch = p.any({1, 1, 2});
  t.gap = p.any({0, 0, 5, 16});
  t.corner = p.any({corners::aligned, corners::half_pixel, corners::asymmetric});
  t.window = p.any({0, 0, 1, 2});
  t.float_image = p.any({false, true});
  t.seed = static_cast<unsigned>(p.engine() % 1000);
  do {
    t.in = {p.any({1, 2, 7, 12, 33}), p.any({1, 2, 5, 18, 33}), p.any({1, 3, 8, 19, 64})};
    t.out = p.any({1, 3, 8, 19, 21, 64});
    t.target = {p.any({1, 2, 13, 65}), p.any({1, 3, 40, 300}), 1};
  } while (cost(t) > affordable);
  return t;
}

}  // namespace grid
