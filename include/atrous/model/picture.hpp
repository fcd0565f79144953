// SPDX-License-Identifier: MIT
#pragma once
// Pictures made of pictures before a network sees them, in float32 and by the formulas of the published code.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/backend/openmp/parallel.hpp>
#include <atrous/core/pixels.hpp>
#include <atrous/core/tensor.hpp>
#include <atrous/graph/graph.hpp>
#include <atrous/graph/sampling.hpp>

namespace atrous {

/// Feature maps as images.
inline pixels_view pixels_of(const tensor<float>& t) { return {t.data.data(), t.extent, t.batch}; }

/// Throws std::invalid_argument for an extent below 1, of an image or of what is made of it.
inline void check_extents(const pixels_view& image, int height, int width) {
  if (image.batch > 0 && image.height > 0 && image.width > 0 && height > 0 && width > 0) return;
  throw std::invalid_argument("expected an image and extents of at least one pixel, found " +
                              text_of(image.shape()) + " and " + std::to_string(height) + "x" +
                              std::to_string(width));
}

/// Bilinear resize of images: (batch, height, width, channels). Throws std::invalid_argument for extents below 1.
inline tensor<float> resized(const pixels_view& image, int height, int width,
                             corners corner = corners::aligned, int threads = 1) {
  check_extents(image, height, width);
  tensor<float> made(image.batch, {height, width, image.channels});
  const view<float> to = made.view();
  std::vector<sample> columns;
  for (int j = 0; j < width; ++j) columns.push_back(sample_at(j, image.width, width, corner));
  cpu::parallel_for(threads, std::int64_t{image.batch} * height, [&](std::int64_t k, int) {
    const int n = static_cast<int>(k / height), i = static_cast<int>(k % height);
    const sample row = sample_at(i, image.height, height, corner);
    for (int j = 0; j < width; ++j) {
      const sample& column = columns[static_cast<std::size_t>(j)];
      for (int c = 0; c < image.channels; ++c) {
        const auto across = [&](int line) {
          return between(image.at(n, line, column.low, c), image.at(n, line, column.high, c),
                         column.fraction);
        };
        to.at(n, i, j)[c] = between(across(row.low), across(row.high), row.fraction);
      }
    }
  });
  return made;
}

/// The pixel that a network's normalisation takes to zero, one number a channel: what the published code pads images
/// with. Zeros where the network does not normalise its image.
inline std::vector<float> mean_pixel(graph_view g) {
  std::vector<float> mean(static_cast<std::size_t>(g.image().channels), 0.0F);
  for (const node& n : g.nodes) {
    if (n.what.kind != op_kind::normalise) continue;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      const std::size_t k = c < 3 ? c : 3;
      mean[c] = n.what.factors[k] == 0 ? 0 : -n.what.offsets[k] / n.what.factors[k];
    }
    break;
  }
  return mean;
}

/// Images with `pixel` at the right and at the bottom: (batch, height, width, channels). Throws std::invalid_argument
/// where the images are larger than that, or empty.
inline tensor<float> padded(const pixels_view& image, int height, int width,
                            const std::vector<float>& pixel) {
  check_extents(image, height, width);
  if (image.height > height || image.width > width ||
      pixel.size() != static_cast<std::size_t>(image.channels)) {
    throw std::invalid_argument("expected an image of at most " +
                                text_of(shape{height, width, static_cast<int>(pixel.size())}) +
                                " to pad, found " + text_of(image.shape()));
  }
  tensor<float> made(image.batch, {height, width, image.channels});
  const view<float> to = made.view();
  for (int n = 0; n < image.batch; ++n)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width; ++j)
        for (int c = 0; c < image.channels; ++c) {
          const bool inside = i < image.height && j < image.width;
          to.at(n, i, j)[c] = inside ? image.at(n, i, j, c) : pixel[static_cast<std::size_t>(c)];
        }
  return made;
}

}  // namespace atrous
