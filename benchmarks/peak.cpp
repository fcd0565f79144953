// The multiply-adds that this machine does at best, which every share of a peak refers to.
#include "peak.hpp"

#include <string>

#include <atrous/core/half.hpp>

namespace {

template <class T>
bool add(const std::string& title) {
  for (int threads : {1, 2, 4, 8, 16}) {
    const std::string name = title + "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(name.c_str(), [threads](benchmark::State& state) {
      double best = 0;
      for (auto _ : state) best = std::max(best, benchmarks::peak_flops<T>(threads));
      state.counters["GFLOP/s"] = best / 1e9;
    })->Unit(benchmark::kMillisecond);
  }
  return true;
}

const bool added = add<float>("peak") && add<atrous::half>("openmp-half/peak");

}  // namespace
