// SPDX-License-Identifier: MIT
#pragma once
// What a kernel is given: addresses in the policy's memory, and the step with its values. Kernels do not
// throw, do not allocate and do not look at anything else.
#include <cstddef>
#include <cstdint>
#include <span>

#include <atrous/core/pixels.hpp>
#include <atrous/core/view.hpp>
#include <atrous/graph/sampling.hpp>
#include <atrous/plan/step.hpp>

namespace atrous {

/// Arrays of one layer, each at the beginning of a cache line and padded with zeros to whole cache lines. A bias that an image has of its own
/// (step::bias) is a pixel of a map: on any boundary, and nothing is behind it.
template <class T>
struct layer_weights {
  const T* kernel = nullptr;  // as the policy packed it; of a batch norm: scale (C)
  const T* bias = nullptr;    // (channels out), zeros if the layer has none; of a batch norm: shift (C)
  const T* border = nullptr;  // (C), where the padding has a value per channel
};

/// `T` is the element type of feature maps and weights.
template <class T>
struct operands {
  const step* run = nullptr;
  view<const T> x{};                 // (batch, height, width, C)
  view<const T> other{};             // the second term of a sum; the factors (1 x 1 x C) of a scale
  view<T> y{};                       // (batch, height, width, channels out)
  pixels_view image{};               // of the input step
  view<float> probabilities{};       // of the probabilities step: (batch, rows, columns, classes)
  view<std::uint8_t> labels{};       // of the labels step: (batch, rows, columns, 1)
  layer_weights<T> weights{};        // of run->what
  layer_weights<T> first_weights{};  // of run->first, in a separable step
  resized_axis rows{};  // of a resize on bands of rows: those of x and y in the whole maps; in = 0: all
  std::span<std::byte> scratch{};  // as many bytes as the policy asked for, shared by all threads
  int threads = 1;
};

}  // namespace atrous
