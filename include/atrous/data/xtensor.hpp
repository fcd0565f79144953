// SPDX-License-Identifier: MIT
#pragma once
// xtensor in and out: images as xtensor arrays without a copy, results as xtensor views of what a model returned, or
// written straight into an xtensor array.
#include <array>
#include <stdexcept>
#include <string>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include <atrous/core/pixels.hpp>
#include <atrous/core/tensor.hpp>

namespace atrous {

/// What has a rank, as xtensor's arrays have; others, a cv::Mat say, have functions of these names of their own.
template <class Array>
concept has_dimension = requires(const Array& array) {
  array.dimension();
};

/// An extent of an xtensor array. Throws std::invalid_argument beyond most_extent.
template <class Array>
int extent_of(const Array& array, std::size_t k) {
  const auto found = static_cast<std::size_t>(array.shape()[k]);
  if (found <= static_cast<std::size_t>(most_extent)) return static_cast<int>(found);
  throw std::invalid_argument("extents of an image must not exceed 2^20, found " + std::to_string(found));
}

/// An image (height, width, channels) or a batch of them (batch, height, width, channels) of uint8 or float, where it
/// lies: an xtensor container, adaptor or strided view, channels as the network's. Throws std::invalid_argument for
/// another rank. The view is good for as long as the array is.
template <has_dimension Array>
pixels_view pixels_of(const Array& array) {
  const std::size_t rank = array.dimension();
  if (rank != 3 && rank != 4) {
    throw std::invalid_argument("an image has 3 dimensions, a batch 4, found " + std::to_string(rank));
  }
  const auto stride = [&](std::size_t k) { return static_cast<std::ptrdiff_t>(array.strides()[k]); };
  const std::size_t first = rank - 3;
  pixels_view seen(array.data() + array.data_offset(),
                   {extent_of(array, first), extent_of(array, first + 1), extent_of(array, first + 2)});
  seen.row = stride(first);
  seen.pixel = stride(first + 1);
  seen.channel = stride(first + 2);
  if (rank == 4) {
    seen.batch = extent_of(array, 0);
    seen.image = stride(0);
  }
  return seen;
}

/// Room for results in an xtensor array (batch, height, width, channels) or view of one: what `results` takes. Throws
/// std::invalid_argument for another rank or where something lies between the pixels' rows.
template <has_dimension Array>
auto room_in(Array& array) {
  if (array.dimension() != 4)
    throw std::invalid_argument("room for results has 4 dimensions, found " +
                                std::to_string(array.dimension()));
  const int batch = extent_of(array, 0), height = extent_of(array, 1), width = extent_of(array, 2),
            channels = extent_of(array, 3);
  const auto stride = [&](std::size_t k) { return static_cast<std::int64_t>(array.strides()[k]); };
  // xtensor gives an axis of one element the stride 0
  const std::int64_t pixel = width > 1    ? stride(2)
                             : height > 1 ? stride(1)
                             : batch > 1  ? stride(0)
                                          : channels;
  const bool packed = (channels == 1 || stride(3) == 1) && (height == 1 || stride(1) == pixel * width) &&
                      (batch == 1 || stride(0) == pixel * width * height);
  if (!packed)
    throw std::invalid_argument("room for results must have no gaps between rows and between channels");
  auto* data = array.data() + array.data_offset();
  return view<std::remove_reference_t<decltype(*data)>>(data, batch, {height, width, channels}, pixel);
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
