// 1 x 1 convolutions with stride 1 of published networks.
#include "steps.hpp"

namespace {
const bool added = benchmarks::add_steps<atrous::openmp, atrous::step_kind::convolution>(
    [](const benchmarks::network_step& s) { return s.run.what.kernel == 1 && s.run.what.stride == 1; });
}
