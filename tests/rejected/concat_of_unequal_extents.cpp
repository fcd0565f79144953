// says: concatenation_needs_equal_extents
// line: 10
// with: nvcc
#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/depthwise.hpp>

using namespace atrous;

constexpr wire decoder(wire x) { return concat(x >> depthwise{.kernel = 3, .stride = 2}, x); }
inline constexpr network halved{decoder, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<halved>;
