// says: channels_must_be_positive
// line: 8
#include <atrous/graph/network.hpp>
#include <atrous/layers/convolution.hpp>

using namespace atrous;

constexpr wire layers(wire x) { return x >> pointwise{.stride = 2}; }
inline constexpr network none{layers, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<none>;
