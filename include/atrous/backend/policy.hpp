// SPDX-License-Identifier: MIT
#pragma once
// What it takes to run networks. A policy is a struct of static members: an element type, memory, packing of
// weights, and one kernel template per kind of step. It inherits from another policy what it does not do
// itself.
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <atrous/backend/operands.hpp>

namespace atrous {

/// A kernel of policy P, compiled for one structure.
template <class P>
using kernel_function = void (*)(const operands<typename P::element>&);

/// The kernels that every policy has (own kinds of steps come on top: `P::template own<S>`).
template <class P>
concept has_kernels = requires(const operands<typename P::element>& o) {
  P::template input<structure{}>(o);
  P::template convolution<structure{}>(o);
  P::template depthwise<structure{}>(o);
  P::template separable<structure{}>(o);
  P::template batch_norm<structure{}>(o);
  P::template activate<structure{}>(o);
  P::template max_pool<structure{}>(o);
  P::template average_pool<structure{}>(o);
  P::template resize<structure{}>(o);
  P::template add<structure{}>(o);
  P::template scale<structure{}>(o);
  P::template copy<structure{}>(o);
  P::template probabilities<structure{}>(o);
  P::template labels<structure{}>(o);
};

/// Memory that kernels work on. It need not be host memory: the model moves data with upload and download
/// alone and hands addresses to kernels without looking behind them, unless `host_memory` says that it may.
template <class P>
concept has_memory = requires(typename P::buffer& b, const typename P::buffer& c, std::size_t n, void* to,
                              const void* from) {
  { P::host_memory } -> std::convertible_to<bool>;
  { P::allocate(n) } -> std::same_as<typename P::buffer>;  // zeroed; throws std::bad_alloc
  { P::address(c) } -> std::same_as<std::byte*>;           // as kernels see it, aligned to a cache line
  P::upload(b, n, from, n);                                // (buffer, offset in bytes, host address, bytes)
  P::download(c, n, to, n);
};

/// Weights in the layout that the policy's kernels read. Packing happens once, on the host, when weights
/// load; on several threads where the policy also has `parallel(threads, count, f)`, which calls f(i) for every i below
/// `count` and does not return before they are done (see in_parallel). Packed elements of host policies are finite numbers, or
/// the policy has `fits(op, shape in, packed)`, which says whether weights are what they should be.
template <class P>
concept has_packing = requires(const op& o, shape in, const float* kernel, typename P::element* packed,
                               const step& s) {
  { P::packed_elements(o, in) } -> std::same_as<std::int64_t>;
  P::pack(o, in, kernel, packed);
  { P::scratch_bytes(s, in, 1) } -> std::same_as<std::size_t>;  // (step, shape of x, threads)
};

/// A policy: kernels, memory, packing, and a name for messages. It may also have `start(threads)`, called before the first run
/// of a size on so many, and, on host memory, `band_elements(threads)` and `band_pixels(threads)` (plan_options): then kernels
/// also get parts of maps, some rows of x and y with a step whose padding is that of the part; of a resize, operands::rows says
/// where the rows lie.
template <class P>
concept backend = has_kernels<P> && has_memory<P> && has_packing<P> && requires {
  { P::name } -> std::convertible_to<const char*>;
};

/// Calls f(i) for every i below `count`, on the policy's threads if it has such. f does not throw.
template <class P, class F>
void in_parallel(int threads, std::int64_t count, const F& f) {
  if constexpr (P::host_memory && requires { P::parallel(threads, count, f); }) {
    P::parallel(threads, count, f);
  } else {
    for (std::int64_t i = 0; i < count; ++i) f(i);
  }
}

/// The kernel of policy P for one structure.
template <class P, structure S>
constexpr kernel_function<P> kernel_for() {
  constexpr step_kind kind = S.kind;
  if constexpr (kind == step_kind::input)
    return &P::template input<S>;
  else if constexpr (kind == step_kind::convolution)
    return &P::template convolution<S>;
  else if constexpr (kind == step_kind::depthwise)
    return &P::template depthwise<S>;
  else if constexpr (kind == step_kind::separable)
    return &P::template separable<S>;
  else if constexpr (kind == step_kind::batch_norm)
    return &P::template batch_norm<S>;
  else if constexpr (kind == step_kind::activate)
    return &P::template activate<S>;
  else if constexpr (kind == step_kind::max_pool)
    return &P::template max_pool<S>;
  else if constexpr (kind == step_kind::average_pool)
    return &P::template average_pool<S>;
  else if constexpr (kind == step_kind::resize)
    return &P::template resize<S>;
  else if constexpr (kind == step_kind::add)
    return &P::template add<S>;
  else if constexpr (kind == step_kind::scale)
    return &P::template scale<S>;
  else if constexpr (kind == step_kind::copy)
    return &P::template copy<S>;
  else if constexpr (kind == step_kind::probabilities)
    return &P::template probabilities<S>;
  else if constexpr (kind == step_kind::labels)
    return &P::template labels<S>;
  else
    return &P::template own<S>;
}

}  // namespace atrous
