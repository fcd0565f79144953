// Winograd's convolution against the reference: odd extents, every rate, batches, sums, activations, slices, channels
// that are no whole vectors, any number of threads; and how exact it is, against sums in double.
#include <doctest/doctest.h>

#include "grid.hpp"

namespace {

using namespace grid;
using enum simd::instruction_set;

template <simd::instruction_set Set>
using policy = openmp_with<simd::only<Set>>;

/// The kernel of P for what follows the sum.
template <class P>
kernel_function<P> kernel_of(const structure& form) {
  const auto with = []<activation After>(bool sum) -> kernel_function<P> {
    constexpr structure plain{.kind = step_kind::convolution, .kernel = 3, .stride = 1, .after = After};
    constexpr structure sums{
        .kind = step_kind::convolution, .kernel = 3, .stride = 1, .after = After, .sum = true};
    return sum ? kernel_for<P, sums>() : kernel_for<P, plain>();
  };
  switch (form.after) {
    case activation::relu:
      return with.template operator()<activation::relu>(form.sum);
    case activation::relu6:
      return with.template operator()<activation::relu6>(form.sum);
    default:
      return with.template operator()<activation::none>(form.sum);
  }
}

trial trial_of(shape in, int out, int rate) {
  trial t{.form = {.kind = step_kind::convolution, .kernel = 3, .stride = 1}};
  t.kernel = 3, t.in = in, t.out = out, t.rate = rate;
  return t;
}

template <simd::instruction_set Set>
void compare(const trial& t, const outcome& wanted) {
  if (!simd::has(Set)) return;
  const kernel_function<policy<Set>> k = kernel_of<policy<Set>>(t.form);
  const outcome one = run<policy<Set>>(t, k, 1);
  CHECK_MESSAGE(one.intact, text_of(t));
  for (int threads : {2, 5}) CHECK_MESSAGE(same_bits(one, run<policy<Set>>(t, k, threads)), text_of(t));
  const double difference = worst_difference(one.numbers, wanted.numbers);
  CHECK_MESSAGE(difference <= tolerance(t), text_of(t), ": ", difference, " > ", tolerance(t));
}

void check(const trial& t) {
  REQUIRE(cpu::winograd_wins(step_of(t).what, t.in.channels));
  if (pixels(output_of(t)) == 0) return;
  const outcome wanted = run<reference>(t, kernel_of<reference>(t.form), 1);
  compare<baseline>(t, wanted);
  compare<avx2>(t, wanted);
  compare<avx512>(t, wanted);
}

}  // namespace

TEST_CASE("tiles: every output of an axis falls into one, and tiles that need a point are counted right") {
  using namespace cpu::winograd;
  for (int out = 1; out <= 40; ++out) {
    for (int rate = 1; rate <= 18; ++rate) {
      const tiling tiles({.in = out, .out = out, .before = rate, .taps = 3, .stride = 1, .rate = rate});
      std::vector<int> times(static_cast<std::size_t>(out)), needing(points);
      for (int t = 0; t < tiles.count(); ++t) {
        const cpu::winograd::tile_span s = tiles[t];
        for (int k = 0; k < s.outputs; ++k) ++times[static_cast<std::size_t>(s.first + k * rate)];
        for (int p = 0; p < points; ++p) {
          CHECK(tiles.before(t, p) == needing[static_cast<std::size_t>(p)]);
          needing[static_cast<std::size_t>(p)] += needs(s.outputs, p);
        }
      }
      CHECK_MESSAGE(std::count(times.begin(), times.end(), 1) == out, out, " at rate ", rate);
      for (int p = 0; p < points; ++p)
        CHECK(tiles.before(tiles.count(), p) == needing[static_cast<std::size_t>(p)]);
    }
  }
}

TEST_CASE("every rate on every extent") {
  for (int rate = 1; rate <= 18; ++rate)
    for (int height : {1, 2, 3, 5, 13, 34})
      for (int width : {1, 4, 7, 12, 25})
        if (height * width < 400 || rate % 5 == 1) check(trial_of({height, width, 16}, 18, rate));
}

TEST_CASE("batches, sums, activations and slices") {
  unsigned seed = 1;
  for (int rate : {1, 2, 6}) {
    for (int batch : {1, 2, 3}) {
      for (activation after : bounding_activations) {
        for (bool sum : {false, true}) {
          trial t = trial_of({8, 11, 19}, 21, rate);
          t.batch = batch, t.form.after = after, t.form.sum = sum, t.gap = static_cast<int>(seed % 3) * 5;
          t.seed = seed++;
          check(t);
        }
      }
    }
  }
}

TEST_CASE("paddings that shift tiles, and none") {
  for (int rate : {1, 2, 3, 12}) {
    for (const padding& pad : {padding::same(), padding::none(), padding::given(1, 2, 3, 0),
                               padding::given(0, 5, 7, 1), padding::given(40, 30, 20, 10)}) {
      trial t = trial_of({14, 9, 16}, 16, rate);
      t.pad = pad;
      check(t);
    }
  }
}

TEST_CASE("channels that are no whole vectors, and more than pass at a time") {
  for (int channels : {17, 31, 64, 513, 520, 1030})
    for (int out : {16, 23, 32, 33, 49}) check(trial_of({7, 4, channels}, out, 1));
}

TEST_CASE("more tiles than one group holds") {
  check(trial_of({40, 61, 16}, 16, 1));
  trial t = trial_of({33, 34, 16}, 17, 2);
  t.batch = 2, t.form.sum = true, t.gap = 3;
  check(t);
}

namespace {

/// The root of the mean of squares of what P's numbers lack, against sums in double.
template <class P>
double error_of(const trial& t, const std::vector<double>& exact) {
  const outcome found = run<P>(t, kernel_of<P>(t.form), 1);
  double sum = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) sum += std::pow(found.numbers[k] - exact[k], 2);
  return std::sqrt(sum / static_cast<double>(exact.size()));
}

/// What the reference computes, in double, from the same random numbers (grid::run).
std::vector<double> exact_of(const trial& t) {
  const step s = step_of(t);
  const std::vector<float> x = random_numbers(elements(t.in), t.seed);
  const std::vector<float> w = random_numbers(reference::packed_elements(s.what, t.in), t.seed + 20);
  const std::vector<float> bias = random_numbers(t.out, t.seed + 21);
  const view<const float> in{x.data(), 1, t.in};
  std::vector<double> all;
  for (int i = 0; i < t.in.height; ++i) {
    for (int j = 0; j < t.in.width; ++j) {
      for (int k = 0; k < t.out; ++k) {
        double sum = bias[static_cast<std::size_t>(k)];
        plain::each_tap(s.what, in, nullptr, 0, i, j, [&](const float* pixel, int tap) {
          for (int c = 0; c < t.in.channels; ++c)
            sum += double(pixel[c]) * w[static_cast<std::size_t>((tap * t.in.channels + c) * t.out + k)];
        });
        all.push_back(sum);
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("errors are at most 2.5 times those of sums in order") {
  for (int rate : {1, 2}) {
    const trial t = trial_of({16, 17, 128}, 32, rate);
    const std::vector<double> exact = exact_of(t);
    const double direct = error_of<reference>(t, exact), winograd = error_of<openmp>(t, exact);
    MESSAGE("rate ", rate, ": root mean square error ", winograd, ", of the reference ", direct);
    CHECK(direct > 0);
    CHECK(winograd <= 2.5 * direct);
  }
}
