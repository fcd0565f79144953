// SPDX-License-Identifier: MIT
#pragma once
// xtensor in and out: images as xtensor arrays without a copy, results as xtensor views of what a model returned.
#include <array>
#include <stdexcept>
#include <string>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include <atrous/core/pixels.hpp>
#include <atrous/core/tensor.hpp>

namespace atrous {

/// An image (height, width, channels) or a batch of them (batch, height, width, channels) of uint8 or float, where it
/// lies: an xtensor container, adaptor or strided view. Throws std::invalid_argument for another rank.
/// The view is good for as long as the array is.
template <class Array>
pixels_view pixels_of(const Array& array) {
  const std::size_t rank = array.dimension();
  if (rank != 3 && rank != 4) {
    throw std::invalid_argument("an image has 3 dimensions, a batch 4, found " + std::to_string(rank));
  }
  const auto extent = [&](std::size_t k) {
    const auto found = static_cast<std::size_t>(array.shape()[k]);
    if (found <= static_cast<std::size_t>(most_extent)) return static_cast<int>(found);
    throw std::invalid_argument("extents of an image must not exceed 2^20, found " + std::to_string(found));
  };
  const auto stride = [&](std::size_t k) { return static_cast<std::ptrdiff_t>(array.strides()[k]); };
  const std::size_t first = rank - 3;
  const bool packed = extent(rank - 1) <= 1 || stride(rank - 1) == 1;
  if (!packed) throw std::invalid_argument("channels of an image must be contiguous");
  pixels_view seen(array.data() + array.data_offset(), {extent(first), extent(first + 1), extent(first + 2)});
  seen.row = stride(first);
  seen.pixel = stride(first + 1);
  if (rank == 4) {
    seen.batch = extent(0);
    seen.image = stride(0);
  }
  return seen;
}

/// What a model returned as an xtensor array (batch, height, width, channels) over the same memory; `Tensor` is a
/// tensor<T> or a const one.
template <class Tensor>
auto xtensor_of(Tensor& t) {
  const std::array<std::size_t, 4> extents{
      static_cast<std::size_t>(t.batch), static_cast<std::size_t>(t.extent.height),
      static_cast<std::size_t>(t.extent.width), static_cast<std::size_t>(t.extent.channels)};
  return xt::adapt(t.data, extents);
}

}  // namespace atrous
