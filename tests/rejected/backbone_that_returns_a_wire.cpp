// says: backbone
// line: 9
// with: nvcc
#include <atrous/networks/deeplab.hpp>

using namespace atrous;

constexpr wire only_high(wire image) { return image >> pointwise{.out = 8, .stride = 16}; }
constexpr wire segment(wire image) { return deeplab_v3_plus(image, only_high, 21); }
