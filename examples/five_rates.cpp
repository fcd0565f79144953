// SPDX-License-Identifier: MIT
// Atrous spatial pyramid pooling as one likes it: five rates and no image pooling, between a published backbone and the
// published decoder.
#include <cstdio>
#include <string>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

constexpr wire with_five_rates(wire image) {
  const aspp pyramid{.rates = {3, 6, 12, 18, 24}, .image_pooling = false};  // .dense: not separable
  return deeplab_v3_plus(image, mobilenet_v2{}, 21, {.pyramid = pyramid});
}
inline constexpr network five{with_five_rates, {257, 257, 3}};
inline constexpr network published{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                                   {257, 257, 3}};

int main() {
  constexpr graph_view g = graph_of<five>;
  int branches = 0, pools = 0;
  for (int i = 0; i < g.size(); ++i) {
    const op& what = g[i].what;
    const std::string name = g.scope_name(g[i].scope);
    if (what.kind == op_kind::average_pool) ++pools;
    if (what.kind != op_kind::depthwise || !name.starts_with("aspp")) continue;
    std::printf("%s: taps %d pixels apart\n", name.c_str(), what.rate);
    ++branches;
  }
  constexpr cost own = total(g), usual = total(graph_of<published>);
  std::printf("%.2f M parameters, %.0f M multiply-adds; published: %.2f M, %.0f M\n",
              static_cast<double>(own.parameters) / 1e6, static_cast<double>(own.madds) / 1e6,
              static_cast<double>(usual.parameters) / 1e6, static_cast<double>(usual.madds) / 1e6);

  const auto picture = made_up_picture(200, 300);
  const tensor<float> logits =
      model<five, openmp>(made_up_weights(g)).logits({picture.data(), {200, 300, 3}});
  std::printf("logits %s\n", text_of(logits.extent).c_str());
  return branches == 5 && pools == 0 && logits.extent == shape{50, 75, 21} ? 0 : 1;
}
