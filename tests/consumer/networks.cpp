// What a user includes who only builds networks and asks what they cost.
#include <atrous/core/version.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/networks/xception.hpp>
#include <atrous/plan/cost.hpp>
#include <atrous/plan/planner.hpp>

#include <cstdio>

inline constexpr atrous::network voc{
    [](atrous::wire image) { return deeplab_v3_plus(image, atrous::xception65{}, 21); }, {513, 513, 3}};
static_assert(total(atrous::graph_of<voc>).parameters == 41'258'213);
static_assert(atrous::version >= atrous::version_number{0, 1});

int main() { std::printf("atrous %s\n", text_of(atrous::version).c_str()); }
