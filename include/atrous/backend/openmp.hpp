// SPDX-License-Identifier: MIT
#pragma once
// The policy for CPUs: threads by OpenMP, vectors by whatever the processor has, one binary for all of them. Results
// do not depend on the number of threads, to the bit.
#include <algorithm>
#include <type_traits>

#include <atrous/backend/openmp/kernels.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/core/finite.hpp>

namespace atrous {

/// `Choice::get()` says which instruction set: simd::widest, or simd::only<...>. `Element` is what feature maps and weights
/// are stored as: float, or half, which takes half of the memory (what a step works in does not shrink). Floats are computed
/// in float; halves, too, but for products of integers where the processor is faster at these (openmp/integers.hpp).
template <class Choice, class Element = float>
struct openmp_with : reference {
  static constexpr const char* name = std::is_same_v<Element, half> ? "openmp-half" : "openmp";
  using element = Element;
  using kernels = cpu::kernels<element>;
  static_assert(std::is_same_v<arithmetic<element>, float>);

  // ---- dense kernels are packed in panels, depthwise ones stay as checkpoints have them, in float

  static std::int64_t packed_elements(const op& o, shape in) {
    if (o.kind == op_kind::depthwise)
      return cpu::terms_of(o, in) * static_cast<std::int64_t>(sizeof(arithmetic<element>) / sizeof(element));
    if (cpu::winograd_wins(o, in.channels))
      return cpu::winograd::packed_elements<element>(Choice::get(), o, in.channels);
    if (cpu::rounds_to_integers<element>(Choice::get(), o, in.channels))
      return cpu::packed_integers<element>(Choice::get(), cpu::terms_of(o, in), o.out).elements();
    return cpu::packed_panels<element>(Choice::get(), cpu::terms_of(o, in), o.out);
  }
  static void pack(const op& o, shape in, const float* kernel, element* packed) {
    kernels::pack(Choice::get(), o, in, kernel, packed);
  }
  /// Whether weights are what they should be: integers have finite scales, halves are finite.
  static bool fits(const op& o, shape in, const element* packed) {
    if (o.kind == op_kind::depthwise)
      return finite(reinterpret_cast<const arithmetic<element>*>(packed), cpu::terms_of(o, in));
    if (!cpu::rounds_to_integers<element>(Choice::get(), o, in.channels))
      return finite(packed, packed_elements(o, in));
    if (cpu::winograd_wins(o, in.channels))
      return cpu::winograd::finite<element>(Choice::get(), o, in.channels, packed);
    return cpu::packed_integers<element>(Choice::get(), cpu::terms_of(o, in), o.out).finite(packed);
  }
  static std::size_t scratch_bytes(const step& s, shape x, int threads) {
    switch (s.form.kind) {
      case step_kind::convolution:
        return cpu::dense_scratch<element>(Choice::get(), s.what, x, threads);
      case step_kind::separable:
        return cpu::separable_scratch<element>(Choice::get(), x.channels, s.what.out, threads);
      case step_kind::resize:
        return cpu::resize_scratch<element>(x, threads);
      case step_kind::probabilities:
        return cpu::numbers_bytes<element>(x) + cpu::probabilities_scratch<arithmetic<element>>(x, threads);
      case step_kind::labels:
        return cpu::numbers_bytes<element>(x) + cpu::labels_scratch<arithmetic<element>>(x);
      default:
        return 0;
    }
  }

  /// What bands of rows may take of the caches (bands.hpp), which does not change results. One thread took 1.00 to 1.04 of
  /// the time with twice of it (Zen 5; half of it: 1.03). Two threads are as fast with twice of it where they share a
  /// third-level cache, and faster where they do not: both read the rows where their parts of a band meet. More were not
  /// measured; from four on they get 32 MiB, as much as such a cache.
  static std::int64_t band_elements(int threads) {
    constexpr std::int64_t most = std::int64_t{8} << 20;
    const std::int64_t each = std::min(8 * simd::second_level_cache(), most);
    return each * std::clamp(threads, 1, 4) / static_cast<std::int64_t>(sizeof(element));
  }

  /// What a band makes at least, so that each thread has two blocks or so of a kernel's rows.
  static int band_pixels(int threads) { return 256 * std::clamp(threads, 1, 4); }

  /// Calls f(i) for every i below `count`.
  template <class F>
  static void parallel(int threads, std::int64_t count, const F& f) {
    cpu::parallel_for(threads, count, [&](std::int64_t i, int) { f(i); });
  }

  /// Starts the threads, which costs time and memory once.
  static void start(int threads) {
    cpu::parallel_for(threads, threads, [](std::int64_t, int) {});
  }

  // ---- kernels: what they read, write and cost is said where they are

  template <structure S>
  static void input(const operands<element>& o) {
    kernels::input(Choice::get(), o);
  }
  template <structure S>
  static void convolution(const operands<element>& o) {
    kernels::convolution(Choice::get(), o, S.after, S.sum, S.border ? o.weights.border : nullptr);
  }
  template <structure S>
  static void depthwise(const operands<element>& o) {
    static_assert(waits(S.before));
    kernels::depthwise(Choice::get(), o, S.before, S.after);
  }
  template <structure S>
  static void separable(const operands<element>& o) {
    static_assert(waits(S.before));
    kernels::separable(Choice::get(), o, S.before, S.between, S.after, S.sum);
  }
  template <structure S>
  static void batch_norm(const operands<element>& o) {
    kernels::batch_norm(Choice::get(), o, S.after);
  }
  template <structure S>
  static void activate(const operands<element>& o) {
    kernels::activate(Choice::get(), o, S.after);
  }
  template <structure S>
  static void max_pool(const operands<element>& o) {
    kernels::max_pool(Choice::get(), o);
  }
  template <structure S>
  static void average_pool(const operands<element>& o) {
    kernels::average_pool(Choice::get(), o);
  }
  template <structure S>
  static void resize(const operands<element>& o) {
    kernels::resize(Choice::get(), o);
  }
  template <structure S>
  static void add(const operands<element>& o) {
    kernels::add(Choice::get(), o, S.after);
  }
  template <structure S>
  static void scale(const operands<element>& o) {
    kernels::scale(Choice::get(), o);
  }
  template <structure S>
  static void copy(const operands<element>& o) {
    kernels::activate(Choice::get(), o, activation::none);
  }
  template <structure S>
  static void probabilities(const operands<element>& o) {
    kernels::probabilities(Choice::get(), o);
  }
  template <structure S>
  static void labels(const operands<element>& o) {
    kernels::labels(Choice::get(), o);
  }

 private:
  static constexpr bool waits(activation before) {
    return before == activation::none || before == activation::relu;
  }
};

/// The policy for CPUs, with the widest vectors that the processor has. Another name for the type above and no type of
/// its own: so models and their tables of kernels, too, bear the flags that they are compiled with (simd).
using openmp = openmp_with<simd::widest>;
static_assert(backend<openmp>);

/// The same with weights and feature maps in half (binary16), in half of the memory.
using openmp_half = openmp_with<simd::widest, half>;
static_assert(backend<openmp_half>);

}  // namespace atrous
