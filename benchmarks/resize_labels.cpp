// Bilinear resizes inside of published networks, and the last one with its argmax: on smooth logits, as networks make
// them, and on noise, the worst case.
#include "steps.hpp"

namespace {

using namespace benchmarks;

/// Some blobs per class, as segments are.
void make_smooth(const view<const float>& x) {
  std::mt19937 engine(3);
  const auto random = [&] { return static_cast<float>(engine() % 1000) / 1000; };
  auto* out = const_cast<float*>(x.data);
  for (int c = 0; c < x.channels; ++c) {
    const float row = random() * static_cast<float>(x.height),
                column = random() * static_cast<float>(x.width);
    const float width = static_cast<float>(x.height) * (0.1F + 0.15F * random()), high = 8 + 4 * random();
    for (int i = 0; i < x.height; ++i)
      for (int j = 0; j < x.width; ++j) {
        const float u = (static_cast<float>(i) - row) / width, v = (static_cast<float>(j) - column) / width;
        out[(i * x.width + j) * x.channels + c] =
            high * std::exp(-(u * u + v * v) / 2) + (c == 0 ? 3.F : 0.F) + 0.3F * random();
      }
  }
}

template <bool Smooth>
void time_labels(benchmark::State& state, const network_step& s, int threads) {
  prepared<openmp> mine(s, threads);
  prepared<reference> theirs(s, 1);
  if (Smooth) make_smooth(mine.get().x), make_smooth(theirs.get().x);
  const kernel_function<openmp> k = kernel_for<openmp, structure{.kind = step_kind::labels}>();
  mine.run(k);
  theirs.run(kernel_for<reference, structure{.kind = step_kind::labels}>());
  std::int64_t different = 0;
  for (std::int64_t p = 0; p < pixels(s.y); ++p)
    different += mine.get().labels.data[p] != theirs.get().labels.data[p];
  if (different > pixels(s.y) / 100'000) return state.SkipWithError("differs from the reference");
  for (auto _ : state) mine.run(k);
  state.counters["pixels/s"] =
      benchmark::Counter(double(pixels(s.y)), benchmark::Counter::kIsIterationInvariantRate);
}

const bool added = [] {
  const auto any = [](const network_step&) { return true; };
  add_steps<openmp, step_kind::resize>(any);
  for (const network_step& s : steps_of(step_kind::labels, any)) {
    for (int threads : {1, 2}) {
      const std::string name = "labels_" + text_of(s.x) + "->513x513/threads:" + std::to_string(threads);
      const auto add = [&](const char* logits, auto time) {
        benchmark::RegisterBenchmark((name + logits).c_str(),
                                     [=](benchmark::State& state) { time(state, s, threads); })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      };
      add("/smooth", time_labels<true>);
      add("/noise", time_labels<false>);
    }
  }
  return true;
}();

}  // namespace
