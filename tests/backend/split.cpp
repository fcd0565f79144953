// How the rows of a step are split among threads: nobody waits long for the last block, even with many threads on the
// smallest maps.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>

namespace {

using namespace atrous;

/// The share of the time that threads work, where each takes the next block of its own share (parallel_for), or, if it has
/// none, of the next thread's.
double busy(const cpu::blocks& b, int threads) {
  std::vector<std::int64_t> done(static_cast<std::size_t>(threads), 0), next, end;
  const cpu::blocks shares = cpu::cut(b.count, b.count, 1, threads);
  for (int t = 0; t < threads; ++t) {
    next.push_back(t < shares.count ? shares.begin(t) : b.count);
    end.push_back(t < shares.count ? shares.end(t) : b.count);
  }
  for (std::int64_t left = b.count; left > 0; --left) {
    const auto first = std::min_element(done.begin(), done.end());
    auto from = static_cast<std::size_t>(first - done.begin());
    while (next[from] == end[from]) from = (from + 1) % next.size();
    *first += b.end(next[from]) - b.begin(next[from]);
    ++next[from];
  }
  return double(b.total) / (threads * double(*std::max_element(done.begin(), done.end())));
}

/// Of the least busy step with at least 33 x 33 output pixels.
double least_busy(const std::string& name, simd::instruction_set set, int threads) {
  const deeplab_options o = network_named(name);
  const plan p = make_plan(record([&](wire image) { return build(image, o); }, {513, 513, 3}));
  double least = 1;
  for (const step& s : p.steps) {
    const bool separable = s.form.kind == step_kind::separable;
    if (!separable && (s.form.kind != step_kind::convolution || s.what.kernel != 1)) continue;
    const shape x = p.values[static_cast<std::size_t>(s.x)].extent,
                y = p.values[static_cast<std::size_t>(s.y)].extent;
    if (pixels(y) < 33 * 33) continue;
    const std::int64_t limit = separable ? cpu::separable_rows<float>(set, x.channels)
                                         : cpu::rows_at_once<float>(set, cpu::terms_at_once(x.channels));
    least =
        std::min(least, busy(cpu::cut(pixels(y), limit, simd::properties_at(set).rows, threads), threads));
  }
  return least;
}

}  // namespace

TEST_CASE("blocks cover everything once") {
  for (int total : {1, 5, 6, 7, 36, 1089, 4225}) {
    for (int limit : {1, 6, 54, 5000}) {
      for (int multiple : {1, 6, 14}) {
        for (int shares : {1, 2, 3, 16}) {
          const cpu::blocks b = cpu::cut(total, limit, multiple, shares);
          REQUIRE(b.count > 0);
          CHECK(b.begin(0) == 0);
          CHECK(b.size <= std::max(limit / multiple * multiple, multiple));  // what scratch memory is for
          CHECK(b.end(b.count - 1) == total);
          for (std::int64_t i = 0; i < b.count; ++i) {
            CHECK(b.end(i) > b.begin(i));
            CHECK(b.end(i) - b.begin(i) <= b.size);
            if (i > 0) CHECK(b.begin(i) == b.end(i - 1));
          }
        }
      }
    }
  }
}

TEST_CASE("threads end together") {
  for (simd::instruction_set set : {simd::instruction_set::avx2, simd::instruction_set::avx512}) {
    for (const char* name : {"deeplabv3plus_xception65", "deeplabv3plus_resnet101",
                             "deeplabv3plus_mobilenet_v2", "deeplabv3_mobilenet_v2_pascal"}) {
      CAPTURE(std::string(name));
      CHECK(least_busy(name, set, 2) > 0.97);
      CHECK(least_busy(name, set, 4) > 0.95);
      CHECK(least_busy(name, set, 16) > 0.9);
    }
  }
}
