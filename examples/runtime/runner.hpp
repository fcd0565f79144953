// SPDX-License-Identifier: MIT
#pragma once
// A network with weights behind one policy, chosen by name when the program runs.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <atrous/core/pixels.hpp>
#include <atrous/core/progress.hpp>
#include <atrous/core/tensor.hpp>
#include <atrous/graph/graph.hpp>
#include <atrous/networks/options.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace programs {

/// How an image is looked at: once, at several scales, mirrored as well, or in tiles.
struct manner {
  bool multi_scale = false, flip = false;
  int tile = 0;                   // height and width of a tile; 0: the image as a whole
  atrous::progress on_part = {};  // of an image that is looked at more than once
};

class runner {
 public:
  virtual ~runner() = default;

  /// One image -> the class of every pixel: (1, height, width, 1).
  virtual void run(const atrous::pixels_view& image, const atrous::view<std::uint8_t>& labels,
                   const manner& how = {}) = 0;

  /// Class scores of the last run that saw an image once, as they enter the last resize: (1, rows, columns, classes).
  virtual atrous::tensor<float> logits() = 0;

  /// A table of the steps of a run and the time they take, medians of `runs`.
  virtual std::string profile(const atrous::pixels_view& image, int runs) = 0;
  /// A table of the largest number that each step of a run writes.
  virtual std::string ranges(const atrous::pixels_view& image) = 0;

  /// The self-test of the file that the weights came from, as atrous::self_test.
  virtual double self_test(const atrous::tensor_set& file) = 0;

  virtual atrous::graph_view network() const = 0;
};

/// The policies that make_runner knows, for the help text and for checking options.
std::vector<std::string> policies();

/// `image` is the shape that the network is checked for; others run as well. `weights` are not needed
/// afterwards. Throws weights_mismatch for weights that do not fit, std::invalid_argument for an unknown
/// policy.
std::unique_ptr<runner> make_runner(const std::string& policy, const atrous::deeplab_options& network,
                                    atrous::shape image, const atrous::tensor_set& weights, int threads);

/// How one policy makes its runner; each in a file of its own (runner_of.hpp).
using maker = std::unique_ptr<runner>(const atrous::deeplab_options&, atrous::shape,
                                      const atrous::tensor_set&, int threads);
maker make_reference, make_openmp, make_openmp_half;

}  // namespace programs
