// SPDX-License-Identifier: MIT
#pragma once
// What `multi_scale` and `tiled` share: the interface of `inference`, answered by several runs of it.
#include <stdexcept>

#include <atrous/model/inference.hpp>
#include <atrous/model/merged.hpp>

namespace atrous {

/// `Derived` has `void merge(const pixels_view& one_image, shape output, merger& into, workspace<P>& w) const`. Throws what
/// `inference` throws, and std::invalid_argument where logits are asked for.
template <class Derived, backend P>
class by_parts {
 public:
  /// The class with the largest probability at every pixel: (batch, height, width, 1).
  tensor<std::uint8_t> labels(const pixels_view& image, workspace<P>& w) const {
    const shape out = output(image, w);
    tensor<std::uint8_t> made(image.batch, {out.height, out.width, 1});
    run(image, {.labels = made.view()}, w);
    return made;
  }
  tensor<std::uint8_t> labels(const pixels_view& image) const {
    workspace<P> w;
    return labels(image, w);
  }

  /// The mean probabilities: (batch, height, width, classes).
  tensor<float> probabilities(const pixels_view& image, workspace<P>& w) const {
    tensor<float> made(image.batch, output(image, w));
    run(image, {.probabilities = made.view()}, w);
    return made;
  }
  tensor<float> probabilities(const pixels_view& image) const {
    workspace<P> w;
    return probabilities(image, w);
  }

  /// Into the user's memory: labels, probabilities or both.
  void run(const pixels_view& image, const results& out, workspace<P>& w) const {
    const shape whole = output(image, w);
    if (out.logits.data != nullptr)
      throw std::invalid_argument("several runs give labels and probabilities, found memory for logits");
    check_results(whole, image.batch, out);
    for (int n = 0; n < image.batch; ++n) {
      pixels_view one = image;
      one.data = image.address(n * image.image);
      one.batch = 1;
      merger into(out, n, whole, w.threads);
      static_cast<const Derived*>(this)->merge(one, whole, into, w);
    }
  }

 protected:
  explicit by_parts(const inference<P>& net) : net_(&net) {}

  const inference<P>& net() const { return *net_; }

 private:
  shape output(const pixels_view& image, const workspace<P>& w) const {
    net_->runner().check(image, w);
    return net_->output_for(image.height, image.width);
  }

  const inference<P>* net_;
};

}  // namespace atrous
