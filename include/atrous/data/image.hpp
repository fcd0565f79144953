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

/// Throws std::runtime_error, naming the file, where a picture it holds would have no or more than most_pixels.
inline void require_pixels_within_limit(const std::string& source, std::int64_t height, std::int64_t width) {
  if (height >= 1 && width >= 1 && height <= most_pixels / width) return;
  throw std::runtime_error(printable_path(source) + ": expected from 1 to " + std::to_string(most_pixels) +
                           " pixels, found " + std::to_string(height) + "x" + std::to_string(width) +
                           " pixels");
}

/// An image of zeros for a file that claims these extents. Throws std::runtime_error, naming the file, before
/// anything is allocated, where they are beyond most_pixels or where `bytes_needed`, the least that a file of
/// this picture must have, is more than the file's `bytes`.
inline image image_for(const std::string& source, std::int64_t height, std::int64_t width, int channels,
                       std::int64_t bytes_needed, std::size_t bytes) {
  require_pixels_within_limit(source, height, width);
  if (bytes_needed > static_cast<std::int64_t>(bytes)) {
    throw std::runtime_error(printable_path(source) + ": the file ends early: expected at least " +
                             std::to_string(bytes_needed) + " bytes for " + std::to_string(height) + "x" +
                             std::to_string(width) + " pixels, found " + std::to_string(bytes));
  }
  image out{static_cast<int>(height), static_cast<int>(width), channels, {}};
  out.pixels.resize(static_cast<std::size_t>(height * width * channels));
  return out;
}

/// Throws std::invalid_argument where `picture`, called `name` in the message, has no pixels, other than this
/// many channels, or not the bytes that its extents ask for.
inline void require_image(const image& picture, int channels, const std::string& name) {
  const auto& [height, width, found, pixels] = picture;
  if (height >= 1 && width >= 1 && found == channels && height <= most_pixels / width &&
      pixels.size() == static_cast<std::size_t>(height) * width * channels) {
    return;
  }
  throw std::invalid_argument(name + ": expected height x width x " + std::to_string(channels) +
                              " bytes, found " + std::to_string(height) + "x" + std::to_string(width) + "x" +
                              std::to_string(found) + " and " + std::to_string(pixels.size()) + " bytes");
}

}  // namespace atrous
