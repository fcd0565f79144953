// SPDX-License-Identifier: MIT
// A policy of one's own: it inherits from another what it does not do itself. This one runs on the kernels of
// `openmp` and looks at the clock while convolutions run.
#include <chrono>
#include <cstdio>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;
using seconds_of_clock = std::chrono::duration<double>;

struct timed : openmp {
  static constexpr const char* name = "timed";
  static inline double seconds[8];  // by the kernel's size

  template <structure S>
  static void convolution(const operands<float>& o) {
    const auto start = std::chrono::steady_clock::now();
    openmp::convolution<S>(o);
    seconds[S.kernel] += seconds_of_clock(std::chrono::steady_clock::now() - start).count();
  }
};
static_assert(backend<timed>);

inline constexpr network voc{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                             {257, 257, 3}};

int main() {
  const tensor_set weights = made_up_weights(graph_of<voc>);
  const auto picture = made_up_picture(257, 257);
  const pixels_view image(picture.data(), {257, 257, 3});
  const auto labels = model<voc, timed>(weights).labels(image);
  for (const int kernel : {1, 3})
    std::printf("convolutions %dx%d %6.1f ms\n", kernel, kernel, 1e3 * timed::seconds[kernel]);
  const bool same = labels.data == model<voc, openmp>(weights).labels(image).data;
  std::printf("the labels are %s\n", same ? "those of openmp" : "other ones");
  return same && timed::seconds[1] > 0 && timed::seconds[3] > 0 ? 0 : 1;
}
