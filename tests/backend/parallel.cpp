// Threads: as many as the caller says, and no more where the caller has threads of its own.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <atrous/backend/openmp/parallel.hpp>

using namespace atrous;

namespace {

/// Whether every index was visited once, by threads 0 ... most - 1.
bool visits_once(int threads, int most) {
  std::vector<std::atomic<int>> visits(1000);
  std::atomic<bool> known = true;
  cpu::parallel_for(threads, 1000, [&](std::int64_t i, int thread) {
    ++visits[static_cast<std::size_t>(i)];
    if (thread < 0 || thread >= most) known = false;
  });
  for (const auto& each : visits)
    if (each != 1) return false;
  return known;
}

}  // namespace

TEST_CASE("every index once, by as many threads as wanted") {
  for (int threads : {1, 2, 3, 16}) CHECK(visits_once(threads, threads));
}

TEST_CASE("threads of the caller side by side") {
  std::atomic<int> good = 0;
  std::vector<std::thread> callers;
  for (int k = 0; k < 4; ++k) callers.emplace_back([&] { good += visits_once(2, 2); });
  for (std::thread& each : callers) each.join();
  CHECK(good == 4);
}

#if defined(_OPENMP)
TEST_CASE("inside of the caller's parallel region there are no further threads") {
  std::atomic<int> good = 0;
#pragma omp parallel num_threads(2)
  good += visits_once(8, 1);
  CHECK(good == 2);
}
#endif
