// says: addition_needs_equal_shapes
// line: 10
// with: nvcc
#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/depthwise.hpp>

using namespace atrous;

constexpr wire residual(wire x) { return x + (x >> depthwise{.stride = 2}); }
inline constexpr network halved{residual, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<halved>;
