// Weights are packed by any number of threads: the same numbers, and the same words where they cannot be.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/model/packed_weights.hpp>
#include <atrous/plan/planner.hpp>

#include "../backend/device_policy.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

template <class P>
packed_weights<P> packed(const tensor_set& weights, int threads) {
  const plan p = make_plan(graph_of<tiny::deeplab>);
  return packed_weights<P>(graph_of<tiny::deeplab>, p, bind(graph_of<tiny::deeplab>, weights), threads);
}

/// Everything that was packed, from the first kernel on.
std::vector<char> contents(const packed_weights<openmp>& weights) {
  const float* first = nullptr;
  for (std::size_t i = 0; i < plan_of<tiny::deeplab>.steps.size(); ++i) {
    for (const float* kernel : {weights.of(i).kernel, weights.first_of(i).kernel})
      if (kernel != nullptr && (first == nullptr || kernel < first)) first = kernel;
  }
  const auto* bytes = reinterpret_cast<const char*>(first);
  return {bytes, bytes + weights.bytes()};
}

/// The rule's weights, with a number that is none in these tensors.
tensor_set damaged(const std::vector<std::string>& names) {
  tensor_set made = rule_weights::make(graph_of<tiny::deeplab>);
  for (stored_tensor& t : made.tensors) {
    if (std::find(names.begin(), names.end(), t.name) == names.end()) continue;
    const float none = std::nanf("");
    std::memcpy(const_cast<std::byte*>(t.bytes.data()) + t.bytes.size() - sizeof(none), &none, sizeof(none));
  }
  return made;
}

template <class P>
std::string complaint(const tensor_set& weights, int threads) {
  try {
    packed<P>(weights, threads);
    return "none";
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
}

/// Says which threads packed.
struct watched : openmp {
  static inline std::mutex lock;
  static inline std::set<std::thread::id> threads;

  static void pack(const op& o, shape in, const float* kernel, float* to) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the others get a turn
    openmp::pack(o, in, kernel, to);
    const std::lock_guard guard(lock);
    threads.insert(std::this_thread::get_id());
  }
};

}  // namespace

#if defined(_OPENMP)
TEST_CASE("as many threads as wanted pack") {
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  for (const int threads : {1, 3}) {
    watched::threads.clear();
    packed<watched>(weights, threads);
    CHECK(watched::threads.size() == static_cast<std::size_t>(threads));
  }
}
#endif

TEST_CASE("the number of threads changes nothing of what is packed") {
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const std::vector<char> expected = contents(packed<openmp>(weights, 1));
  for (const int threads : {2, 3, 16}) CHECK(contents(packed<openmp>(weights, threads)) == expected);
}

TEST_CASE("the first tensor in the order of steps is named, whoever meets another one first") {
  std::vector<std::string> names;
  for (const stored_tensor& t : rule_weights::make(graph_of<tiny::deeplab>).tensors) names.push_back(t.name);
  for (std::size_t i = 0; i + 1 < names.size(); i += 3) {
    const tensor_set weights = damaged({names[i], names[i + 1], names.back()});
    const std::string expected = complaint<reference>(weights, 1);
    CHECK(expected.find("expected a finite number") != std::string::npos);
    for (const int threads : {1, 2, 5})
      for (int again = 0; again < 5; ++again) CHECK(complaint<openmp>(weights, threads) == expected);
    CHECK(complaint<device>(weights, 2) == expected);  // which has no threads
  }
}

TEST_CASE("the root of a network comes before its classifier") {
  const graph_view g = graph_of<tiny::deeplab>;
  int first = 0;
  while (g.parameters_of(first).empty()) ++first;
  const std::string root = g.parameter_name(first, g.parameters_of(first)[0]);
  const tensor_set weights = damaged({root, "logits/semantic/weights", "logits/semantic/biases"});
  CHECK(complaint<openmp>(weights, 2).find(root) != std::string::npos);
}

TEST_CASE("every tensor is released when it has been read") {
  tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  std::size_t all = 0;
  for (const stored_tensor& t : weights.tensors) all += t.bytes.size();
  std::mutex alone;
  std::map<const std::byte*, std::size_t> released;  // those that two steps read in parts twice
  weights.release = [&](std::span<const std::byte> part) {
    const std::scoped_lock lock(alone);
    released[part.data()] = part.size();
  };
  packed<openmp>(weights, 2);
  std::size_t found = 0;
  for (const auto& [first, size] : released) found += size;
  CHECK(found == all);
}
