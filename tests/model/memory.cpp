// What runs allocate, how long they stay flat, and what happens where memory ends. This file replaces operator new for
// the whole program, to count, and to fail on demand.
#include <doctest/doctest.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/data/png.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/multi_scale.hpp>
#include <atrous/model/profile.hpp>
#include <atrous/model/tiled.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/scratch.hpp"
#include "../support/tiny.hpp"

namespace {

std::atomic<long> allocations{0}, alive{0};
std::atomic<long> until_failure{-1};  // allocations that succeed before one fails; negative: none fails
constexpr std::size_t most_bytes = std::size_t{1} << 40;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (until_failure >= 0 && until_failure-- == 0) throw std::bad_alloc();
  if (bytes > most_bytes) throw std::bad_alloc();  // sanitizers would end the program instead
  bytes = bytes == 0 ? 1 : bytes;
  void* p = alignment > alignof(std::max_align_t)
                ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                : std::malloc(bytes);
  if (p == nullptr) throw std::bad_alloc();
  ++alive;
  return p;
}

// Not inlined, or the compiler would see memory of operator new go to free.
[[gnu::noinline]] void release(void* p) {
  if (p != nullptr) --alive;
  std::free(p);
}

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
  tensor<float> logits, probabilities;

  template <class P>
  outputs(const inference<P>& net, workspace<P>& w, int height, int width) {
    const plan& p = net.prepare(w, height, width);
    labels = {1, {height, width, 1}};
    logits = {1, p.values[static_cast<std::size_t>(p.logits)].extent};
    probabilities = {1, p.output};
  }
  results views() {
    return {.labels = labels.view(), .logits = logits.view(), .probabilities = probabilities.view()};
  }
};

template <class P>
void check_no_allocation() {
  const model<tiny::deeplab, P> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image big = made_picture(65, 49), small = made_picture(33, 20);
  workspace<P> w(2);
  outputs for_big(net, w, 65, 49), for_small(net, w, 33, 20);  // prepare both sizes
  const std::vector<float> expected = net.logits(all_of(small)).data;
  const std::size_t arena = w.arena_bytes();
  const auto in_use = mallinfo2().uordblks;
  const long before = allocations;
  for (int k = 0; k < 3; ++k) {
    net.run(all_of(big), for_big.views(), w);
    net.run(all_of(small), for_small.views(), w);
  }
  const long after = allocations;
  CHECK(after == before);
#if defined(__clang__)
  constexpr std::size_t runtimes_own = 4096;  // libomp takes a few small blocks now and then
#else
  constexpr std::size_t runtimes_own = 0;
#endif
  CHECK(mallinfo2().uordblks <= in_use + runtimes_own);
  CHECK(w.arena_bytes() == arena);
  CHECK(for_small.logits.data == expected);
}

}  // namespace

TEST_CASE("operator new is counted") {
  const long before = allocations;
  ::operator delete(::operator new(8));
  CHECK(allocations > before);
}

TEST_CASE("nothing is allocated after a size is prepared, from its first run on, sizes alternating") {
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

// ---- long use

namespace {

/// Bytes of memory that the process holds.
long resident() {
  long pages = 0, held = 0;
  std::ifstream("/proc/self/statm") >> pages >> held;
  return held * ::sysconf(_SC_PAGESIZE);
}

constexpr long mebibyte = 1 << 20;

/// What `run(k)` adds to the resident memory between the first `warm` and the last of `all` runs; no allocation may
/// stay alive that was not alive then.
template <class Run>
long growth(int warm, int all, Run run) {
  for (int k = 0; k < warm; ++k) run(k);
  const long before = resident(), kept = alive;
  for (int k = warm; k < all; ++k) run(k);
  const long more = resident() - before, left = alive - kept;
  CHECK(left == 0);
  return more;
}

}  // namespace

TEST_CASE("100,000 runs hold no more memory than the first thousand (long)") {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(17, 20);
  workspace<openmp> w;
  const std::vector<std::uint8_t> expected = net.labels(crop(9, 12).of(picture), w).data;
  int wrong = 0;
  const long more = growth(1'000, 100'000, [&](int k) {
    if (k % 2 == 0) wrong += net.labels(crop(9, 12).of(picture), w).data != expected;
    if (k % 2 == 1) net.logits(crop(17, 20).of(picture), w);
  });
  MESSAGE("resident memory grew by " << more << " bytes to " << resident());
  CHECK(wrong == 0);
  CHECK(more < mebibyte);
}

TEST_CASE("sizes that come and go hold no more memory than those that are kept (long)") {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(20, 20);
  workspace<openmp> w;
  constexpr int sizes = 3 * static_cast<int>(workspace<openmp>::sizes_kept);
  const long more = growth(2 * sizes, 20 * sizes,
                           [&](int k) { net.labels(crop(1 + k % sizes / 16, 1 + k % 16).of(picture), w); });
  MESSAGE("resident memory grew by " << more << " bytes to " << resident());
  CHECK(more < mebibyte);
}

// ---- an allocator that fails

namespace {

/// Calls `body(failing)` with an allocator that fails at the first, second, ... allocation within
/// `failing([&] { ... })`, until it gets through; returns how many there were. Each failure must come out as
/// std::bad_alloc, and once a body is left nothing that it allocated may be alive.
template <class Body>
long walk(Body body) {
  for (long n = 0;; ++n) {
    const long before = alive;
    bool failed = false, thrown = false;
    body([&](auto work) {
      until_failure = n;
      try {
        work();
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      failed = until_failure < 0;
      until_failure = -1;
    });
    const long left = alive - before;  // CAPTURE allocates
    CAPTURE(n);
    REQUIRE(left == 0);
    REQUIRE(thrown == failed);
    if (!failed) return n;
  }
}

std::string file_of(const tensor_set& weights) {
  const scratch here;
  write_safetensors(here.folder / "weights", weights.tensors);
  return contents_of(here.folder / "weights");
}

/// `work(image, workspace)` on a workspace that has run already: whatever fails, it and the model still give the same.
template <class P, class Work>
long walk_runs(const inference<P>& net, Work work) {
  const image picture = made_picture(9, 12);
  const pixels_view small = crop(5, 7).of(picture), all = all_of(picture);
  const std::vector<float> expected_small = net.logits(small).data, expected = net.logits(all).data;
  return walk([&](auto failing) {
    workspace<P> w;
    REQUIRE(net.logits(small, w).data == expected_small);
    failing([&] { work(all, w); });
    REQUIRE(!w.on_step);
    REQUIRE(net.logits(small, w).data == expected_small);
    REQUIRE(net.logits(all, w).data == expected);
  });
}

template <class P>
void walk_model() {
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const long made = walk([&](auto failing) { failing([&] { model<tiny::deeplab, P>{weights}; }); });
  const model<tiny::deeplab, P> net(weights);
  const long ran = walk_runs<P>(net, [&](const pixels_view& image, workspace<P>& w) {
    net.prepare(w, image.height, image.width);
    net.labels(image, w);
    net.probabilities(image, w);
    net.logits(image, w);
    net.runner().value_of(net.runner().network().output - 1, w);
  });
  MESSAGE(std::string(P::name) << ": " << made << " allocations of a model, " << ran
                               << " of runs failed in turn");
}

}  // namespace

TEST_CASE("an allocator that fails: models and their runs") {
  walk_model<reference>();
  walk_model<openmp>();
}

TEST_CASE("an allocator that fails: networks put together at run time") {
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const long made = walk(
      [&](auto failing) { failing([&] { runtime<openmp>(tiny::plus, tiny::deeplab.image, weights); }); });
  MESSAGE(made << " allocations of a runtime_model failed in turn");
}

TEST_CASE("an allocator that fails: runs of several parts, and measured ones") {
  using workspace = atrous::workspace<openmp>;
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const long scaled = walk_runs<openmp>(net, [&](const pixels_view& image, workspace& w) {
    multi_scale<openmp>(net, {.scales = {0.5, 1}, .flip = true}).labels(image, w);
  });
  const long tiles = walk_runs<openmp>(
      net, [&](const pixels_view& image, workspace& w) { tiled<openmp>(net).probabilities(image, w); });
  const long measured = walk_runs<openmp>(
      net, [&](const pixels_view& image, workspace& w) { text_of(profile(net, image, w, 1)); });
  MESSAGE(scaled << " allocations of multi_scale, " << tiles << " of tiled and " << measured
                 << " of profile failed in turn");
}

TEST_CASE("an allocator that fails: memory of a policy") {
  CHECK(walk([](auto failing) { failing([] { host_memory_policy::allocate(1000); }); }) == 1);
}

TEST_CASE("an allocator that fails: weights") {
  const scratch here;
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const std::string file = file_of(weights);
  std::filesystem::path path = here.file("weights", file);
  const long from_memory =
      walk([&](auto failing) { failing([&] { read_safetensors(bytes_of(file), "memory"); }); });
  const long from_file = walk([&](auto failing) { failing([&] { read_safetensors(path); }); });
  const long bound = walk([&](auto failing) { failing([&] { bind(graph_of<tiny::deeplab>, weights); }); });
  const long written = walk([&](auto failing) {
    failing([&] { write_safetensors(path, weights.tensors, {{"classes", "5"}}); });
    REQUIRE(std::distance(std::filesystem::directory_iterator(here.folder), {}) == 1);
  });
  MESSAGE(from_memory << " allocations of reading memory, " << from_file << " of reading a file, " << bound
                      << " of binding and " << written << " of writing failed in turn");
}

TEST_CASE("an allocator that fails: pictures") {
  const scratch here;
  write_png(here.folder / "picture", made_picture(9, 12));
  const std::string file = contents_of(here.folder / "picture");
  const long read = walk([&](auto failing) { failing([&] { read_png(bytes_of(file), "memory"); }); });
  MESSAGE("allocations of reading a PNG that failed in turn: " << read);
}
