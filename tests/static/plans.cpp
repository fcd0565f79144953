// SPDX-License-Identifier: MIT
// Networks planned by the compiler: how many steps, kernels and bytes; and what a model of one is.
#include <type_traits>

#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/xception.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/plan/structures.hpp>

#include "../support/tiny.hpp"

namespace {

using namespace atrous;

constexpr network xception65_voc{
    [](wire image) { return deeplab_v3_plus(image, xception65{.output_stride = 16}, 21); }, {513, 513, 3}};

// 403 nodes become 84 launches of 17 kernels. The arena holds three maps of the entry flow and nothing else:
// 257 x 257 x (64 + 128 + 128).
static_assert(graph_of<xception65_voc>.nodes.size() == 403);
static_assert(plan_of<xception65_voc>.steps.size() == 85);
static_assert(structures_of<xception65_voc>.size() == 18);
static_assert(plan_of<xception65_voc>.arena == 21'135'680);
static_assert(plan_of<xception65_voc>.labels);
static_assert(plan_of<xception65_voc>.output == shape{513, 513, 21});
static_assert(
    plan_of<xception65_voc>.values[static_cast<std::size_t>(plan_of<xception65_voc>.logits)].extent ==
    shape{129, 129, 21});

// What a network needs, runtime_model has.
constexpr bool all_listed(std::span<const structure> wanted) {
  constexpr auto list = every_structure();
  for (const structure& s : wanted) {
    if (std::find(list.begin(), list.end(), s) == list.end()) return false;
  }
  return true;
}
static_assert(all_listed(structures_of<xception65_voc>));
static_assert(all_listed(structures_of<tiny::deeplab>));

// The model of a network is as small as its plan; feature maps are in the workspace, weights on the heap.
using small_model = model<tiny::deeplab, reference>;
static_assert(sizeof(small_model) < 1024);
static_assert(!std::is_copy_constructible_v<small_model> && std::is_move_constructible_v<small_model>);
static_assert(std::is_base_of_v<inference<reference>, small_model>);

}  // namespace
