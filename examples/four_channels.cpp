// SPDX-License-Identifier: MIT
// An image of four channels: red, green, blue, and depth in metres, floats in rows that end in padding, as a camera hands
// them over. Published backbones take any number of channels and scale 0 ... 255 to -1 ... 1; a layer in front brings the
// fourth to that range.
#include <cstdio>
#include <vector>

#include <atrous/atrous.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

constexpr normalise colour_and_depth{.factors = {1, 1, 1, 255.0F / 10}};  // 0 to 10 m as 0 to 255
constexpr wire define(wire image) { return deeplab_v3_plus(image >> colour_and_depth, mobilenet_v2{}, 13); }
inline constexpr network room{define, {120, 160, 4}};

int main() {
  const int height = 120, width = 160, padded = 168;
  const auto rings = made_up_picture(height, padded, 4);
  std::vector<float> frame(rings.begin(), rings.end());
  for (std::size_t i = 3; i < frame.size(); i += 4) frame[i] *= 10.0F / 255;  // metres

  pixels_view seen(frame.data(), {height, width, 4});
  seen.row = padded * 4;  // numbers from one row to the next
  const model<room, openmp> segment(made_up_weights(graph_of<room>));
  const tensor<float> near = segment.logits(seen);
  for (std::size_t i = 3; i < frame.size(); i += 4) frame[i] += 1;
  const tensor<float> far = segment.logits(seen);
  std::printf("the first of %s scores goes from %.4f to %.4f when everything moves a metre away\n",
              text_of(near.extent).c_str(), static_cast<double>(near.data[0]),
              static_cast<double>(far.data[0]));
  return near.extent == shape{30, 40, 13} && near.data != far.data ? 0 : 1;
}
