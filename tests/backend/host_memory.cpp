// Host memory of policies: zero, aligned, and not taken before it is used.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <utility>
#include <vector>

#include <atrous/backend/host_memory.hpp>

namespace {

using policy = atrous::host_memory_policy;

bool aligned(const policy::buffer& b, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(policy::address(b)) % to == 0;
}

long resident() {
  long pages = 0, held = 0;
  std::ifstream("/proc/self/statm") >> pages >> held;
  return held * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("buffers are zero, aligned and have slack behind them, whatever their size") {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, policy::huge_page - 1,
                                  policy::huge_page, 3 * policy::huge_page + 5}) {
    CAPTURE(bytes);
    const policy::buffer b = policy::allocate(bytes);
    const std::size_t all = bytes + atrous::host_slack_bytes;
    std::byte* first = policy::address(b);
    CHECK(aligned(b, bytes < policy::huge_page ? 64 : policy::huge_page));
    CHECK(std::all_of(first, first + all, [](std::byte x) { return x == std::byte{0}; }));
    std::fill(first, first + all, std::byte{1});
  }
}

TEST_CASE("what goes up comes down, from where a buffer was moved to") {
  for (const std::size_t bytes : {std::size_t{100}, 2 * policy::huge_page}) {
    std::vector<unsigned char> numbers(bytes), found(bytes);
    std::iota(numbers.begin(), numbers.end(), static_cast<unsigned char>(3));
    policy::buffer b = policy::allocate(bytes);
    policy::upload(b, 0, numbers.data(), bytes);
    policy::buffer moved = std::move(b);
    b = policy::allocate(10);
    policy::download(moved, 0, found.data(), bytes);
    CHECK(found == numbers);
    moved = {};
  }
}

TEST_CASE("large buffers take memory as they are touched and give it back") {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  constexpr long much = bytes / 2;
  const long before = resident();
  policy::buffer b = policy::allocate(bytes);
  CHECK(resident() - before < much);
  std::fill_n(policy::address(b), bytes, std::byte{1});
  CHECK(resident() - before > much);
  b = {};
  CHECK(resident() - before < much);
}
