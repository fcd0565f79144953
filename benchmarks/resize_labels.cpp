// Bilinear resizes inside of published networks, and the last one with its argmax (on smooth logits, as networks make
// them, and on noise, the worst case) or its softmax.
#include "steps.hpp"

namespace {

using namespace benchmarks;

/// Some blobs per class, as segments are, rounded to half for every policy.
template <class T>
void make_smooth(const view<const T>& x) {
  std::mt19937 engine(3);
  const auto random = [&] { return static_cast<float>(engine() % 1000) / 1000; };
  auto* out = const_cast<T*>(x.data);
  for (int c = 0; c < x.channels; ++c) {
    const float row = random() * static_cast<float>(x.height),
                column = random() * static_cast<float>(x.width);
    const float width = static_cast<float>(x.height) * (0.1F + 0.15F * random()), high = 8 + 4 * random();
    for (int i = 0; i < x.height; ++i)
      for (int j = 0; j < x.width; ++j) {
        const float u = (static_cast<float>(i) - row) / width, v = (static_cast<float>(j) - column) / width;
        const float number = high * std::exp(-(u * u + v * v) / 2) + (c == 0 ? 3.F : 0.F) + 0.3F * random();
        out[(i * x.width + j) * x.channels + c] = T(static_cast<float>(half(number)));
      }
  }
}

template <class P, bool Smooth>
void time_labels(benchmark::State& state, const network_step& s, int threads) {
  prepared<P> mine(s, threads);
  prepared<reference> theirs(s, 1);
  if (Smooth) make_smooth(mine.get().x), make_smooth(theirs.get().x);
  const kernel_function<P> k = kernel_for<P, structure{.kind = step_kind::labels}>();
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

template <class P>
void time_probabilities(benchmark::State& state, const network_step& s, int threads) {
  prepared<P> mine(s, threads);
  prepared<reference> theirs(s, 1);
  const kernel_function<P> k = kernel_for<P, structure{.kind = step_kind::probabilities}>();
  mine.run(k);
  theirs.run(kernel_for<reference, structure{.kind = step_kind::probabilities}>());
  for (std::int64_t i = 0; i < elements(s.y); ++i) {
    if (!(std::abs(mine.get().probabilities.data[i] - theirs.get().probabilities.data[i]) <= 1e-5F))
      return state.SkipWithError("differs from the reference");
  }
  for (auto _ : state) mine.run(k);
  state.counters["pixels/s"] =
      benchmark::Counter(double(pixels(s.y)), benchmark::Counter::kIsIterationInvariantRate);
}

template <class P>
void add_last() {
  const auto any = [](const network_step&) { return true; };
  const auto add = [&](const char* what, const network_step& s, int threads, const char* logits, auto time) {
    const std::string name =
        titled<P>(what + text_of(s.x)) + "->513x513/threads:" + std::to_string(threads) + logits;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { time(state, s, threads); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  for (int threads : {1, 2}) {
    for (const network_step& s : steps_of(step_kind::labels, any)) {
      add("labels_", s, threads, "/smooth", time_labels<P, true>);
      add("labels_", s, threads, "/noise", time_labels<P, false>);
    }
    for (const network_step& s : steps_of(step_kind::probabilities, any))
      add("probabilities_", s, threads, "", time_probabilities<P>);
  }
}

const bool added = [] {
  for (const network_step& s : steps_of(step_kind::resize, [](const network_step&) { return true; }))
    add_policies<step_kind::resize>(s);
  add_last<openmp>();
  add_last<openmp_half>();
  return true;
}();

}  // namespace
