// SPDX-License-Identifier: MIT
#pragma once
// A picture in memory, as files hold it and before a network's preprocessing: 8 bits a channel, row by row,
// the channels of a pixel side by side. A label map is an image with one channel.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/weights/printable.hpp>

namespace atrous {

/// An image of height x width pixels; pixel (i, j) starts at pixels[(i * width + j) * channels].
struct image {
  int height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  // (height, width, channels)
};

/// The most pixels (height x width) an image file may hold: 268,435,456, which is 768 MiB of RGB.
inline constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

/// An image of zeros for a file that claims these extents. Throws std::runtime_error, naming the file, before
/// anything is allocated, where they are beyond most_pixels or where `bytes_needed`, the least that a file of
/// this picture must have, is more than the file's `bytes`.
inline image image_for(const std::string& source, std::int64_t height, std::int64_t width, int channels,
                       std::int64_t bytes_needed, std::size_t bytes) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what + std::to_string(width) + "x" +
                             std::to_string(height) + " pixels");
  };
  if (height < 1 || width < 1 || height > most_pixels / width) {
    fail("expected from 1 to " + std::to_string(most_pixels) + " pixels, found ");
  }
  if (bytes_needed > static_cast<std::int64_t>(bytes)) {
    fail("the file ends early: " + std::to_string(bytes) + " bytes cannot hold ");
  }
  image out{static_cast<int>(height), static_cast<int>(width), channels, {}};
  out.pixels.resize(static_cast<std::size_t>(height * width * channels));
  return out;
}

}  // namespace atrous
