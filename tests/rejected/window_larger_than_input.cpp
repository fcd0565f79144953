// says: window_must_fit_into_the_padded_input
// line: 8
#include <atrous/graph/network.hpp>
#include <atrous/layers/pooling.hpp>

using namespace atrous;

constexpr wire layers(wire x) { return x >> average_pool{.height = 34, .width = 1}; }
inline constexpr network large{layers, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<large>;
