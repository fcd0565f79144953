// SPDX-License-Identifier: MIT
// Which version of a job runs.
#include <doctest/doctest.h>

#include <initializer_list>
#include <type_traits>

#include <atrous/simd/instruction_sets.hpp>

using namespace atrous::simd;

namespace {

/// Says which version it is.
struct which {
  properties* found = nullptr;
  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    *found = properties_of<Isa>;
  }
};

}  // namespace

TEST_CASE("a job runs in the version for the instruction set") {
  for (instruction_set set : {instruction_set::baseline, instruction_set::avx2, instruction_set::avx512,
                              instruction_set::avx512_vnni}) {
    if (!has(set)) continue;
    properties found;
    dispatch(set, which{&found});
    CHECK(found.bytes == properties_at(set).bytes);
    CHECK(found.rows == properties_at(set).rows);
  }
}

TEST_CASE("the widest instruction set is one that the processor has, and has none wider") {
  const instruction_set widest_here = widest::get();
  CHECK(has(instruction_set::baseline));
  CHECK(has(widest_here));
  for (instruction_set set : {instruction_set::avx2, instruction_set::avx512, instruction_set::avx512_vnni})
    if (set > widest_here) CHECK(!has(set));
}

TEST_CASE("the baseline is what every processor of the architecture has") {
#if defined(__aarch64__)
  CHECK(std::is_same_v<baseline, neon>);
  CHECK(widest::get() == instruction_set::baseline);
#else
  CHECK(std::is_same_v<baseline, sse2>);
#endif
}
