// says: backbone_must_offer_features_of_this_stride
// line: 15
#include <atrous/graph/network.hpp>
#include <atrous/networks/deeplab.hpp>

using namespace atrous;

struct context_only {
  constexpr features operator()(wire image) const {
    features taps{};
    taps.high = image >> pointwise{.out = 8, .stride = 16};
    return taps;
  }
};
constexpr wire segment(wire image) { return deeplab_v3_plus(image, context_only{}, 21); }
inline constexpr network blunt{segment, {65, 65, 3}};
constexpr const auto& recorded_graph = graph_of<blunt>;
