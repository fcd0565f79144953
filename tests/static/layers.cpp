// SPDX-License-Identifier: MIT
// What comes out of every layer, under every rule of padding.
#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/activation.hpp>
#include <atrous/layers/batch_norm.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/layers/depthwise.hpp>
#include <atrous/layers/normalise.hpp>
#include <atrous/layers/pooling.hpp>
#include <atrous/layers/resize.hpp>
#include <atrous/layers/separable.hpp>

namespace {

using namespace atrous;

// ---- a window keeps the grid, or ceil(extent / stride) of it, whatever its size

constexpr shape odd{513, 257, 32}, even{512, 256, 32}, one{1, 1, 8}, thin{1, 7, 8};

static_assert(depthwise{}.output(odd) == odd);
static_assert(depthwise{.rate = 12}.output({33, 33, 2048}) == shape{33, 33, 2048});
static_assert(depthwise{.stride = 2}.output(odd) == shape{257, 129, 32});
static_assert(depthwise{.stride = 2}.output(even) == shape{256, 128, 32});
static_assert(depthwise{.kernel = 7, .stride = 2}.output(one) == one);
static_assert(depthwise{.stride = 2, .pad = padding::same()}.output(even) == shape{256, 128, 32});
static_assert(convolution{.out = 21}.output(odd) == shape{513, 257, 21});
static_assert(convolution{.out = 64, .kernel = 7, .stride = 2}.output(odd) == shape{257, 129, 64});
static_assert(convolution{.out = 5, .kernel = 3, .stride = 3}.output(thin) == shape{1, 3, 5});
static_assert(pointwise{.out = 4, .stride = 2}.output(odd) == shape{257, 129, 4});
static_assert(max_pool{}.output(odd) == shape{257, 129, 32});
static_assert(max_pool{.kernel = 1, .stride = 2}.output(even) == shape{256, 128, 32});

// ---- given padding: what is left of the padded input

static_assert(depthwise{.pad = padding::none()}.output(odd) == shape{511, 255, 32});
static_assert(depthwise{.rate = 2, .pad = padding::none()}.output({5, 9, 1}) == shape{1, 5, 1});
static_assert(convolution{.out = 1, .kernel = 3, .stride = 2, .pad = padding::given(0, 0, 1, 1)}.output(
                  even) == shape{256, 128, 1});
static_assert(convolution{.out = 1, .kernel = 3, .pad = padding::given(1, 2, 3, 4)}.output(one) ==
              shape{3, 5, 1});
static_assert(max_pool{.kernel = 3, .stride = 2, .pad = padding::given(1, 1, 1, 1)}.output({6, 7, 2}) ==
              shape{3, 4, 2});

// ---- where the first window lies: centred is symmetric, SAME puts the odd pixel behind

constexpr windows placed(int in, int kernel, int stride, int rate, padding pad) {
  return place(in, kernel, stride, rate, pad.by, pad.top, pad.bottom);
}
constexpr bool starts(windows w, int out, int before) { return w.out == out && w.before == before; }

static_assert(starts(placed(513, 3, 2, 1, {}), 257, 1) && starts(placed(512, 3, 2, 1, {}), 256, 1));
static_assert(starts(placed(513, 3, 2, 1, padding::same()), 257, 1));
static_assert(starts(placed(512, 3, 2, 1, padding::same()), 256, 0));
static_assert(starts(placed(512, 1, 2, 1, padding::same()), 256, 0));  // no tap is missing: nothing before
static_assert(starts(placed(33, 3, 1, 18, {}), 33, 18) &&
              starts(placed(33, 3, 1, 18, padding::same()), 33, 18));
static_assert(starts(placed(33, 3, 1, 2, padding::given(5, 0, 1, 0)), 35, 5));
static_assert(placed(2, 3, 1, 1, padding::none()).out == 0);

// ---- pooling over a part of the input, and resizes

static_assert(average_pool{}.output({33, 17, 9}) == shape{1, 1, 9});
static_assert(average_pool{.height = 5, .width = 5}.output({7, 9, 9}) == shape{3, 5, 9});
static_assert(average_pool{.height = 2, .width = 3, .stride = 2}.output({7, 9, 9}) == shape{3, 4, 9});
static_assert(resize{9, 11}.output({1, 1, 3}) == shape{9, 11, 3});
static_assert(resize_to({4, 5, 6}, corners::half_pixel).output({1, 1, 3}) == shape{4, 5, 3});

// ---- what keeps every extent

static_assert(output_of(relu{}, odd) == odd && output_of(relu6{}, odd) == odd &&
              output_of(batch_norm{}, odd) == odd);
static_assert(output_of(normalise::to_unit_range(), odd) == odd);

// ---- what layers own

constexpr bool owns(const parameter& p, std::string_view name, std::array<int, 4> extents) {
  return p.name == name && p.extents == extents;
}
constexpr parameter_list dense = convolution{.out = 21, .kernel = 3, .bias = true}.parameters({9, 9, 8});
static_assert(dense.count == 2 && owns(dense.items[0], "weights", {3, 3, 8, 21}) &&
              owns(dense.items[1], "biases", {21}));
constexpr padding per_channel{.outside = padding::border::per_channel};
constexpr parameter_list bordered = depthwise{.pad = per_channel}.parameters({9, 9, 8});
static_assert(bordered.count == 2 && owns(bordered.items[0], "depthwise_weights", {3, 3, 8, 1}) &&
              owns(bordered.items[1], "border", {8}));
static_assert(parameters_of(batch_norm{}, {9, 9, 8}).count == 4 &&
              parameters_of(relu{}, {9, 9, 8}).count == 0);
static_assert(parameter{.name = "scalar"}.rank() == 0 && parameter{.name = "scalar"}.size() == 1);

// ---- and what they cost

static_assert(convolution{.out = 16, .kernel = 3, .stride = 2}.madds({9, 9, 8}) == 25 * 16 * 8 * 9);
static_assert(depthwise{.rate = 4}.madds({9, 9, 8}) == 81 * 8 * 9);
static_assert(madds_of(max_pool{}, {9, 9, 8}) == 0);

// ---- `>>` composes: (x >> f) >> g is x >> (f >> g), and both record the same nodes

constexpr network one_by_one{[](wire x) { return x >> pointwise{.out = 4} >> relu{}; }, {3, 3, 3}};
constexpr network together{[](wire x) { return x >> (pointwise{.out = 4} >> relu{}); }, {3, 3, 3}};
static_assert(graph_of<one_by_one>.nodes.size() == 3 && graph_of<together>.nodes.size() == 3);
static_assert(graph_of<one_by_one>.nodes[2].out == graph_of<together>.nodes[2].out);

}  // namespace
