// Every kernel of the openmp policy against the reference, over shapes, rates, strides, paddings and slices, with every
// instruction set that this processor has; and the same bits for any number of threads.
#include <doctest/doctest.h>

#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>

#include "trials.hpp"

namespace {

using namespace grid;

struct against_reference {
  std::vector<kernel_function<reference>> correct = kernels_of<reference>();
  std::vector<kernel_function<openmp>> baseline =
      kernels_of<openmp_with<simd::only<simd::instruction_set::baseline>>>();
  std::vector<kernel_function<openmp>> avx2 =
      kernels_of<openmp_with<simd::only<simd::instruction_set::avx2>>>();
  std::vector<kernel_function<openmp>> avx512 =
      kernels_of<openmp_with<simd::only<simd::instruction_set::avx512>>>();
};

const against_reference& kernels() {
  static const against_reference all;
  return all;
}

template <class P>
void compare(const trial& t, kernel_function<P> k, const outcome& wanted) {
  const outcome one = run<P>(t, k, 1), two = run<P>(t, k, 2), three = run<P>(t, k, 3);
  CHECK_MESSAGE(one.intact, text_of(t));
  CHECK_MESSAGE(same_bits(one, two), text_of(t));
  CHECK_MESSAGE(same_bits(one, three), text_of(t));
  if (t.form.kind == step_kind::labels) {
    CHECK_MESSAGE(wrong_labels(t, one, wanted) == 0, text_of(t));
  } else {
    const double difference = worst_difference(one.numbers, wanted.numbers);
    CHECK_MESSAGE(difference <= tolerance(t), text_of(t), ": ", difference, " > ", tolerance(t));
  }
}

void check(const trial& t) {
  const auto found = std::find(all_structures.begin(), all_structures.end(), t.form);
  REQUIRE(found != all_structures.end());
  const auto k = static_cast<std::size_t>(found - all_structures.begin());
  if (pixels(output_of(t)) == 0) return;
  const outcome wanted = run<reference>(t, kernels().correct[k], 1);
  using enum simd::instruction_set;
  compare<openmp_with<simd::only<baseline>>>(t, kernels().baseline[k], wanted);
  if (simd::has(avx2)) compare<openmp_with<simd::only<avx2>>>(t, kernels().avx2[k], wanted);
  if (simd::has(avx512)) compare<openmp_with<simd::only<avx512>>>(t, kernels().avx512[k], wanted);
}

}  // namespace

TEST_CASE("every structure computes what the reference computes") {
  picker p;
  for (const structure& form : all_structures) {
    const bool windowed =
        form.kernel != 0 || form.kind == step_kind::convolution || form.kind == step_kind::depthwise;
    for (int k = 0; k < (windowed ? 5 : 60); ++k) check(some_trial(p, form));
  }
}

TEST_CASE("windows of every kernel, stride and rate on every extent") {
  for (step_kind kind :
       {step_kind::convolution, step_kind::depthwise, step_kind::separable, step_kind::max_pool}) {
    for (int kernel : {1, 3, 5, 7}) {
      for (int stride : {1, 2}) {
        for (int rate : {1, 2, 4, 6, 12, 18, 36}) {
          if (stride == 2 && rate > 2) continue;
          if (kind == step_kind::separable && kernel != 3) continue;
          for (int height : {1, 2, 7, 33}) {
            for (int width : {1, 2, 8, 33}) {
              const bool any = kind == step_kind::max_pool;
              trial t{.form = {.kind = kind, .kernel = any ? 0 : kernel, .stride = any ? 0 : stride}};
              t.kernel = kernel, t.stride = stride, t.rate = rate, t.out = 17;
              t.gap = (height + width) % 3;
              for (int channels : {9, 37}) {  // fewer than a vector of AVX-512, and more
                if (channels > 9 && kind != step_kind::separable) continue;
                t.in = {height, width, channels};
                for (const padding& pad : {padding{}, padding::same()}) {
                  t.pad = pad;
                  check(t);
                }
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("edges of 3 x 3 windows that miss more, less, or something else than a row and a column") {
  const padding paddings[] = {padding{},
                              padding::none(),
                              padding::given(3, 5, 0, 2),
                              padding::given(0, 1, 5, 0),
                              padding::given(1, 2, 2, 1),
                              padding::given(4, 4, 4, 4)};
  for (step_kind kind : {step_kind::depthwise, step_kind::separable}) {
    for (bool border : {false, true}) {
      if (border && kind == step_kind::separable) continue;
      for (int rate : {1, 2, 4}) {
        for (int height : {2 * rate + 1, 11, 26}) {
          for (int width : {4 * rate, 4 * rate + 3, 27}) {
            trial t{.form = {.kind = kind, .kernel = 3, .stride = 1, .border = border}};
            t.kernel = 3, t.rate = rate, t.in = {height, width, 17}, t.out = 18;
            for (const padding& pad : paddings) {
              t.pad = pad;
              t.pad.outside = border ? padding::border::per_channel : padding::border::zeros;
              check(t);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("zeros have the same sign however a row is cut") {
  const shape extent{1, 8, 32};
  trial t{.form = {.kind = step_kind::depthwise, .kernel = 3, .stride = 1}};
  t.kernel = 3, t.in = extent, t.pad = padding::same();
  const step s = step_of(t);
  const std::vector<float> kernel(static_cast<std::size_t>(9 * extent.channels), -1e-30F), bias(48, -0.0F);
  const auto made = [&](int threads, float x) {
    feature_map<openmp> from(1, extent, 0, x), to(1, extent, 0, guard);
    operands<float> o{.run = &s, .x = from.at, .y = to.at};
    o.weights = {kernel.data(), bias.data(), nullptr};
    o.threads = threads;
    openmp::depthwise<structure{.kind = step_kind::depthwise, .kernel = 3, .stride = 1}>(o);
    return to.numbers();
  };
  for (float x : {0.0F, 1e-30F, -1e-30F}) {
    const std::vector<float> one = made(1, x);
    for (int threads : {2, 3, 8}) {
      const std::vector<float> found = made(threads, x);
      CHECK(std::memcmp(found.data(), one.data(), one.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("more terms than are summed in one go") {
  for (int channels : {576, 600, 1024, 1025, 2050}) {
    for (int kernel : {1, 3}) {
      for (bool sum : {false, true}) {
        trial t{.form = {.kind = step_kind::convolution,
                         .kernel = kernel,
                         .stride = 1,
                         .after = activation::relu,
                         .sum = sum}};
        t.kernel = kernel, t.rate = 2, t.in = {5, 6, channels}, t.out = 21, t.gap = 3;
        check(t);
      }
    }
    for (int rate : {1, 2}) {
      trial t{.form = {.kind = step_kind::separable,
                       .kernel = 3,
                       .stride = 1,
                       .between = activation::relu6,
                       .sum = true}};
      t.kernel = 3, t.rate = rate, t.in = {7, 13, channels}, t.out = 40;
      check(t);
    }
  }
}

TEST_CASE("one feature map on more threads than it has rows") {
  trial t{.form = {.kind = step_kind::separable, .kernel = 3, .stride = 1}};
  t.kernel = 3, t.in = {2, 3, 32}, t.out = 32;
  const outcome one = run<openmp>(t, &openmp::separable<structure{step_kind::separable, 3, 1}>, 1);
  const outcome many = run<openmp>(t, &openmp::separable<structure{step_kind::separable, 3, 1}>, 16);
  CHECK(same_bits(one, many));
}

TEST_CASE("not a number stays one") {
  // relu and the clamps of a product must not turn NaN into a number
  trial t{.form = {.kind = step_kind::activate, .after = activation::relu6}};
  t.in = {3, 3, 19};
  feature_map<openmp> x(1, t.in, 0, std::numeric_limits<float>::quiet_NaN()), y(1, t.in, 0, guard);
  const step s = step_of(t);
  openmp::activate<structure{.kind = step_kind::activate, .after = activation::relu6}>(
      {.run = &s, .x = x.at, .y = y.at});
  for (float each : y.numbers()) CHECK(std::isnan(each));
}

TEST_CASE("the list holds every structure of the published networks") {
  for (std::string_view name : published_networks()) {
    const deeplab_options options = network_named(name);
    const graph g = record([&](wire image) { return build(image, options); }, {129, 97, 3});
    for (const plan_options& how :
         {plan_options{}, plan_options{.pair = false}, plan_options::keep_everything()}) {
      for (const structure& needed : distinct_structures(make_plan(g, 1, how))) {
        const auto found = std::find(all_structures.begin(), all_structures.end(), needed);
        CHECK_MESSAGE(found != all_structures.end(), std::string(name), ": kind ",
                      static_cast<int>(needed.kind));
      }
    }
  }
}
