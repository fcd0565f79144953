// Separable convolutions of published networks: depthwise and pointwise in one step.
#include "steps.hpp"

namespace {
const bool added = benchmarks::add_steps<atrous::openmp, atrous::step_kind::separable>(
    [](const benchmarks::network_step&) { return true; });
}
