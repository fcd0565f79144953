// Separable convolutions of published networks: depthwise and pointwise in one step.
#include "onednn.hpp"

namespace {
using namespace benchmarks;
const bool added = add_beside_onednn<step_kind::separable>(
    steps_of(step_kind::separable, [](const network_step&) { return true; }));
}  // namespace
