// SPDX-License-Identifier: MIT
#pragma once
// One picture seen at several scales, and mirrored: the paper's best results (Chen et al. 2018b, section 4).
// Slower by the sum of the squared scales, twice that with flip: 17 runs' time for the published scales.
#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/model/by_parts.hpp>
#include <atrous/model/picture.hpp>

namespace atrous {

/// Which passes over a picture are averaged.
struct multi_scale_options {
  std::vector<double> scales{0.5, 0.75, 1, 1.25, 1.5, 1.75};
  bool flip = false;   // every scale also with left and right exchanged
  progress on_pass{};  // called before the first pass over a picture and after each
};

/// An extent at another scale: (extent - 1) * scale + 1, rounded down, so that corners stay on corners. Throws
/// std::invalid_argument for a scale that is not positive, or takes the extent beyond most_extent.
inline int scaled_extent(int extent, double scale) {
  const double scaled = (extent - 1.0) * scale + 1;
  if (!(scale > 0) || !(scaled <= most_extent)) {
    throw std::invalid_argument("expected a scale above 0 that takes " + std::to_string(extent) +
                                " pixels to at most 2^20, found " + std::to_string(scale));
  }
  return static_cast<int>(scaled);
}

/// Throws std::invalid_argument where there are no scales, or one is not positive.
inline void check_scales(std::span<const double> scales) {
  if (scales.empty()) throw std::invalid_argument("expected one scale or more, found none");
  for (double scale : scales) static_cast<void>(scaled_extent(1, scale));
}

/// The logits of an image at another scale, on the grid that the network gives there. Throws what `inference` throws, and
/// std::invalid_argument as scaled_extent.
template <backend P>
tensor<float> logits_at_scale(const inference<P>& net, const pixels_view& image, double scale,
                              workspace<P>& w) {
  net.runner().check(image, w);
  const int height = scaled_extent(image.height, scale), width = scaled_extent(image.width, scale);
  if (height == image.height && width == image.width) return net.logits(image, w);
  const tensor<float> picture = resized(image, height, width, net.runner().last_corner(), w.threads);
  return net.logits(pixels_of(picture), w);
}

/// Logits on a finer grid.
template <backend P>
tensor<float> logits_on_grid(const inference<P>& net, const tensor<float>& logits, shape grid,
                             workspace<P>& w) {
  return resized(pixels_of(logits), grid.height, grid.width, net.runner().last_corner(), w.threads);
}

/// `multi_scale slow(net, {.flip = true}); slow.labels(image, workspace)`: the mean of the probabilities of all passes, and
/// its largest. Keeps the logits of a picture's passes, never their resized form. Refers to the network.
template <backend P>
class multi_scale : public by_parts<multi_scale<P>, P> {
 public:
  /// Throws std::invalid_argument without scales, and where one is not positive.
  explicit multi_scale(const inference<P>& net, multi_scale_options options = {})
      : by_parts<multi_scale<P>, P>(net), options_(std::move(options)) {
    check_scales(options_.scales);
  }
  explicit multi_scale(const inference<P>&&, multi_scale_options = {}) = delete;  // it would be gone

 private:
  friend by_parts<multi_scale<P>, P>;

  void merge(const pixels_view& image, shape output, merger& into, workspace<P>& w) const {
    const int passes = static_cast<int>(options_.scales.size()) * (options_.flip ? 2 : 1);
    const corners corner = this->net().runner().last_corner();
    int done = 0;
    report(options_.on_pass, done, passes);
    for (double scale : options_.scales) {
      for (bool mirrored : {false, true}) {
        if (mirrored && !options_.flip) continue;
        merged_part part{.logits = logits_of(mirrored ? image.mirrored() : image, scale, w),
                         .mirrored = mirrored};
        part.down = {part.logits.extent.height, output.height, corner};
        part.across = {part.logits.extent.width, output.width, corner};
        part.row_weights.assign(static_cast<std::size_t>(output.height), 1.0F / static_cast<float>(passes));
        part.column_weights.assign(static_cast<std::size_t>(output.width), 1.0F);
        into.add(std::move(part));
        report(options_.on_pass, ++done, passes);
      }
    }
    into.write_until(output.height);
  }

  // The published code brings logits of scales below 1 to the grid of scale 1 first.
  tensor<float> logits_of(const pixels_view& image, double scale, workspace<P>& w) const {
    tensor<float> logits = logits_at_scale(this->net(), image, scale, w);
    if (scale >= 1) return logits;
    return logits_on_grid(this->net(), logits, this->net().logits_for(image.height, image.width), w);
  }

  multi_scale_options options_;
};

/// How an image pyramid brings its logits together.
enum class merge_method { maximum, average };

/// An image pyramid (`image_pyramid` and `merge_method` of the published code): the logits of every scale, brought to the
/// grid of the largest scale or of scale 1, whichever is finer, and merged: (batch, rows, columns, classes). Throws as
/// logits_at_scale, and without scales.
template <backend P>
tensor<float> pyramid_logits(const inference<P>& net, const pixels_view& image,
                             std::span<const double> scales, merge_method method, workspace<P>& w) {
  check_scales(scales);
  net.runner().check(image, w);
  const double finest = std::max(1.0, *std::max_element(scales.begin(), scales.end()));
  const shape grid = net.logits_for(scaled_extent(image.height, finest), scaled_extent(image.width, finest));
  tensor<float> merged(image.batch, grid);
  for (std::size_t k = 0; k < scales.size(); ++k) {
    const tensor<float> here = logits_on_grid(net, logits_at_scale(net, image, scales[k], w), grid, w);
    for (std::size_t i = 0; i < merged.data.size(); ++i) {
      float& to = merged.data[i];
      to = k == 0                            ? here.data[i]
           : method == merge_method::average ? to + here.data[i]
                                             : std::max(to, here.data[i]);
    }
  }
  if (method == merge_method::average)
    for (float& each : merged.data) each /= static_cast<float>(scales.size());
  return merged;
}

}  // namespace atrous
