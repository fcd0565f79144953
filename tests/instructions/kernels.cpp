// Small steps with odd extents, so that every kernel also meets the ends of its vectors and tiles.
#include "../backend/grid.hpp"
#include "counted.hpp"

namespace instructions {

using grid::trial;

template <class P, structure S>
void counted_kernel(const operands<float>& o) {
  counted([&] { kernel_for<P, S>()(o); });
}

template <simd::instruction_set Set, structure S>
void count_step(const char* name, trial t) {
  t.form = S;
  announce(Set, name);
  grid::run<policy<Set>>(t, &counted_kernel<policy<Set>, S>, 1);
}

template <simd::instruction_set Set>
void count_windows() {
  using enum step_kind;
  constexpr activation relu = activation::relu;
  constexpr structure pointwise{.kind = convolution, .kernel = 1, .stride = 1, .after = relu};
  constexpr structure sum{.kind = convolution, .kernel = 1, .stride = 1, .sum = true};
  constexpr structure dense{.kind = convolution, .kernel = 3, .stride = 1, .after = relu};
  constexpr structure stem{.kind = convolution, .kernel = 3, .stride = 2, .after = relu};
  constexpr structure apart{.kind = depthwise, .kernel = 3, .stride = 1, .after = relu};
  constexpr structure reduced{.kind = depthwise, .kernel = 3, .stride = 2, .before = relu};
  constexpr structure together{.kind = separable, .kernel = 3, .stride = 1, .before = relu};
  constexpr structure halved{.kind = separable, .kernel = 3, .stride = 2, .between = relu, .after = relu};
  count_step<Set, pointwise>("pointwise 17x17x96->72", {.in = {17, 17, 96}, .out = 72});
  count_step<Set, pointwise>("pointwise 17x17x1024->21", {.in = {17, 17, 1024}, .out = 21});
  count_step<Set, sum>("pointwise 17x17x96->72 sum", {.in = {17, 17, 96}, .out = 72});
  count_step<Set, dense>("dense 3x3 17x17x64->64", {.kernel = 3, .in = {17, 17, 64}, .out = 64});
  count_step<Set, dense>("dense 3x3 17x17x64->64 rate 2",
                         {.kernel = 3, .rate = 2, .in = {17, 17, 64}, .out = 64});
  count_step<Set, stem>("dense 3x3 65x65x3->32 stride 2",
                        {.kernel = 3, .stride = 2, .in = {65, 65, 3}, .out = 32});
  count_step<Set, apart>("depthwise 33x33x72", {.kernel = 3, .in = {33, 33, 72}});
  count_step<Set, apart>("depthwise 33x33x72 rate 6", {.kernel = 3, .rate = 6, .in = {33, 33, 72}});
  count_step<Set, apart>("depthwise 33x33x72 rate 18", {.kernel = 3, .rate = 18, .in = {33, 33, 72}});
  count_step<Set, reduced>("depthwise 33x33x72 stride 2", {.kernel = 3, .stride = 2, .in = {33, 33, 72}});
  count_step<Set, together>("separable 33x33x72->96", {.kernel = 3, .in = {33, 33, 72}, .out = 96});
  count_step<Set, together>("separable 17x17x1024->96 rate 2",
                            {.kernel = 3, .rate = 2, .in = {17, 17, 1024}, .out = 96});
  count_step<Set, halved>("separable 33x33x72->96 stride 2",
                          {.kernel = 3, .stride = 2, .in = {33, 33, 72}, .out = 96});
}

template <simd::instruction_set Set>
void count_others() {
  using enum step_kind;
  count_step<Set, structure{.kind = input}>("input 129x129x3", {.in = {129, 129, 3}, .seed = 3});
  count_step<Set, structure{.kind = max_pool}>("max pool 33x33x72",
                                               {.kernel = 3, .stride = 2, .in = {33, 33, 72}});
  count_step<Set, structure{.kind = average_pool}>("average pool 33x33x72", {.in = {33, 33, 72}});
  count_step<Set, structure{.kind = add, .after = activation::relu}>("add 33x33x72", {.in = {33, 33, 72}});
  count_step<Set, structure{.kind = activate, .after = activation::relu}>("relu 33x33x72",
                                                                          {.in = {33, 33, 72}});
  count_step<Set, structure{.kind = resize}>("resize 9x9x72->33x33",
                                             {.in = {9, 9, 72}, .target = {33, 33, 72}});
  count_step<Set, structure{.kind = labels}>("labels 17x17x21->65x65",
                                             {.in = {17, 17, 21}, .target = {65, 65, 1}});
  count_step<Set, structure{.kind = probabilities}>("probabilities 17x17x21->65x65",
                                                    {.in = {17, 17, 21}, .target = {65, 65, 21}});
}

template <simd::instruction_set Set>
void count_kernels() {
  count_windows<Set>();
  count_others<Set>();
}

template void count_kernels<simd::instruction_set::baseline>();
template void count_kernels<simd::instruction_set::avx2>();

}  // namespace instructions
