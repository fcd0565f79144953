// says: rate_and_stride_exclude_each_other
// line: 8
#include <atrous/graph/network.hpp>
#include <atrous/layers/depthwise.hpp>

using namespace atrous;

constexpr wire layers(wire x) { return x >> depthwise{.stride = 2, .rate = 2}; }
inline constexpr network both{layers, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<both>;
