// SPDX-License-Identifier: MIT
// Whole networks: uint8 images in, their label maps out, everything between them timed; at 513 x 513, and on other
// extents and batches, since the time of a multiply-add should not depend on them. Weights are made up.
#include <memory>
#include <string>

#include <atrous/model/runtime_model.hpp>
#include <atrous/plan/cost.hpp>

#include "../tests/support/rule_weights.hpp"
#include "steps.hpp"

namespace {

using namespace atrous;

template <class P>
void time_network(benchmark::State& state, const std::string& name, shape s, int batch, int threads) {
  const deeplab_options options = network_named(name);
  const auto define = [options](wire image) { return build(image, options); };
  const graph net = record(define, s);
  const runtime_model<P> model(define, s, rule_weights::make(net));
  std::mt19937 engine(1);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(elements(s) * batch));
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(engine());
  const pixels_view images(pixels.data(), s, batch);
  tensor<std::uint8_t> labels(batch, {s.height, s.width, 1});
  workspace<P> w(threads);
  const results out{.labels = labels.view()};
  model.run(images, out, w);  // the first run plans and takes memory
  const double peak = benchmarks::peak_flops<typename P::element>(threads);
  double spent = 0;
  for (auto _ : state) {
    const double start = benchmarks::seconds();
    model.run(images, out, w);
    const double took = benchmarks::seconds() - start;
    state.SetIterationTime(took);
    spent += took;
  }
  const double madds = double(total(net).madds) * batch * double(state.iterations());
  state.counters["GFLOP/s"] = 2 * madds / spent / 1e9;
  state.counters["share_of_peak"] = 2 * madds / spent / peak;
  state.counters["ps/madd"] = spent * threads / madds * 1e12;
  state.counters["arena_MB"] = double(w.arena_bytes()) / 1e6;
}

template <class P>
void add(const std::string& network, shape s, int batch, int threads) {
  const std::string size = std::to_string(s.height) + "x" + std::to_string(s.width);
  const std::string title = benchmarks::titled<P>(network) + "/" + size +
                            (batch > 1 ? "/batch:" + std::to_string(batch) : "") +
                            "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(
      title.c_str(), [=](benchmark::State& state) { time_network<P>(state, network, s, batch, threads); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(1);
}

template <class P>
bool add_networks() {
  for (const char* network :
       {"deeplabv3plus_xception65", "deeplabv3plus_xception65_os8", "deeplabv3plus_resnet101",
        "deeplabv3plus_mobilenet_v2", "deeplabv3_mobilenet_v2_pascal"}) {
    for (int threads : {1, 2}) {
      for (shape s : {shape{129, 129, 3}, {257, 257, 3}, {513, 513, 3}, {513, 1025, 3}, {1025, 2049, 3}})
        add<P>(network, s, 1, threads);
      for (int batch : {2, 4, 8}) {
        add<P>(network, {129, 129, 3}, batch, threads);
        add<P>(network, {513, 513, 3}, batch, threads);
      }
    }
  }
  return true;
}

const bool added = add_networks<openmp>() && add_networks<openmp_half>();

}  // namespace
