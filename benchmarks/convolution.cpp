// Convolutions of published networks that look at more than one input pixel per output pixel, or skip some.
#include "onednn.hpp"

namespace {
using namespace benchmarks;
const bool added =
    add_beside_onednn<step_kind::convolution>(steps_of(step_kind::convolution, [](const network_step& s) {
      return s.run.what.kernel > 1 || s.run.what.stride > 1;
    }));
}  // namespace
