// Products of pairs of integers.
#include <doctest/doctest.h>

#include <atrous/simd/lanes.hpp>
#include <atrous/simd/pairs.hpp>
#include <cstring>
#include <random>
#include <vector>

using namespace atrous::simd;

namespace {

struct added_products {
  const std::int32_t* x = nullptr;
  const std::int32_t* y = nullptr;
  std::int32_t* sums = nullptr;
  static constexpr bool multiplies_integers = true;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using integers = lanes<std::int32_t, Isa::bytes>;
    for (int i = 0; i < 64; i += integers::width) {
      typename integers::vector a, b, sum;
      integers::load(x + i, a);
      integers::load(y + i, b);
      integers::load(sums + i, sum);
      add_products<Isa>(a, b, sum);
      integers::store(sums + i, sum);
    }
  }
};

}  // namespace

TEST_CASE("both products of a pair are added, on every instruction set") {
  std::mt19937 engine{1};
  std::uniform_int_distribution<int> any(-32000, 32000), sum(-1000, 1000);
  std::vector<std::int16_t> x(128), y(128);
  std::vector<std::int32_t> pairs_x(64), pairs_y(64), sums(64), wanted(64);
  for (auto* each : {&x, &y})
    for (std::int16_t& number : *each) number = static_cast<std::int16_t>(any(engine));
  std::memcpy(pairs_x.data(), x.data(), 256);
  std::memcpy(pairs_y.data(), y.data(), 256);
  for (const auto set : {instruction_set::baseline, instruction_set::avx2, instruction_set::avx512,
                         instruction_set::avx512_vnni}) {
    if (!has(set)) continue;
    for (std::size_t i = 0; i < 64; ++i) {
      sums[i] = sum(engine);
      wanted[i] = sums[i] + x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
    }
    dispatch(set, added_products{pairs_x.data(), pairs_y.data(), sums.data()});
    CHECK(sums == wanted);
  }
}
