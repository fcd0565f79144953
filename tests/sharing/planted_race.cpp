// Races on purpose: `planted_race threads`, `planted_race loop` (of OpenMP), `planted_race workspace` (two threads that
// share what they must not share). The thread sanitizer must see each, or its silence about the library says nothing.
#include <cstdio>
#include <functional>
#include <string_view>
#include <thread>

#include <atrous/backend/openmp.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

long counter = 0;

void count() {
  for (int k = 0; k < 10000; ++k) ++counter;
}

void race_of_threads() {
  std::thread first(count), second(count);
  first.join();
  second.join();
}

void race_in_a_loop() {
#pragma omp parallel for num_threads(2)
  for (int k = 0; k < 10000; ++k) ++counter;
}

void race_for_a_workspace() {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(33, 47);
  workspace<openmp> shared;
  net.prepare(shared, 33, 47);
  const auto use = [&] { counter += net.labels(all_of(picture), shared).batch; };
  std::thread first(use), second(use);
  first.join();
  second.join();
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
  const std::string_view kind = count_of_arguments == 2 ? arguments[1] : "";
  if (kind == "threads") race_of_threads();
  if (kind == "loop") race_in_a_loop();
  if (kind == "workspace") race_for_a_workspace();
  std::printf("%ld, and no report\n", counter);
}
