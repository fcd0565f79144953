// SPDX-License-Identifier: MIT
#pragma once
// PASCAL VOC: its classes, and its rule that gives any index a colour of its own.
#include <array>
#include <cstdint>
#include <string_view>

#include <atrous/data/palettes/colour.hpp>

namespace atrous {

/// Names by index.
inline constexpr std::array<std::string_view, 21> voc_classes{
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

/// The colour of an index, by the rule of the VOC development kit: its bits, three at a time, go to red,
/// green and blue from their highest bit down. Distinct for all indices below 2^24.
constexpr colour voc_colour(std::uint32_t index) {
  std::uint32_t red = 0, green = 0, blue = 0;
  for (int bit = 7; bit >= 0; --bit, index >>= 3) {
    red |= (index & 1u) << bit;
    green |= (index >> 1 & 1u) << bit;
    blue |= (index >> 2 & 1u) << bit;
  }
  return {static_cast<std::uint8_t>(red), static_cast<std::uint8_t>(green), static_cast<std::uint8_t>(blue)};
}

}  // namespace atrous
