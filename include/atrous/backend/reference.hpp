// SPDX-License-Identifier: MIT
#pragma once
// The policy that every other is held against: the kernels of plain.hpp on one thread, weights as checkpoints have them.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <atrous/backend/host_memory.hpp>
#include <atrous/backend/plain.hpp>
#include <atrous/backend/policy.hpp>

namespace atrous {

/// Plain loops on one thread: slow, and the definition of correct.
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

  template <structure S>
  static void input(const operands<float>& o) {
    plain::input(o, S);
  }
  template <structure S>
  static void convolution(const operands<float>& o) {
    plain::convolution(o, S);
  }
  template <structure S>
  static void depthwise(const operands<float>& o) {
    plain::depthwise(o, S);
  }
  template <structure S>
  static void separable(const operands<float>& o) {
    plain::separable(o, S);
  }
  template <structure S>
  static void batch_norm(const operands<float>& o) {
    plain::batch_norm(o, S);
  }
  template <structure S>
  static void activate(const operands<float>& o) {
    plain::activate(o, S);
  }
  template <structure S>
  static void max_pool(const operands<float>& o) {
    plain::max_pool(o, S);
  }
  template <structure S>
  static void average_pool(const operands<float>& o) {
    plain::average_pool(o, S);
  }
  template <structure S>
  static void resize(const operands<float>& o) {
    plain::resize(o, S);
  }
  template <structure S>
  static void add(const operands<float>& o) {
    plain::add(o, S);
  }
  template <structure S>
  static void scale(const operands<float>& o) {
    plain::scale(o, S);
  }
  template <structure S>
  static void copy(const operands<float>& o) {
    plain::copy(o, S);
  }
  template <structure S>
  static void probabilities(const operands<float>& o) {
    plain::probabilities(o, S);
  }
  template <structure S>
  static void labels(const operands<float>& o) {
    plain::labels(o, S);
  }
};
static_assert(backend<reference>);

}  // namespace atrous
