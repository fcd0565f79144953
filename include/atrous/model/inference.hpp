// SPDX-License-Identifier: MIT
#pragma once
// What users call, whichever way the network came about: labels, probabilities and logits of images.
#include <atrous/model/engine.hpp>

namespace atrous {

/// The interface that `model` and `runtime_model` share. Const while it runs: threads share one, each with a workspace of
/// its own.
///
/// Everything here throws std::invalid_argument for an empty image, another number of channels than the network's, an
/// extent at which a rule of the network breaks, memory of the wrong extents, labels of more than 256 classes and
/// impossible counts of threads; std::bad_alloc without memory; `cancelled` where the workspace's on_step says so.
template <backend P>
class inference {
 public:
  using policy = P;

  /// The class of every pixel: (batch, height, width, 1).
  tensor<std::uint8_t> labels(const pixels_view& image, workspace<P>& w) const {
    const plan& p = engine_.prepare_for(image, w);
    tensor<std::uint8_t> made(image.batch, {p.output.height, p.output.width, 1});
    engine_.run(image, {.labels = made.view()}, w);
    return made;
  }
  tensor<std::uint8_t> labels(const pixels_view& image) const {
    workspace<P> w;
    return labels(image, w);
  }

  /// The probability of every class at every pixel, softmax of the resized scores: (batch, height, width, classes).
  tensor<float> probabilities(const pixels_view& image, workspace<P>& w) const {
    const plan& p = engine_.prepare_for(image, w);
    tensor<float> made(image.batch, p.output);
    engine_.run(image, {.probabilities = made.view()}, w);
    return made;
  }
  tensor<float> probabilities(const pixels_view& image) const {
    workspace<P> w;
    return probabilities(image, w);
  }

  /// Class scores as they enter the last resize: (batch, rows, columns, classes).
  tensor<float> logits(const pixels_view& image, workspace<P>& w) const {
    const plan& p = engine_.prepare_for(image, w);
    tensor<float> made(image.batch, p.values[static_cast<std::size_t>(p.logits)].extent);
    engine_.run(image, {.logits = made.view()}, w);
    return made;
  }
  tensor<float> logits(const pixels_view& image) const {
    workspace<P> w;
    return logits(image, w);
  }

  /// Into the user's memory, of the extents below; what has no data is not computed. Allocates nothing after the first
  /// run of a size on as many threads.
  void run(const pixels_view& image, const results& out, workspace<P>& w) const {
    engine_.run(image, out, w);
  }

  /// height x width x classes of probabilities (and with one channel of labels) for an image of this extent.
  shape output_for(int height, int width) const { return engine_.output_for(height, width); }
  /// rows x columns x classes of its logits.
  shape logits_for(int height, int width) const { return engine_.logits_for(height, width); }

  /// Plans, takes memory and starts threads for a size and w.threads, so that the first run is like every other (where a
  /// policy's memory is not the host's, that run still takes the buffers that images and results pass through). Returns the
  /// plan, which lives until the workspace meets another model or `sizes_kept` other sizes.
  const plan& prepare(workspace<P>& w, int height, int width, int batch = 1) const {
    return engine_.prepare(w, height, width, batch);
  }

  const engine<P>& runner() const { return engine_; }

 protected:
  explicit inference(engine<P> e) : engine_(std::move(e)) {}

 private:
  engine<P> engine_;
};

}  // namespace atrous
