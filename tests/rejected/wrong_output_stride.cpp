// says: output_stride_must_be_8_16_or_32
// line: 10
// with: nvcc
#include <atrous/graph/network.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>

using namespace atrous;

constexpr wire segment(wire image) { return deeplab_v3(image, mobilenet_v2{.output_stride = 12}, 21); }
inline constexpr network twelve{segment, {65, 65, 3}};
constexpr const auto& recorded_graph = graph_of<twelve>;
