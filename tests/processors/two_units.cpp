// SPDX-License-Identifier: MIT
// The other unit, compiled for every processor, as are the tests of kernels that are linked to it.
#include <doctest/doctest.h>

#include "../backend/grid.hpp"
#include "wide.hpp"

TEST_CASE("a processor without AVX") {
  CHECK(!__builtin_cpu_supports("avx"));
  CHECK(atrous::simd::widest::get() == atrous::simd::instruction_set::baseline);
}

TEST_CASE("kernels of the unit for AVX2 where there is AVX2") {
  using namespace grid;
  if (!simd::has(simd::instruction_set::avx2)) {
    MESSAGE("skipped: this processor has no AVX2");
    return;
  }
  const auto correct = kernels_of<reference>();
  for (std::size_t k = 0; k < all_structures.size(); ++k) {
    trial t{.form = all_structures[k], .in = {9, 7, 19}, .out = 21, .target = {13, 40, 1}};
    t.kernel = t.form.kernel != 0 ? t.form.kernel : 4;
    t.stride = t.form.stride != 0 ? t.form.stride : 3;
    const outcome wanted = run<reference>(t, correct[k], 1), found = run<openmp>(t, kernel_for_avx2(k), 2);
    CHECK_MESSAGE(worst_difference(found.numbers, wanted.numbers) <= tolerance(t), text_of(t));
    CHECK_MESSAGE(wrong_labels(t, found, wanted) == 0, text_of(t));
  }
}
