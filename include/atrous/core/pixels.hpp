// SPDX-License-Identifier: MIT
#pragma once
// A user's image where it lies: any row-major uint8 or float buffer, with strides, never copied.
#include <cstddef>
#include <cstdint>

#include <atrous/core/shape.hpp>

namespace atrous {

enum class pixel_type { uint8, float32 };

/// Images of equal extent in the user's memory, interleaved. Strides in elements.
struct pixels_view {
  const void* data = nullptr;
  pixel_type type = pixel_type::uint8;
  int batch = 1, height = 0, width = 0, channels = 3;
  std::ptrdiff_t image = 0, row = 0, pixel = 0;  // from one image, row, pixel to the next

  constexpr pixels_view() = default;
  /// Packed images: no gaps between pixels, rows and images.
  constexpr pixels_view(const std::uint8_t* first, atrous::shape s, int images = 1)
      : pixels_view(first, pixel_type::uint8, s, images) {}
  constexpr pixels_view(const float* first, atrous::shape s, int images = 1)
      : pixels_view(first, pixel_type::float32, s, images) {}

  constexpr atrous::shape shape() const { return {height, width, channels}; }
  constexpr std::size_t element_bytes() const { return type == pixel_type::uint8 ? 1 : sizeof(float); }

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
