// SPDX-License-Identifier: MIT
// Whole networks: one uint8 image of 513 x 513 in, its label map out, everything between them timed. Weights are made up.
#include <memory>
#include <string>

#include <atrous/model/runtime_model.hpp>
#include <atrous/plan/cost.hpp>

#include "../tests/support/rule_weights.hpp"
#include "steps.hpp"

namespace {

using namespace atrous;

constexpr shape photo{513, 513, 3};

void time_network(benchmark::State& state, const std::string& name, int threads) {
  const deeplab_options options = network_named(name);
  const auto define = [options](wire image) { return build(image, options); };
  const graph net = record(define, photo);
  const runtime_model<openmp> model(define, photo, rule_weights::make(net));
  std::mt19937 engine(1);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(elements(photo)));
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(engine());
  tensor<std::uint8_t> labels(1, {photo.height, photo.width, 1});
  workspace<openmp> w(threads);
  const results out{.labels = labels.view()};
  model.run({pixels.data(), photo}, out, w);  // the first run plans and takes memory
  const double peak = benchmarks::peak_flops(threads);
  double spent = 0;
  for (auto _ : state) {
    const double start = benchmarks::seconds();
    model.run({pixels.data(), photo}, out, w);
    const double took = benchmarks::seconds() - start;
    state.SetIterationTime(took);
    spent += took;
  }
  const double flops = 2.0 * double(total(net).madds) * double(state.iterations()) / spent;
  state.counters["GFLOP/s"] = flops / 1e9;
  state.counters["share_of_peak"] = flops / peak;
  state.counters["arena_MB"] = double(w.arena_bytes()) / 1e6;
}

const bool added = [] {
  for (const char* name :
       {"deeplabv3plus_xception65", "deeplabv3plus_xception65_os8", "deeplabv3plus_resnet101",
        "deeplabv3plus_mobilenet_v2", "deeplabv3_mobilenet_v2_pascal"}) {
    for (int threads : {1, 2}) {
      const std::string title = std::string(name) + "/threads:" + std::to_string(threads);
      benchmark::RegisterBenchmark(
          title.c_str(), [name, threads](benchmark::State& state) { time_network(state, name, threads); })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond)
          ->MinTime(1);
    }
  }
  return true;
}();

}  // namespace
