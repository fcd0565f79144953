// SPDX-License-Identifier: MIT
// A layer of one's own, put together from others: anything callable from wire to wire. This one is squeeze and
// excitation (Hu et al. 2018), which weighs channels by what the whole image shows; ReLU6 stands in for the sigmoid.
#include <cstdio>
#include <string>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

/// in, out: height x width x C
struct excited {
  int reduction = 4;

  constexpr wire operator()(wire x) const {
    const int channels = x.shape().channels;
    const wire gates = x >> average_pool{} >>
                       in("squeeze", pointwise{.out = channels / reduction, .bias = true}) >> relu{} >>
                       in("excite", pointwise{.out = channels, .bias = true}) >> relu6{};
    return scale(x, gates);
  }
};

constexpr wire classify(wire image) {
  wire x = image >> normalise::to_unit_range();
  for (int i = 1; i <= 3; ++i) {
    x = x >> separable{.name = {"conv", i}, .out = 16 << i, .stride = 2} >> in({"excited", i}, excited{});
  }
  return x >> in("logits", pointwise{.out = 5, .bias = true}) >> resize_to(image.shape());
}
inline constexpr network net{classify, {64, 64, 3}};

int main() {
  constexpr graph_view g = graph_of<net>;
  int named = 0;
  for (int i = 0; i < g.size(); ++i) {
    for (const parameter& p : g.parameters_of(i)) {
      const std::string name = g.parameter_name(i, p);
      if (!name.starts_with("excited1/")) continue;
      std::printf("%s: %lld numbers\n", name.c_str(), static_cast<long long>(p.size()));
      ++named;
    }
  }
  const model<net, openmp> segment(made_up_weights(g));
  const auto picture = made_up_picture(64, 64);
  const tensor<float> logits = segment.logits({picture.data(), {64, 64, 3}});
  std::printf("logits %s, the first is %.3f\n", text_of(logits.extent).c_str(),
              static_cast<double>(logits.data[0]));
  return named == 4 && logits.extent == shape{8, 8, 5} ? 0 : 1;
}
