// A whole network, with everything between its kernels.
#include <atrous/model/model.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>

#include "../support/rule_weights.hpp"
#include "counted.hpp"

namespace instructions {

constexpr network mobilenet{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                            {129, 129, 3}};

const tensor_set& weights() {  // as making them takes Callgrind longer than the rest
  static const tensor_set made = rule_weights::make(record(mobilenet.define, mobilenet.image));
  return made;
}

template <simd::instruction_set Set>
void count_network() {
  const model<mobilenet, policy<Set>> net(weights());
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(elements(mobilenet.image)));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(rule_weights::splitmix64(i / 96));
  const pixels_view image(pixels.data(), mobilenet.image);
  workspace<policy<Set>> w(1);
  tensor<std::uint8_t> labels(1, {mobilenet.image.height, mobilenet.image.width, 1});
  announce(Set, "MobileNetV2 129x129");
  counted([&] { net.run(image, {.labels = labels.view()}, w); });
}

template void count_network<simd::instruction_set::baseline>();
template void count_network<simd::instruction_set::avx2>();

}  // namespace instructions
