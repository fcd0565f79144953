// The openmp policy on maps and weights in half against the reference in float, on the same numbers; the same bits for any
// number of threads; and half itself.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "trials.hpp"

namespace {

using namespace grid;
using enum simd::instruction_set;

template <simd::instruction_set Set>
using halves = openmp_with<simd::only<Set>, half>;

using enum step_kind;
using enum activation;
/// Every kernel, each way to begin and to end.
constexpr structure forms[] = {
    {.kind = input},
    {.kind = convolution, .kernel = 1, .stride = 1, .after = relu, .sum = true},
    {.kind = convolution, .kernel = 1, .stride = 2},
    {.kind = convolution, .kernel = 3, .stride = 1, .after = relu6},
    {.kind = convolution, .kernel = 3, .stride = 1, .sum = true},
    {.kind = convolution, .kernel = 3, .stride = 2, .after = relu},
    {.kind = convolution, .kernel = 0, .stride = 0, .border = true},
    {.kind = depthwise, .kernel = 3, .stride = 1, .before = relu},
    {.kind = depthwise, .kernel = 3, .stride = 2, .after = relu6},
    {.kind = depthwise, .kernel = 0, .stride = 0, .before = relu},
    {.kind = separable, .kernel = 3, .stride = 1, .before = relu, .sum = true},
    {.kind = separable, .kernel = 3, .stride = 2, .between = relu6},
    {.kind = batch_norm, .after = relu},
    {.kind = activate, .after = relu6},
    {.kind = max_pool},
    {.kind = average_pool},
    {.kind = resize},
    {.kind = add, .after = relu},
    {.kind = scale},
    {.kind = copy},
    {.kind = probabilities},
    {.kind = labels},
    {.kind = convolution, .kernel = 0, .stride = 0},
};
constexpr std::size_t convolved_any = std::size(forms) - 1;

/// Six times the root mean square of what rounding to integers adds (integers.hpp), of uniform numbers in -1 ... 1, which are
/// 0.58, after a depthwise of 9 taps three times that.
double tolerance_of_integers(const trial& t, simd::instruction_set set) {
  const bool separable = t.form.kind == step_kind::separable;
  const op what = step_of(t).what;
  if ((!separable && t.form.kind != convolution) || !cpu::rounds_to_integers<half>(set, what, t.in.channels))
    return 0;
  const double terms = double(what.kernel) * what.kernel * t.in.channels,
               at_once = std::min<double>(terms, cpu::most_terms);
  const double product = 0.58 * 0.58 * (separable ? 3 : 1),
               lost = std::hypot(1 / cpu::most_of_row, 1 / cpu::most_of_column);
  return 6 * std::sqrt(terms * at_once / 12) * product * lost;
}

/// As in float on the same numbers, and half a unit in the last place of the result, or of the smallest numbers. Winograd's
/// weights are rounded after their transformation: independent errors, of which a sum has 9 C.
double tolerance_in_half(const trial& t, const outcome& wanted, simd::instruction_set set) {
  double largest = 0;
  for (float each : wanted.numbers) largest = std::max(largest, std::abs(double(each)));
  const bool transformed = t.form.kind == convolution && cpu::winograd_wins(step_of(t).what, t.in.channels);
  const double weights = transformed ? 4 * std::sqrt(9.0 * t.in.channels) * 0x1p-11 : 0;
  const double stored = t.form.kind == probabilities ? 0 : largest * 0x1p-11 + 0x1p-24;
  return tolerance(t) + stored + weights + tolerance_of_integers(t, set);
}

/// Halves to floats and floats to halves by vectors, and what is left one by one.
template <class L>
struct conversions {
  const half* halves = nullptr;
  const float* floats = nullptr;
  float* loaded = nullptr;
  half* stored = nullptr;
  int count = 0;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = std::conditional_t<L::width == 1, simd::lane<half>, simd::lanes<half, Isa::bytes>>;
    for (int i = 0; i + lanes::width <= count; i += lanes::width) {
      typename lanes::vector x;
      lanes::load(halves + i, x);
      lanes::template of<float>::store(loaded + i, x);
      lanes::template of<float>::load(floats + i, x);
      lanes::store(stored + i, x);
    }
  }
};

template <simd::instruction_set Set, std::size_t K>
void compare(const trial& t, const outcome& wanted) {
  using policy = halves<Set>;
  if (!simd::has(Set)) return;
  const kernel_function<policy> k = kernel_for<policy, forms[K]>();
  const outcome one = run<policy>(t, k, 1);
  CHECK_MESSAGE(one.intact, text_of(t));
  for (int threads : {2, 3}) CHECK_MESSAGE(same_bits(one, run<policy>(t, k, threads)), text_of(t));
  if (t.form.kind == labels) {
    CHECK_MESSAGE(wrong_labels(t, one, wanted) == 0, text_of(t));
  } else {
    const double difference = worst_difference(one.numbers, wanted.numbers),
                 most = tolerance_in_half(t, wanted, Set);
    CHECK_MESSAGE(difference <= most, text_of(t), ": ", difference, " > ", most);
  }
}

template <std::size_t K>
void check(trial t) {
  t.halves = true;
  if (pixels(output_of(t)) == 0) return;
  const outcome wanted = run<reference>(t, kernel_for<reference, as_reference_sees(forms[K])>(), 1);
  compare<baseline, K>(t, wanted);
  compare<avx2, K>(t, wanted);
  compare<avx512, K>(t, wanted);
  compare<avx512_vnni, K>(t, wanted);
}

template <class Visit>
void each_form(const Visit& visit) {
  [&]<std::size_t... K>(std::index_sequence<K...>) { (visit(std::integral_constant<std::size_t, K>{}), ...); }
  (std::make_index_sequence<std::size(forms)>{});
}

}  // namespace

TEST_CASE("every half is a float and comes back; floats become the nearest half") {
  for (unsigned bits = 0; bits < 1U << 16; ++bits) {
    half x;
    x.bits = static_cast<std::uint16_t>(bits);
    const float number = x;
    if (std::isnan(number)) {
      CHECK((x.bits & 0x7fffU) > 0x7c00U);
      CHECK(std::isnan(float(half(number))));
      continue;
    }
    CHECK(half(number).bits == x.bits);
    if ((x.bits & 0x7fffU) >= 0x7bffU) continue;  // the largest, and infinity
    half next;
    next.bits = static_cast<std::uint16_t>(bits + 1);
    const float middle = (number + next) / 2;  // exact; ties go to the even one
    CHECK(half(middle).bits == (bits % 2 == 0 ? x.bits : next.bits));
    CHECK(half(std::nextafter(middle, number)).bits == x.bits);
    CHECK(half(std::nextafter(middle, float(next))).bits == next.bits);
  }
  CHECK(float(half(65504)) == half::most);
  CHECK(std::isinf(float(half(65520))));
  static_assert(half(1).bits == 0x3c00 && half(-0.0F).bits == 0x8000);
}

TEST_CASE("half: vectors convert as single numbers do, on every instruction set") {
  std::vector<half> halves(1U << 16);
  for (unsigned bits = 0; bits < 1U << 16; ++bits) halves[bits].bits = static_cast<std::uint16_t>(bits);
  std::vector<float> floats{65519.99F, 65520, 1e30F, -1e30F, 1e-30F, 0x1p-25F, std::nextafter(0x1p-25F, 1.0F),
                            -0.0F};
  for (unsigned bits = 0; bits < 0x7c00U; ++bits) {
    const float middle = (float(halves[bits]) + float(halves[bits + 1])) / 2;  // also towards infinity
    for (float each : {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, 1e9F)})
      floats.push_back(bits % 2 == 0 ? each : -each);
  }
  halves.resize(floats.size());
  const auto check_with = [&]<class L>(simd::instruction_set set, L) {
    if (!simd::has(set)) return;
    std::vector<float> loaded(floats.size());
    std::vector<half> stored(floats.size());
    const int count = static_cast<int>(floats.size()) / 16 * 16;
    simd::dispatch(set, conversions<L>{halves.data(), floats.data(), loaded.data(), stored.data(), count});
    int wrong = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const float wanted = halves[i];
      wrong += std::isnan(wanted) ? !std::isnan(loaded[i])
                                  : std::bit_cast<unsigned>(loaded[i]) != std::bit_cast<unsigned>(wanted);
      wrong += stored[i].bits != half(floats[i]).bits;
    }
    CHECK(wrong == 0);
  };
  for (const auto set : {baseline, avx2, avx512, avx512_vnni}) {
    check_with(set, simd::lane<half>{});
    check_with(set, simd::lanes<half, 16>{});
  }
}

TEST_CASE("half: every kernel computes what the reference computes") {
  picker p;
  each_form([&](auto k) {
    for (int i = 0; i < 40; ++i) check<k>(some_trial(p, forms[k]));
  });
}

TEST_CASE("half: windows of few channels and many taps") {
  for (int kernel : {9, 15, 17})
    for (int channels : {3, 4}) {
      trial t{.form = forms[convolved_any]};
      t.kernel = kernel, t.stride = 2, t.pad = padding::same(), t.in = {19, 21, channels}, t.out = 21;
      check<convolved_any>(t);
    }
}

TEST_CASE("half: more terms than are summed in one go") {
  for (int channels : {600, 1025, 2050}) {
    trial t{.form = forms[1]};
    t.in = {5, 6, channels}, t.out = 21, t.gap = 3;
    check<1>(t);
    t = {.form = forms[10]};
    for (int rate : {1, 2}) {
      t.kernel = 3, t.rate = rate, t.in = {7, 13, channels}, t.out = 40;
      check<10>(t);
    }
  }
  for (const shape& in :
       {shape{3, 9, 128}, shape{5, 6, 300}}) {  // taps come in several passes, other ones in each block
    trial t{.form = forms[5]};
    t.kernel = 3, t.stride = 2, t.in = in, t.out = 21;
    check<5>(t);
  }
}
