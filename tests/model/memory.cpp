// Nothing is allocated after the first run of a size. This file replaces operator new for the whole program, to
// count.
#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

namespace {

std::atomic<long> allocations{0};
constexpr std::size_t most_bytes = std::size_t{1} << 40;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (bytes > most_bytes) throw std::bad_alloc();  // sanitizers would end the program instead
  bytes = bytes == 0 ? 1 : bytes;
  void* p = alignment > alignof(std::max_align_t)
                ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                : std::malloc(bytes);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

// Not inlined, or the compiler would see memory of operator new go to free.
[[gnu::noinline]] void release(void* p) { std::free(p); }

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, 0); }
void* operator new[](std::size_t bytes) { return counted(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }

namespace {

using namespace atrous;

/// Results in memory of their own, as a caller keeps them.
struct outputs {
  tensor<std::uint8_t> labels;
  tensor<float> logits;

  template <class P>
  outputs(const inference<P>& net, workspace<P>& w, int height, int width) {
    const plan& p = net.prepare(w, height, width);
    labels = {1, {height, width, 1}};
    logits = {1, p.values[static_cast<std::size_t>(p.logits)].extent};
  }
  results views() { return {.labels = labels.view(), .logits = logits.view()}; }
};

template <class P>
void check_no_allocation() {
  const model<tiny::deeplab, P> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image big = made_picture(65, 49), small = made_picture(33, 20);
  workspace<P> w(2);
  outputs for_big(net, w, 65, 49), for_small(net, w, 33, 20);
  net.run(all_of(big), for_big.views(), w);
  net.run(all_of(small), for_small.views(), w);
  const std::vector<float> expected = for_small.logits.data;
  const std::size_t arena = w.arena_bytes();
  const auto in_use = mallinfo2().uordblks;
  const long before = allocations;
  for (int k = 0; k < 3; ++k) {
    net.run(all_of(big), for_big.views(), w);
    net.run(all_of(small), for_small.views(), w);
  }
  const long after = allocations;
  CHECK(after == before);
  CHECK(mallinfo2().uordblks == in_use);
  CHECK(w.arena_bytes() == arena);
  CHECK(for_small.logits.data == expected);
}

}  // namespace

TEST_CASE("operator new is counted") {
  const long before = allocations;
  ::operator delete(::operator new(8));
  CHECK(allocations > before);
}

TEST_CASE("nothing is allocated after the first run of a size, sizes alternating") {
  check_no_allocation<reference>();
  check_no_allocation<openmp>();
}

TEST_CASE("the bytes of an arena are those that were planned") {
  const model<tiny::deeplab, reference> net(rule_weights::make(graph_of<tiny::deeplab>));
  workspace<reference> w;
  CHECK(w.arena_bytes() == 0);
  const plan& small = net.prepare(w, 20, 30);
  CHECK(w.arena_bytes() == static_cast<std::size_t>(small.arena) * sizeof(float));
  const std::int64_t big = net.prepare(w, 40, 30, 2).arena;
  CHECK(w.arena_bytes() == static_cast<std::size_t>(big) * sizeof(float));
  net.prepare(w, 5, 5);
  CHECK(w.arena_bytes() == static_cast<std::size_t>(big) * sizeof(float));
  CHECK(net.runner().declared_plan().arena == plan_of<tiny::deeplab>.arena);
}

TEST_CASE("more sizes than a workspace keeps plans for") {
  const model<tiny::deeplab, reference> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(20, 100);
  workspace<reference> w;
  const std::vector<float> expected = net.logits(crop(9, 9).of(picture), w).data;
  for (int width = 1; width <= static_cast<int>(workspace<reference>::sizes_kept) + 1; ++width)
    net.prepare(w, 2, width);
  CHECK(net.logits(crop(9, 9).of(picture), w).data == expected);
}

TEST_CASE("a workspace survives a size that memory has no room for") {
  const model<tiny::deeplab, reference> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(9, 9);
  workspace<reference> w;
  const std::vector<float> expected = net.logits(all_of(picture), w).data;
  CHECK_THROWS_AS(net.prepare(w, 1 << 16, 1 << 16, 1 << 16), std::bad_alloc);
  CHECK_THROWS_WITH_AS(net.prepare(w, 1 << 20, 1 << 20), doctest::Contains("feature map must not exceed"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.prepare(w, 9, 9, 0), doctest::Contains("batch: expected 1"),
                       std::invalid_argument);
  w.threads = 0;
  CHECK_THROWS_WITH_AS(net.prepare(w, 9, 9), doctest::Contains("threads: expected 1"), std::invalid_argument);
  w.threads = 1;
  CHECK(net.logits(all_of(picture), w).data == expected);
}
