// SPDX-License-Identifier: MIT
// A backbone of one's own under the published head: anything that makes features of an image. No base class, no
// registration.
#include <cstdio>
#include <set>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

struct small {
  constexpr features operator()(wire image) const {
    const wire half = image >> normalise::to_unit_range() >>
                      in("conv1", convolution{.out = 16, .kernel = 3, .stride = 2} >> normed{});
    const wire low = half >> separable{.name = "conv2", .out = 24, .stride = 2};
    const wire high = low >> separable{.name = "conv3", .out = 96, .stride = 2} >>
                      separable{.name = "conv4", .out = 160, .stride = 2};
    return {low, high};  // strides 4 and 16
  }
};
inline constexpr network phone{[](wire image) { return deeplab_v3_plus(image, small{}, 21); }, {257, 257, 3}};

int main() {
  constexpr cost costs = total(graph_of<phone>);
  std::printf("%zu layers become %zu steps; %.2f M parameters, %.0f M multiply-adds at 257x257\n",
              graph_of<phone>.nodes.size(), plan_of<phone>.steps.size(),
              static_cast<double>(costs.parameters) / 1e6, static_cast<double>(costs.madds) / 1e6);

  const model<phone, openmp> segment(made_up_weights(graph_of<phone>));
  const auto picture = made_up_picture(120, 160);  // any extents, not only the declared ones
  const tensor<std::uint8_t> labels = segment.labels({picture.data(), {120, 160, 3}});
  const std::set<int> classes(labels.data.begin(), labels.data.end());
  std::printf("%dx%d labels of %zu classes\n", labels.extent.height, labels.extent.width, classes.size());
  return labels.extent == shape{120, 160, 1} && classes.size() > 1 ? 0 : 1;
}
