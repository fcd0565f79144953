// says: kernel_must_be_odd
// line: 8
#include <atrous/graph/network.hpp>
#include <atrous/layers/convolution.hpp>

using namespace atrous;

constexpr wire layers(wire x) { return x >> convolution{.out = 8, .kernel = 4}; }
inline constexpr network even{layers, {33, 33, 8}};
constexpr const auto& recorded_graph = graph_of<even>;
