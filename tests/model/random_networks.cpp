// Networks drawn at random: whatever is folded, fused, paired and placed in whichever way, and whoever runs it, the
// numbers are those of the graph as it stands.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/graph/compose.hpp>
#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/layers/separable.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"

namespace {

using namespace atrous;

/// Draws layers one by one. Choices depend on the seed and on channels alone, so that every extent gives the same
/// network.
class drawing {
 public:
  drawing(unsigned seed, wire image) : engine_(seed) { made_.push_back({image, 0}); }

  wire draw(int layers) {
    if (any(2) == 0) put(made_[0].at >> normalise::to_unit_range(), 0);
    for (int k = 0; k < layers; ++k) in({"layer", k}, [&](wire x) { return layer(x); })(pick().at);
    const wire last = made_.back().at;
    return any(2) == 0 ? last : last >> resize_to(made_[0].at.shape(), any_corners());
  }

 private:
  struct part {
    wire at;
    int level;  // how often its grid was halved
  };

  int any(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  corners any_corners() { return static_cast<corners>(any(3)); }
  /// The latest parts more often than others: depth as well as breadth.
  const part& pick() { return any(3) == 0 ? pick_any() : made_.back(); }
  const part& pick_any() { return made_[static_cast<std::size_t>(any(static_cast<int>(made_.size())))]; }
  wire put(wire x, int level) {
    made_.push_back({x, level});
    return x;
  }

  wire layer(wire) {
    const part x = pick();
    switch (any(13)) {
      case 0:
      case 1:
        return window(x, true);
      case 2:
        return window(x, false);
      case 3:
        return separated(x);
      case 4:
        return put(x.at >> batch_norm{}, x.level);
      case 5:
        return put(x.at >> relu{}, x.level);
      case 6:
        return put(x.at >> relu6{}, x.level);
      case 7:
        return pooled(x);
      case 8:
        return put(scale(x.at, x.at >> average_pool{} >> relu6{}), x.level);
      case 9:
        return resized(x);
      case 10:
        return joined(x);
      case 11:
        return with_mean(x);
      default:
        return sum(x);
    }
  }

  wire window(const part& x, bool dense) {
    const int stride = any(5) == 0 ? 2 : 1, kernel = 1 + 2 * any(3), rate = stride == 1 ? 1 + any(2) : 1;
    padding pad = any(2) == 0 ? padding{} : padding::same();
    if (const int reach = kernel / 2 * rate; reach > 0 && any(6) == 0)
      pad = padding::given(reach + 1, reach - 1, reach - 1, reach + 1);
    if (any(4) == 0) pad.outside = padding::border::per_channel;
    const bool bias = any(2) == 0;
    const convolution c{.out = any(4) == 0 ? 16 + any(3) : 3 + any(4),
                        .kernel = kernel,
                        .stride = stride,
                        .rate = rate,
                        .bias = bias,
                        .pad = pad};
    const depthwise d{.kernel = kernel, .stride = stride, .rate = rate, .pad = pad};
    return put(dense ? x.at >> c : x.at >> d, x.level + (stride == 2));
  }

  wire separated(const part& x) {
    const wire filtered = window(x, false);
    return put(filtered >> pointwise{.out = 5}, made_.back().level);
  }

  wire pooled(const part& x) {
    const int stride = 1 + any(2);
    return put(x.at >> max_pool{.kernel = 1 + 2 * any(2), .stride = stride}, x.level + (stride == 2));
  }

  wire resized(const part& x) {
    const part like = pick();
    return put(x.at >> resize_to(like.at.shape(), any_corners()), like.level);
  }

  /// With what is the same in every pixel, in front or behind, and a projection.
  wire with_mean(const part& x) {
    const wire mean =
        x.at >> average_pool{} >> in("mean", pointwise{.out = 3}) >> resize_to(x.at.shape(), any_corners());
    const wire all = any(2) == 0 ? concat(mean, x.at >> relu{}) : concat(x.at >> relu{}, mean);
    return put(all >> pointwise{.out = 5, .bias = any(2) == 0}, x.level);
  }

  /// With up to three others of the same grid, the same one again perhaps.
  wire joined(const part& x) {
    std::vector<wire> all{x.at};
    for (int k = 0; k < 3; ++k) {
      const part other = pick_any();
      if (other.level == x.level && other.at.shape().channels < 20) all.push_back(other.at);
    }
    return put(concat(std::span<const wire>(all)), x.level);
  }

  /// With another of the same grid, brought to its channels if need be.
  wire sum(const part& x) {
    part other = pick_any();
    if (other.level != x.level) other = x;
    const bool fits = other.at.shape().channels == x.at.shape().channels;
    if (!fits) other.at = other.at >> pointwise{.out = x.at.shape().channels};
    return put(any(2) == 0 ? x.at + other.at : other.at + x.at, x.level);
  }

  std::mt19937 engine_;
  std::vector<part> made_;
};

bool close(const tensor<float>& a, const tensor<float>& b) {
  return a.data == b.data || relative_error(a, b) <= 1e-4;
}

/// The largest number that a network passes on. Activations cut to 6 what was thousands, with the error of thousands.
float largest_inside(const inference<reference>& kept, const pixels_view& picture) {
  workspace<reference> w;
  kept.logits(picture, w);
  float largest = 0;
  for (int i = 1; i < kept.runner().network().size(); ++i) {
    if (kept.runner().network()[i].what.kind == op_kind::resize) continue;  // the last one keeps no map
    for (const float x : kept.runner().value_of(i, w).data) largest = std::max(largest, std::abs(x));
  }
  return largest;
}

bool close_inside(const tensor<float>& a, const tensor<float>& b, float largest) {
  float worst = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) worst = std::max(worst, std::abs(a.data[i] - b.data[i]));
  return worst <= 1e-6F * largest;
}

void check(unsigned seed) {
  const auto define = [seed](wire image) {
    return drawing(seed, image).draw(3 + static_cast<int>(seed % 20));
  };
  const shape declared{9, 11, 3};
  const tensor_set weights = rule_weights::make(record(define, declared));
  const inference<reference> fused = runtime<reference>(define, declared, weights);
  const inference<reference> kept =
      runtime<reference>(define, declared, weights, plan_options::keep_everything());
  const inference<openmp> fast = runtime<openmp>(define, declared, weights);
  const image picture = made_picture(30, 30, 3, static_cast<int>(seed));
  for (const crop& c : {crop(9, 11), crop(1, 1), crop(14, 6, 7, 2)}) {
    const tensor<float> expected = kept.logits(c.of(picture));
    CHECK_MESSAGE(close(fused.logits(c.of(picture)), expected), "seed ", seed, ", reference, height ",
                  c.height);
    const tensor<float> found = fast.logits(c.of(picture));
    const bool near =
        close(found, expected) || close_inside(found, expected, largest_inside(kept, c.of(picture)));
    CHECK_MESSAGE(near, "seed ", seed, ", openmp, height ", c.height);
  }
}

/// Runs of bands of rows that fit little memory; returns how many groups of steps there were.
template <class P>
std::size_t check_bands(unsigned seed) {
  const auto define = [seed](wire image) {
    return drawing(seed, image).draw(3 + static_cast<int>(seed % 20));
  };
  const shape declared{50, 23, 3};
  const tensor_set weights = rule_weights::make(record(define, declared));
  const inference<P> whole = runtime<P>(define, declared, weights, {.band_elements = 0});
  const image picture = made_picture(60, 60, 3, static_cast<int>(seed));
  std::size_t groups = 0;
  for (int budget : {2000, 5000, 12000}) {
    const inference<P> banded = runtime<P>(define, declared, weights, {.band_elements = budget});
    workspace<P> w(seed % 10 == 0 ? 3 : 1);  // seldom: threads wait long where the machine is busy
    for (const crop& c : {crop(50, 23), crop(7, 31, 5, 2)}) {
      const std::vector<float> found = banded.logits(c.of(picture), w).data;
      const std::vector<float> wanted = whole.logits(c.of(picture)).data;
      const bool same =
          std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(), [](float a, float b) {
            return a == b || (std::isnan(a) && std::isnan(b));  // some networks go beyond half
          });
      CHECK_MESSAGE(same, "seed ", seed, ", bands of ", budget, ", height ", c.height);
    }
    groups += banded.prepare(w, 50, 23).groups.size();
  }
  return groups;
}

}  // namespace

TEST_CASE("networks drawn at random") {
  for (unsigned seed = 1; seed <= 2000; ++seed) check(seed);
}

TEST_CASE("bands of rows do not change a bit") {
  std::size_t groups = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) groups += check_bands<openmp>(seed);
  CHECK(groups > 100);
  for (unsigned seed = 1; seed <= 50; ++seed) check_bands<openmp_half>(seed);
}
