// SPDX-License-Identifier: MIT
// Networks recorded by the compiler: what they own and cost, and the grids of their features.
#include <atrous/networks/names.hpp>
#include <atrous/plan/cost.hpp>
#include <atrous/plan/paper.hpp>

namespace {

using namespace atrous;

// As users write them, and as the command lines name them: the same networks.
constexpr network xception65_voc{
    [](wire image) { return deeplab_v3_plus(image, xception65{.output_stride = 16}, 21); }, {513, 513, 3}};
constexpr network xception65_os8{
    [](wire image) { return deeplab_v3_plus(image, xception65{.output_stride = 8}, 21); }, {513, 513, 3}};
constexpr network xception41_voc{[](wire image) { return deeplab_v3_plus(image, xception41{}, 21); },
                                 {513, 513, 3}};
constexpr network xception71_voc{
    [](wire image) { return build(image, network_named("deeplabv3plus_xception71")); }, {513, 513, 3}};
constexpr network resnet101_voc{
    [](wire image) { return build(image, network_named("deeplabv3plus_resnet101")); }, {513, 513, 3}};
constexpr network resnet101_separable{[](wire image) { return deeplab_v3_plus(image, resnet101{}, 21); },
                                      {513, 513, 3}};
constexpr network mobilenet_voc{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                                {513, 513, 3}};
constexpr network mobilenet_pascal{
    [](wire image) { return build(image, network_named("deeplabv3_mobilenet_v2_pascal")); }, {513, 513, 3}};
constexpr network original_voc{[](wire image) { return deeplab_v3_plus(image, original_xception{}, 21); },
                               {513, 513, 3}};

static_assert(total(graph_of<xception65_voc>) == cost{41'258'213, 54'035'303'024});
static_assert(total(graph_of<xception65_os8>) == cost{41'258'213, 176'851'524'720});
static_assert(total(graph_of<xception41_voc>) == cost{28'241'573, 40'012'398'128});
static_assert(total(graph_of<xception71_voc>) == cost{43'694'413, 66'068'012'856});
static_assert(total(graph_of<resnet101_voc>) == cost{59'578'005, 97'811'446'720});
static_assert(total(graph_of<resnet101_separable>).parameters == 45'935'365);
static_assert(total(graph_of<mobilenet_voc>) == cost{2'764'357, 5'900'011'312});
static_assert(total(graph_of<mobilenet_pascal>) == cost{2'146'645, 8'825'853'632});
static_assert(total(graph_of<original_voc>).parameters == 24'067'181);

// The last node is the resize of the logits to the image.
constexpr graph_view voc = graph_of<xception65_voc>;
static_assert(voc[voc.output].what.kind == op_kind::resize && voc[voc.output].out == shape{513, 513, 21});
static_assert(voc[voc.input(voc.output)].out == shape{129, 129, 21});

// Extents of what a backbone offers.
struct grids {
  int low = 0, stride8 = 0, stride16 = 0, high = 0;
  friend constexpr bool operator==(const grids&, const grids&) = default;
};
template <backbone Backbone>
constexpr grids grids_of(const Backbone& features_of, int extent) {
  recorder r({extent, extent, 3});
  const features taps = features_of(wire{&r, 0});
  const auto side = [](wire x) { return x ? x.shape().height : 0; };
  return {side(taps.low), side(taps.stride8), side(taps.stride16), side(taps.high)};
}
static_assert(grids_of(xception65{.output_stride = 8}, 513) == grids{129, 65, 0, 65});
static_assert(grids_of(xception65{.output_stride = 16}, 513) == grids{129, 65, 33, 33});
static_assert(grids_of(xception65{.output_stride = 32}, 513) == grids{129, 65, 33, 17});
static_assert(grids_of(resnet101{.output_stride = 16}, 513) == grids{129, 65, 33, 33});
static_assert(grids_of(mobilenet_v2{.output_stride = 32}, 513) == grids{129, 65, 33, 17});
static_assert(grids_of(original_xception{.output_stride = 8}, 513) == grids{129, 65, 0, 65});
static_assert(grids_of(mobilenet_v2{}, 1) == grids{1, 1, 1, 1});
static_assert(grids_of(xception41{}, 96) == grids{24, 12, 6, 6});

// A backbone of one's own.
struct tiny {
  constexpr features operator()(wire image) const {
    const wire low = image >> convolution{.out = 16, .kernel = 3, .stride = 4} >> normed{};
    return {low, low >> separable{.name = "deep", .out = 32, .stride = 2}};
  }
};
constexpr network tiny_net{[](wire image) { return deeplab_v3_plus(image, tiny{}, 5); }, {257, 129, 3}};
static_assert(graph_view(graph_of<tiny_net>)[graph_view(graph_of<tiny_net>).output].out ==
              shape{257, 129, 5});

// The printed figures need no run either.
static_assert(computed({"deeplabv3plus_xception65", 54.17}) > 54.1650);
static_assert(computed({"deeplabv3plus_xception65", 54.17}) < 54.1652);

}  // namespace
