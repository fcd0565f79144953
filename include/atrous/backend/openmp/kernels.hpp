// SPDX-License-Identifier: MIT
#pragma once
// All kernels of an element type under one name. Compiling them is most of what the library costs a compiler; a program of
// several files does it once: `extern template struct atrous::cpu::kernels<float>;` in those that run networks,
// `template struct atrous::cpu::kernels<float>;` in one more, built with the same flags. No member is defined inside its
// class: it would be inline, and compiled everywhere all the same.
#include <atrous/backend/openmp/dense.hpp>
#include <atrous/backend/openmp/depthwise.hpp>
#include <atrous/backend/openmp/elementwise.hpp>
#include <atrous/backend/openmp/input.hpp>
#include <atrous/backend/openmp/labels.hpp>
#include <atrous/backend/openmp/numbers.hpp>
#include <atrous/backend/openmp/pooling.hpp>
#include <atrous/backend/openmp/probabilities.hpp>
#include <atrous/backend/openmp/resize.hpp>
#include <atrous/backend/openmp/separable.hpp>

namespace atrous::cpu {

/// What each reads, writes and costs is said where the function of the same name is.
template <class T>
struct kernels {
  using isa = simd::instruction_set;
  static void pack(isa, const op&, shape in, const float* kernel, T* packed);
  static void input(isa, const operands<T>&);
  static void convolution(isa, const operands<T>&, activation after, bool sum, const T* border);
  static void batch_norm(isa, const operands<T>&, activation after);
  static void activate(isa, const operands<T>&, activation after);
  static void max_pool(isa, const operands<T>&);
  static void average_pool(isa, const operands<T>&);
  static void resize(isa, const operands<T>&);
  static void add(isa, const operands<T>&, activation after);
  static void scale(isa, const operands<T>&);
  static void probabilities(isa, const operands<T>&);
  static void labels(isa, const operands<T>&);

  // `before`, through which they load, is none or relu: the planner makes no others.
  static void depthwise(isa, const operands<T>&, activation before, activation after);
  static void separable(isa, const operands<T>&, activation before, activation between, activation after,
                        bool sum);
};

template <class T>
void kernels<T>::pack(isa set, const op& o, shape in, const float* kernel, T* packed) {
  if (o.kind == op_kind::depthwise) {
    stored(kernel, terms_of(o, in), reinterpret_cast<arithmetic<T>*>(packed));
  } else if (winograd_wins(o, in.channels)) {
    winograd::pack(set, o, in.channels, kernel, packed);
  } else if (rounds_to_integers<T>(set, o, in.channels)) {
    pack_integers(set, terms_of(o, in), o.out, kernel, packed);
  } else {
    pack_panels(set, terms_of(o, in), o.out, kernel, packed);
  }
}
template <class T>
void kernels<T>::input(isa set, const operands<T>& o) {
  cpu::input(set, o);
}
template <class T>
void kernels<T>::convolution(isa set, const operands<T>& o, activation after, bool sum, const T* border) {
  cpu::convolution(set, o, after, sum, border);
}
template <class T>
void kernels<T>::batch_norm(isa set, const operands<T>& o, activation after) {
  cpu::batch_norm(set, o, after);
}
template <class T>
void kernels<T>::activate(isa set, const operands<T>& o, activation after) {
  cpu::activate(set, o, after);
}
template <class T>
void kernels<T>::max_pool(isa set, const operands<T>& o) {
  cpu::max_pool(set, o);
}
template <class T>
void kernels<T>::average_pool(isa set, const operands<T>& o) {
  cpu::average_pool(set, o);
}
template <class T>
void kernels<T>::resize(isa set, const operands<T>& o) {
  cpu::resize(set, o);
}
template <class T>
void kernels<T>::add(isa set, const operands<T>& o, activation after) {
  cpu::add(set, o, after);
}
template <class T>
void kernels<T>::scale(isa set, const operands<T>& o) {
  cpu::scale(set, o);
}
template <class T>
void kernels<T>::probabilities(isa set, const operands<T>& o) {
  on_numbers(set, o, [set](const auto& numbers) { cpu::probabilities(set, numbers); });
}
template <class T>
void kernels<T>::labels(isa set, const operands<T>& o) {
  on_numbers(set, o, [set](const auto& numbers) { cpu::labels(set, numbers); });
}

template <class T>
void kernels<T>::depthwise(isa set, const operands<T>& o, activation before, activation after) {
  if (before == activation::none) return cpu::depthwise<activation::none>(set, o, after);
  cpu::depthwise<activation::relu>(set, o, after);
}
template <class T>
void kernels<T>::separable(isa set, const operands<T>& o, activation before, activation between,
                           activation after, bool sum) {
  if (before == activation::none) return cpu::separable<activation::none>(set, o, between, after, sum);
  cpu::separable<activation::relu>(set, o, between, after, sum);
}

}  // namespace atrous::cpu
