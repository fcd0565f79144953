// SPDX-License-Identifier: MIT
// Classes of one's own: how many there are, what they are called, how they are shown. Names and colours travel in the
// file of weights, so that whoever gets the file needs nothing else.
#include <algorithm>
#include <cstdio>
#include <iterator>

#include <atrous/atrous.hpp>
#include <atrous/data/label_metadata.hpp>
#include <atrous/data/png.hpp>
#include <atrous/weights/safetensors.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

constexpr named_colour farm[] = {
    {"other", {0, 0, 0}},     {"wheat", {224, 190, 80}}, {"maize", {240, 140, 0}}, {"meadow", {120, 200, 80}},
    {"forest", {0, 100, 40}}, {"road", {130, 130, 130}}, {"water", {0, 90, 200}}};
constexpr int farm_classes = std::size(farm);
inline constexpr network net{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, farm_classes); },
                             {129, 129, 3}};

int main() {
  // Who has trained a network writes names and colours beside its numbers ...
  const label_set own = labels_of("farm", farm);
  write_safetensors("farm.safetensors", made_up_weights(graph_of<net>).tensors, metadata_of(own));

  // ... and who segments finds them there.
  const tensor_set weights = read_safetensors("farm.safetensors");
  const label_set classes = labels_in(weights, farm_classes);
  const auto picture = made_up_picture(96, 128);
  const tensor<std::uint8_t> labels = model<net, openmp>(weights).labels({picture.data(), {96, 128, 3}});
  write_png_indexed("farm.png", {96, 128, 1, labels.data}, classes.colours);
  for (std::uint8_t c = 0; c < farm_classes; ++c) {
    const auto pixels = static_cast<double>(std::count(labels.data.begin(), labels.data.end(), c));
    std::printf("%-7s %5.1f %%\n", classes.names[c].c_str(), pixels / (96 * 128) * 100);
  }
  const bool kept = classes.names == own.names && classes.colours == own.colours;
  return kept && read_png_indices("farm.png").pixels == labels.data ? 0 : 1;
}
