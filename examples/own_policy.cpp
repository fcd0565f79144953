// SPDX-License-Identifier: MIT
// A policy of one's own: it inherits from another what it does not do itself. This one runs on the kernels of
// `openmp` and looks at the clock.
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

struct timed : openmp {
  static constexpr const char* name = "timed";
  static inline std::map<std::string, double> seconds;

  template <structure S>
  static void convolution(const operands<float>& o) {
    measured(std::to_string(S.kernel) + "x" + std::to_string(S.kernel), [&] { openmp::convolution<S>(o); });
  }
  template <structure S>
  static void separable(const operands<float>& o) {
    measured("separable", [&] { openmp::separable<S>(o); });
  }

 private:
  template <class Work>
  static void measured(const std::string& what, const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds[what] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};
static_assert(backend<timed>);

inline constexpr network voc{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                             {257, 257, 3}};

int main() {
  const tensor_set weights = made_up_weights(graph_of<voc>);
  const std::vector<std::uint8_t> picture(257 * 257 * 3, 100);
  const pixels_view image(picture.data(), {257, 257, 3});
  const auto labels = model<voc, timed>(weights).labels(image);
  for (const auto& entry : timed::seconds)
    std::printf("%-10s %6.1f ms\n", entry.first.c_str(), 1e3 * entry.second);
  const bool same = labels.data == model<voc, openmp>(weights).labels(image).data;
  std::printf("the labels are %s\n", same ? "those of openmp" : "other ones");
  return same ? 0 : 1;
}
