// SPDX-License-Identifier: MIT
// A primitive of one's own, for what no combination of layers says: PReLU (He et al. 2015), which multiplies what
// is negative by a trained number per channel. Four steps.
#include <array>
#include <cstdio>
#include <vector>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

// 1. A kind of operation: the first, second, ... of one's own.
constexpr int prelu_kind = static_cast<int>(op_kind::own) + 0;

// 2. What it is and what it owns. What comes out has the shape of what comes in, unless `output` says otherwise.
struct prelu {
  constexpr op describe() const { return {.kind = static_cast<op_kind>(prelu_kind)}; }
  constexpr parameter_list parameters(shape in) const { return {{"slopes", role::own, {in.channels}}}; }
};

// 3. A kernel, in a policy that has all others already. Several kinds are told apart by S.kind.
struct with_prelu : reference {
  static constexpr const char* name = "with_prelu";

  template <structure S>
  static void own(const operands<float>& o) {
    for (std::int64_t p = 0; p < o.y.pixels(); ++p) {
      for (int c = 0; c < o.y.channels; ++c) {
        const float x = o.x.at(p)[c];
        o.y.at(p)[c] = x < 0 ? x * o.weights.kernel[c] : x;
      }
    }
  }
  // 4. A row in the table of kernels, for networks that are put together at run time.
  static constexpr std::array own_structures{structure{.kind = static_cast<step_kind>(prelu_kind)}};
};

constexpr wire bent(wire x) { return x >> normalise::to_unit_range() >> in("bend", prelu{}); }
inline constexpr network net{bent, {2, 2, 3}};

int main() {
  const tensor_set weights = made_up_weights(graph_of<net>);
  const std::vector<std::uint8_t> picture{0, 255, 51, 102, 153, 204, 10, 20, 30, 40, 50, 60};
  const pixels_view image(picture.data(), {2, 2, 3});
  const tensor<float> fixed = model<net, with_prelu>(weights).logits(image);
  const tensor<float> free = runtime_model<with_prelu>(bent, {2, 2, 3}, weights).logits(image);
  std::array<float, 3> slopes{};
  read_floats(*weights.find("bend/slopes"), slopes);
  std::printf("slope of the first channel %.4f: black, which is -1, becomes %.4f\n",
              static_cast<double>(slopes[0]), static_cast<double>(fixed.data[0]));
  return fixed.data == free.data && fixed.data[0] == -slopes[0] && fixed.data[1] == 1 ? 0 : 1;
}
