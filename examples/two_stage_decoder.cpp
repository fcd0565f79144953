// SPDX-License-Identifier: MIT
// A decoder in two stages: what the pyramid made meets the backbone's features of stride 8, then those of stride 4. The
// published backbones offer 4, 8 and 16; one's own offers what it returns.
#include <cstdio>
#include <string>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

struct staged {
  constexpr features operator()(wire image) const {
    const wire quarter =
        image >> normalise::to_unit_range() >> separable{.name = "conv1", .out = 16, .stride = 4};
    const wire eighth = quarter >> separable{.name = "conv2", .out = 32, .stride = 2};
    const wire last = eighth >> separable{.name = "conv3", .out = 64, .stride = 2};
    return {.low = quarter, .high = last, .stride8 = eighth};
  }
};
constexpr wire define(wire image) {
  return deeplab_v3_plus(image, staged{}, 21, {.refine = {.strides = {8, 4}}});
}
inline constexpr network net{define, {193, 257, 3}};

int main() {
  constexpr graph_view g = graph_of<net>;
  for (int i = 0; i < g.size(); ++i) {
    const std::string name = g.scope_name(g[i].scope);
    if (g[i].what.kind == op_kind::convolution &&
        (name.starts_with("decoder/") || name.starts_with("concat")))
      std::printf("%-35s %s\n", name.c_str(), text_of(g[i].out).c_str());
  }
  const model<net, openmp> segment(made_up_weights(g));
  const auto picture = made_up_picture(193, 257);
  const tensor<float> logits = segment.logits({picture.data(), {193, 257, 3}});
  std::printf("logits %s\n", text_of(logits.extent).c_str());
  return logits.extent == shape{49, 65, 21} ? 0 : 1;
}
