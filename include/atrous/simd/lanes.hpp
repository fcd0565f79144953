// SPDX-License-Identifier: MIT
#pragma once
// Vectors of the compilers' own extension: arithmetic, comparison and ?: by lane, no intrinsics. A vector is never
// passed or returned by value, which would depend on the instruction set of both sides; helpers take references.
namespace atrous::simd {

/// `Bytes` of numbers of type T. With Bytes = sizeof(T) there is one lane: the way out where rows are shorter than
/// any vector.
template <class T, int Bytes>
struct lanes {
  static constexpr int width = Bytes / static_cast<int>(sizeof(T));
  typedef T vector __attribute__((vector_size(Bytes)));
  struct anywhere {  // in memory, on any boundary; of a vector type clang would forget that inside a template
    vector value;
  } __attribute__((packed, may_alias));

  /// `at(p).value` reads or writes the vector that begins at p.
  [[gnu::always_inline]] static const anywhere& at(const T* first) {
    return *reinterpret_cast<const anywhere*>(first);
  }
  [[gnu::always_inline]] static anywhere& at(T* first) { return *reinterpret_cast<anywhere*>(first); }

  /// NaN stays NaN.
  [[gnu::always_inline]] static void clamp(vector& x, const vector& low, const vector& high) {
    x = x < low ? low : x;
    x = x > high ? high : x;
  }
};

/// Calls visit(c) for the first channels of vectors that cover 0 ... channels - 1. The last two may overlap, so that
/// nothing beyond the last channel is touched. Rule: channels is at least L::width.
template <class L, class Visit>
[[gnu::always_inline]] inline void each_vector(int channels, const Visit& visit) {
  int c = 0;
  for (; c + L::width <= channels; c += L::width) visit(c);
  if (c < channels) visit(channels - L::width);
}

template <class L, class T>
[[gnu::always_inline]] inline void copy_values(T* to, const T* from, int count) {
  int c = 0;
  for (; c + L::width <= count; c += L::width) L::at(to + c).value = L::at(from + c).value;
  for (; c < count; ++c) to[c] = from[c];
}

template <class L, class T>
[[gnu::always_inline]] inline void fill_values(T* to, T number, int count) {
  const typename L::vector many = number - typename L::vector{};
  int c = 0;
  for (; c + L::width <= count; c += L::width) L::at(to + c).value = many;
  for (; c < count; ++c) to[c] = number;
}

}  // namespace atrous::simd
