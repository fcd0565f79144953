// says: backbone_must_offer_features_of_this_stride
// line: 15
#include <atrous/graph/network.hpp>
#include <atrous/networks/deeplab.hpp>

using namespace atrous;

struct two_taps {
  constexpr features operator()(wire image) const {
    const wire low = image >> pointwise{.out = 8, .stride = 4};
    return {low, low >> pointwise{.out = 8, .stride = 4}};
  }
};
constexpr wire segment(wire image) {
  return deeplab_v3_plus(image, two_taps{}, 21, {.refine = {.strides = {8, 4}}});
}
inline constexpr network staged{segment, {65, 65, 3}};
constexpr const auto& recorded_graph = graph_of<staged>;
