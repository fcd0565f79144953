// SPDX-License-Identifier: MIT
#pragma once
// Parts of pictures as inputs, and how far two feature maps lie apart.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/core/pixels.hpp>
#include <atrous/core/tensor.hpp>
#include <atrous/data/image.hpp>
#include <atrous/weights/stored_tensor.hpp>

/// Rows [top, top + height) and columns [left, left + width) of a picture.
struct crop {
  int height = 0, width = 0, top = 0, left = 0;

  crop(int rows, int columns, int first_row = 0, int first_column = 0)
      : height(rows), width(columns), top(first_row), left(first_column) {}
  /// "97x129+200+150", as the keys of recorded values begin; without offsets from 0, 0.
  explicit crop(const std::string& text) {
    const int read = std::sscanf(text.c_str(), "%dx%d+%d+%d", &height, &width, &top, &left);
    if (read != 2 && read != 4) throw std::invalid_argument("no crop: " + text);
  }

  /// Where it lies in the picture; nothing is copied.
  atrous::pixels_view of(const atrous::image& whole) const {
    if (top + height > whole.height || left + width > whole.width) throw std::out_of_range("crop");
    atrous::pixels_view part(whole.pixels.data(), {whole.height, whole.width, whole.channels});
    part.data = whole.pixels.data() + top * part.row + left * part.pixel;
    part.height = height;
    part.width = width;
    return part;
  }
};

inline atrous::pixels_view all_of(const atrous::image& whole) {
  return crop(whole.height, whole.width).of(whole);
}

/// A picture that needs no file: smooth colours with some noise, different for every `kind`.
inline atrous::image made_picture(int height, int width, int channels = 3, int kind = 0) {
  atrous::image made{height, width, channels, {}};
  for (int i = 0; i < height; ++i) {
    for (int j = 0; j < width; ++j) {
      for (int c = 0; c < channels; ++c) {
        const auto noise = static_cast<unsigned>(i * 7919 + j * 10473 + c * 12997 + kind * 15487) >> 3;
        const auto smooth = static_cast<unsigned>(i * 3 + j * 2 + c * 50 + kind * 31);
        made.pixels.push_back(static_cast<std::uint8_t>((smooth + noise % 61) & 255U));
      }
    }
  }
  return made;
}

/// Largest difference over the largest expected number; infinite for other extents, NaN for NaN.
inline double relative_error(const atrous::tensor<float>& found, std::span<const float> expected) {
  if (found.data.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double{found.data[i]} - expected[i]);
    if (!(difference <= worst)) worst = difference;
    largest = std::max(largest, std::abs(double{expected[i]}));
  }
  return worst / largest;
}

inline double relative_error(const atrous::tensor<float>& found, const atrous::stored_tensor& expected) {
  const auto size = [&](std::size_t from_the_end) {
    return expected.shape.size() < from_the_end ? 1 : expected.shape[expected.shape.size() - from_the_end];
  };
  const atrous::shape s = found.extent;
  if (size(3) != s.height || size(2) != s.width || size(1) != s.channels)
    return std::numeric_limits<double>::infinity();
  std::vector<float> numbers(expected.elements());
  read_floats(expected, numbers);
  return relative_error(found, numbers);
}

inline double relative_error(const atrous::tensor<float>& found, const atrous::tensor<float>& expected) {
  return found.extent == expected.extent ? relative_error(found, std::span<const float>(expected.data))
                                         : std::numeric_limits<double>::infinity();
}
