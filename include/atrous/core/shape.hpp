// SPDX-License-Identifier: MIT
#pragma once
// The extents of one feature map. The batch is not part of a shape: a network is described for one image and
// runs on any number of them.
#include <cstdint>
#include <string>

namespace atrous {

/// Height x width x channels of one feature map, in elements. Row-major, channels innermost (NHWC).
struct shape {
  int height = 0, width = 0, channels = 0;
  friend constexpr bool operator==(const shape&, const shape&) = default;
};

/// a * b, or 2^52 where it is more: counts of what no machine could run stay numbers.
constexpr std::int64_t bounded_product(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t most = std::int64_t{1} << 52;
  return b > 0 && a > most / b ? most : a * b;
}

/// Height x width, and height x width x channels.
constexpr std::int64_t pixels(shape s) { return std::int64_t{s.height} * s.width; }
constexpr std::int64_t elements(shape s) { return bounded_product(pixels(s), s.channels); }
constexpr bool same_extent(shape a, shape b) { return a.height == b.height && a.width == b.width; }

/// Limits within which no arithmetic on shapes overflows; far beyond any image and any memory.
inline constexpr int most_extent = 1 << 20;
inline constexpr std::int64_t most_elements = std::int64_t{1} << 36;

/// Whether a shape obeys both limits.
constexpr bool within_limits(shape s) {
  return s.height <= most_extent && s.width <= most_extent && s.channels <= most_extent &&
         elements(s) <= most_elements;
}

/// Samples 0, stride, 2 stride, ... of an extent: ceil(extent / stride), which is also the authors'
/// scale_dimension(extent, 1 / stride) (513 -> 129 at 4, 33 at 16).
constexpr int strided(int extent, int stride) { return (extent - 1) / stride + 1; }

/// "129x129x256", as messages spell a shape.
inline std::string text_of(shape s) {
  return std::to_string(s.height) + "x" + std::to_string(s.width) + "x" + std::to_string(s.channels);
}

}  // namespace atrous
