// Depthwise convolutions by themselves. Published networks run them inside of separable steps, so these are the first
// halves of those.
#include "onednn.hpp"

namespace {

using namespace benchmarks;

std::vector<network_step> halves() {
  std::vector<network_step> all;
  for (const network_step& s : steps_of(step_kind::separable, [](const network_step&) { return true; })) {
    network_step half{
        "", {.form = windowed(step_kind::depthwise, s.run.first), .what = s.run.first}, s.x, s.y};
    half.run.form.before = s.run.form.before;
    half.run.form.after = s.run.form.between;
    half.y.channels = s.x.channels;
    add_new(all, half);
  }
  return all;
}

const bool added = add_beside_onednn<step_kind::depthwise>(halves());

}  // namespace
