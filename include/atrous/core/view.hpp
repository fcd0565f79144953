// SPDX-License-Identifier: MIT
#pragma once
// What a kernel sees of a tensor: a pointer and strides, never ownership. A pixel stride above the number of
// channels lets a producer write straight into its slice of a concatenation.
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <atrous/core/shape.hpp>

namespace atrous {

/// `batch` feature maps, NHWC. Channels are contiguous; `pixel` elements lie between neighbours in a row,
/// rows follow each other without a gap, and so do images.
template <class T>
struct view {
  T* data = nullptr;
  int batch = 0, height = 0, width = 0, channels = 0;
  std::int64_t pixel = 0;  // elements from one pixel to the next, at least `channels`

  constexpr view() = default;
  constexpr view(T* first, int images, atrous::shape s, std::int64_t pitch)
      : data(first), batch(images), height(s.height), width(s.width), channels(s.channels), pixel(pitch) {}
  constexpr view(T* first, int images, atrous::shape s) : view(first, images, s, s.channels) {}

  /// What may be written may be read.
  template <class U>
  requires std::is_same_v<const U, T>
  constexpr view(const view<U>& other) : view(other.data, other.batch, other.shape(), other.pixel) {}

  constexpr atrous::shape shape() const { return {height, width, channels}; }
  constexpr std::int64_t pixels() const { return std::int64_t{batch} * height * width; }  // of all images

  /// The first channel of pixel (row i, column j) of image n.
  constexpr T* at(int n, int i, int j) const {
    return data + ((std::int64_t{n} * height + i) * width + j) * pixel;
  }
  /// The first channel of the p-th pixel, all images counted through.
  constexpr T* at(std::int64_t p) const { return data + p * pixel; }
};

}  // namespace atrous
