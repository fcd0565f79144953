// The closed list of structures: each once, and all that published networks need, whatever is switched off.
#include <doctest/doctest.h>

#include <algorithm>

#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/plan/structures.hpp>

using namespace atrous;

TEST_CASE("the list names every structure once") {
  const auto list = every_structure();
  for (auto s = list.begin(); s != list.end(); ++s) CHECK(std::count(list.begin(), list.end(), *s) == 1);
}

TEST_CASE("what published networks need is listed") {
  const auto list = every_structure();
  for (std::string_view name : published_networks()) {
    const graph g = record([&](wire image) { return build(image, network_named(name)); }, {33, 33, 3});
    for (int bits = 0; bits < 16; ++bits) {
      const plan_options o{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
      for (const structure& s : distinct_structures(make_plan(g, 1, o)))
        CHECK_MESSAGE(std::count(list.begin(), list.end(), s) == 1, name, " with options ", bits);
    }
  }
}
