// SPDX-License-Identifier: MIT
#pragma once
// A user's image where it lies: any uint8 or float buffer with strides, never copied. Orders of channels, regions,
// planes and mirrored images are strides, too.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <atrous/core/shape.hpp>

namespace atrous {

/// What one channel of a pixel is stored as.
enum class pixel_type { uint8, float32 };

/// What lies in the channels of a pixel of a picture.
enum class pixel_order { rgb, bgr, rgba, bgra, grey };

/// Numbers that a pixel takes in memory.
constexpr int channels_in(pixel_order order) {
  return order == pixel_order::grey ? 1 : order == pixel_order::rgb || order == pixel_order::bgr ? 3 : 4;
}

/// Images of equal extent in the user's memory, as a network sees them. Strides in elements; they may be negative.
struct pixels_view {
  const void* data = nullptr;  // the first channel of the first pixel
  pixel_type type = pixel_type::uint8;
  int batch = 1, height = 0, width = 0, channels = 3;
  std::ptrdiff_t image = 0, row = 0, pixel = 0, channel = 1;  // from one to the next

  constexpr pixels_view() = default;
  /// Packed images: no gaps between pixels, rows and images; channels are the network's.
  constexpr pixels_view(const std::uint8_t* first, atrous::shape s, int images = 1)
      : pixels_view(first, pixel_type::uint8, s, images) {}
  constexpr pixels_view(const float* first, atrous::shape s, int images = 1)
      : pixels_view(first, pixel_type::float32, s, images) {}

  /// Pictures for a network of three channels, red first: alpha is left out, grey is seen three times. `row_stride` is
  /// the number of elements from one row to the next, 0 if there is no gap; between images there is none.
  template <class T>
  static constexpr pixels_view picture(pixel_order order, const T* first, int rows, int columns,
                                       std::ptrdiff_t row_stride = 0, int images = 1) {
    const int stored = channels_in(order);
    const bool backwards = order == pixel_order::bgr || order == pixel_order::bgra;
    pixels_view seen(backwards && first != nullptr ? first + 2 : first, {rows, columns, 3}, images);
    seen.pixel = stored;
    seen.channel = order == pixel_order::grey ? 0 : backwards ? -1 : 1;
    seen.row = row_stride != 0 ? row_stride : std::ptrdiff_t{columns} * stored;
    seen.image = rows * seen.row;
    return seen;
  }

  /// Packed planes: (batch, channels, height, width), as PyTorch has them.
  template <class T>
  static constexpr pixels_view planes(const T* first, atrous::shape s, int images = 1) {
    pixels_view seen(first, s, images);
    seen.row = s.width;
    seen.pixel = 1;
    seen.channel = std::ptrdiff_t{s.height} * s.width;
    return seen;
  }

  /// Rows [top, top + rows) and columns [left, left + columns). Throws std::invalid_argument where these are not in the
  /// image.
  pixels_view region(int top, int left, int rows, int columns) const {
    if (top < 0 || left < 0 || rows < 1 || columns < 1 || top > height - rows || left > width - columns) {
      throw std::invalid_argument("a region of " + std::to_string(rows) + "x" + std::to_string(columns) +
                                  " at row " + std::to_string(top) + ", column " + std::to_string(left) +
                                  " is not in an image of " + std::to_string(height) + "x" +
                                  std::to_string(width));
    }
    pixels_view part = *this;
    part.data = address(top * row + left * pixel);
    part.height = rows;
    part.width = columns;
    return part;
  }

  /// Left and right exchanged.
  pixels_view mirrored() const {
    pixels_view seen = *this;
    if (width > 0) seen.data = address((width - 1) * pixel);
    seen.pixel = -pixel;
    return seen;
  }

  constexpr atrous::shape shape() const { return {height, width, channels}; }
  constexpr std::size_t element_bytes() const { return type == pixel_type::uint8 ? 1 : sizeof(float); }

  /// Where the element lies that is so many elements behind the first.
  const std::byte* address(std::ptrdiff_t elements) const {
    return static_cast<const std::byte*>(data) + elements * static_cast<std::ptrdiff_t>(element_bytes());
  }
  /// Channel c of pixel (row i, column j) of image n.
  float at(int n, int i, int j, int c) const {
    const std::ptrdiff_t place = n * image + i * row + j * pixel + c * channel;
    return type == pixel_type::uint8 ? static_cast<float>(static_cast<const std::uint8_t*>(data)[place])
                                     : static_cast<const float*>(data)[place];
  }

 private:
  constexpr pixels_view(const void* first, pixel_type kind, atrous::shape s, int images)
      : data(first),
        type(kind),
        batch(images),
        height(s.height),
        width(s.width),
        channels(s.channels),
        image(static_cast<std::ptrdiff_t>(elements(s))),
        row(std::ptrdiff_t{s.width} * s.channels),
        pixel(s.channels) {}
};

}  // namespace atrous
