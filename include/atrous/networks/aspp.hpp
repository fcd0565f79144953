// SPDX-License-Identifier: MIT
#pragma once
// Atrous spatial pyramid pooling: the same features seen at several scales side by side (DeepLabv3,
// section 3.3). Nothing in it depends on extents, so that one structure serves every image.
#include <cstddef>
#include <span>
#include <vector>

#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/int_list.hpp>

namespace atrous {

/// The published rates: 12, 24, 36 at output stride 8; 6, 12, 18 at 16; 3, 6, 9 at 32.
constexpr int_list pyramid_rates(int output_stride) {
  return output_stride == 8    ? int_list{12, 24, 36}
         : output_stride == 32 ? int_list{3, 6, 9}
                               : int_list{6, 12, 18};
}

/// What a pyramid ends with, behind its projection: nothing, or one more 3 x 3 convolution.
enum class last_convolution { none, dense, separable };

/// The pyramid: image pooling, a 1 x 1 branch, one atrous 3 x 3 branch per rate, concatenated in this order
/// and projected.
///
///   in          height x width x C
///   out         height x width x channels
///   parameters  image_pooling, aspp0, aspp1 ... (aspp1_depthwise, aspp1_pointwise ... if separable),
///               concat_projection, then last_conv (last_conv_depthwise, last_conv_pointwise if separable)
///   rules       a pooling window fits into the input
struct aspp {
  int_list rates{6, 12, 18};  // none: no atrous branches
  bool dense = false;         // ordinary 3 x 3 convolutions instead of separable ones
  bool joined = false;        // nothing between the depthwise and the pointwise halves
  bool image_pooling = true;
  bool pooling_last = false;  // concatenated behind the other branches instead of in front of them
  int pooling_height = 0, pooling_width = 0;  // window of the pooling in feature pixels; 0 x 0: all of them
  int channels = 256;                         // of every branch and of the projection
  int projection_kernel = 1;
  last_convolution last = last_convolution::none;
  bool bias = false;                  // dense convolutions add a bias in front of their batch norm, too
  corners corner = corners::aligned;  // of the resize behind the pooling
  float epsilon = 1e-5F;              // of every batch norm

  constexpr wire operator()(wire x) const {
    std::vector<wire> parts;
    parts.reserve(static_cast<std::size_t>(rates.count) + 2);
    if (image_pooling && !pooling_last) parts.push_back(pooled(x));
    parts.push_back(plain(x, "aspp0", 1, 1));
    for (int i = 0; i < rates.count; ++i) parts.push_back(branch(x, {"aspp", i + 1}, rates[i]));
    if (image_pooling && pooling_last) parts.push_back(pooled(x));
    const wire y = plain(concat(std::span<const wire>(parts)), "concat_projection", projection_kernel, 1);
    if (last == last_convolution::none) return y;
    return last == last_convolution::dense ? plain(y, "last_conv", 3, 1) : split(y, "last_conv", 1);
  }

 private:
  constexpr wire pooled(wire x) const {
    const wire mean = x >> average_pool{.height = pooling_height, .width = pooling_width};
    return plain(mean, "image_pooling", 1, 1) >> resize_to(x.shape(), corner);
  }
  constexpr wire branch(wire x, const label& name, int rate) const {
    return dense ? plain(x, name, 3, rate) : split(x, name, rate);
  }
  constexpr wire plain(wire x, const label& name, int kernel, int rate) const {
    const convolution mixed{.out = channels, .kernel = kernel, .rate = rate, .bias = bias};
    return x >> in(name, mixed >> normed{.epsilon = epsilon});
  }
  constexpr wire split(wire x, const label& name, int rate) const {
    const normed after{.epsilon = epsilon};
    return x >> separable{.name = name,
                          .out = channels,
                          .rate = rate,
                          .between = after,
                          .after = after,
                          .joined = joined};
  }
};
static_assert(layer<aspp>);

}  // namespace atrous
