// SPDX-License-Identifier: MIT
#pragma once
// Feature maps stored in another type than they are computed in, for kernels that read a map several times.
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// Bytes at the beginning of the scratch that the numbers of an image take; none where they are stored as numbers.
template <class T>
[[gnu::always_inline]] constexpr std::size_t numbers_bytes(shape x) {
  if (std::is_same_v<T, arithmetic<T>>) return 0;
  constexpr std::size_t line = 64;
  const auto count = static_cast<std::size_t>(pixels(x)) * static_cast<std::size_t>(x.channels);
  return (count * sizeof(arithmetic<T>) + line - 1) / line * line;
}

/// Rows as numbers.
///
///   reads   from (rows, count)
///   writes  to (rows, count)
///   cost    a copy
template <class T>
struct converted_rows {
  const T* from = nullptr;
  std::ptrdiff_t from_row = 0;
  std::int64_t rows = 1;
  int count = 0;
  arithmetic<T>* to = nullptr;
  std::ptrdiff_t to_row = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    for (std::int64_t i = 0; i < rows; ++i)
      simd::copy_values<simd::lanes<T, Isa::bytes>>(to + i * to_row, from + i * from_row, count);
  }
};

/// Calls `kernel` with the operands of one image after the other, x as numbers, which lie in the scratch.
template <class T, class Kernel>
void on_numbers(simd::instruction_set set, const operands<T>& o, const Kernel& kernel) {
  if constexpr (std::is_same_v<T, arithmetic<T>>) {
    kernel(o);
  } else {
    auto* numbers = reinterpret_cast<arithmetic<T>*>(o.scratch.data());
    const auto image_of = [](const auto& all, int n) {
      auto one = all;
      if (one.data != nullptr) one.data = all.at(n, 0, 0), one.batch = 1;
      return one;
    };
    for (int n = 0; n < o.x.batch; ++n) {
      const view<const T> x = image_of(o.x, n);
      const blocks parts = cut(x.pixels(), x.width, 1, o.threads);
      parallel_for(o.threads, parts.count, [&](std::int64_t k, int) {
        const std::int64_t first = parts.begin(k);
        simd::dispatch(set, converted_rows<T>{x.at(first), x.pixel, parts.end(k) - first, x.channels,
                                              numbers + first * x.channels, x.channels});
      });
      operands<arithmetic<T>> made;
      made.run = o.run;
      made.x = view<const arithmetic<T>>(numbers, 1, x.shape());
      made.probabilities = image_of(o.probabilities, n);
      made.labels = image_of(o.labels, n);
      made.scratch = o.scratch.subspan(numbers_bytes<T>(x.shape()));
      made.threads = o.threads;
      kernel(made);
    }
  }
}

}  // namespace atrous::cpu
