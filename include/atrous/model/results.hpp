// SPDX-License-Identifier: MIT
#pragma once
// What a run is asked for, in the user's memory.
#include <cstdint>
#include <stdexcept>
#include <string>

#include <atrous/core/pixels.hpp>
#include <atrous/core/view.hpp>
#include <atrous/graph/mistake.hpp>
#include <atrous/plan/plan.hpp>

namespace atrous {

/// What a run gives, batch first; a view without data is not wanted, and then not computed.
struct results {
  view<std::uint8_t> labels{};  // (batch, height, width, 1): the class of every pixel of the network's output
  view<float> logits{};         // (batch, rows, columns, classes): scores as they enter the last resize
  view<float> probabilities{};  // (batch, height, width, classes): softmax of the resized scores
};

/// Throws std::invalid_argument where `image` is empty or has other channels than the network's image.
inline void check_image(const pixels_view& image, shape network) {
  if (image.data == nullptr || image.batch < 1 || image.height < 1 || image.width < 1) {
    throw std::invalid_argument("image must not be empty: " + std::to_string(image.batch) + " of " +
                                text_of(image.shape()));
  }
  if (image.channels != network.channels) {
    throw std::invalid_argument("image has " + std::to_string(image.channels) +
                                " channels, the network expects " + std::to_string(network.channels));
  }
}

/// Throws std::invalid_argument where `given` has data, but no room for that.
template <class T>
void check_room(const char* what, const view<T>& given, shape expected, int batch) {
  if (given.data == nullptr) return;
  if (given.pixel < given.channels) {
    throw std::invalid_argument(std::string(what) + ": pixels are " + std::to_string(given.pixel) +
                                " elements apart, expected at least " + std::to_string(given.channels));
  }
  if (given.shape() == expected && given.batch == batch) return;
  throw std::invalid_argument(std::string(what) + ": room for " + std::to_string(given.batch) + " of " +
                              text_of(given.shape()) + ", the network gives " + std::to_string(batch) +
                              " of " + text_of(expected));
}

/// Throws std::invalid_argument where there is no room for labels and probabilities of a network's `output`.
inline void check_results(shape output, int batch, const results& out) {
  if (out.labels.data != nullptr && output.channels > 256)
    throw std::invalid_argument("labels need at most 256 classes, the network gives " + text_of(output));
  check_room("labels", out.labels, {output.height, output.width, 1}, batch);
  check_room("probabilities", out.probabilities, output, batch);
}

/// Throws std::invalid_argument where a plan does not give these results.
inline void check_results(const plan& p, const results& out) {
  check_room("logits", out.logits, p.values[static_cast<std::size_t>(p.logits)].extent, p.batch);
  check_results(p.output, p.batch, out);
}

}  // namespace atrous
