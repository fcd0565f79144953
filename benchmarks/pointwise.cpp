// 1 x 1 convolutions with stride 1 of published networks, and the second halves of their separable steps.
#include "onednn.hpp"

namespace {

using namespace benchmarks;

std::vector<network_step> all_pointwise() {
  std::vector<network_step> all = steps_of(step_kind::convolution, [](const network_step& s) {
    return s.run.what.kernel == 1 && s.run.what.stride == 1;
  });
  for (const network_step& s : steps_of(step_kind::separable, [](const network_step&) { return true; })) {
    network_step half{
        "", {.form = windowed(step_kind::convolution, s.run.what), .what = s.run.what}, s.y, s.y};
    half.run.form.after = s.run.form.after;
    half.run.form.sum = s.run.form.sum;
    half.x.channels = s.x.channels;
    add_new(all, half);
  }
  return all;
}

const bool added = add_beside_onednn<step_kind::convolution>(all_pointwise());

}  // namespace
