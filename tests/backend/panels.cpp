// Where columns lie in a panel of packed weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <atrous/backend/openmp/panels.hpp>

namespace {

using namespace atrous;

/// The column at each place of a panel; -1 where there is none.
std::vector<int> columns_of_panel(int used, int width) {
  std::vector<int> found(static_cast<std::size_t>(width), -1);
  for (const cpu::panel_columns_at& some : cpu::vectors_of_panel(used, width))
    for (int j = 0; j < some.count; ++j) found.at(static_cast<std::size_t>(some.place + j)) = some.column + j;
  return found;
}

}  // namespace

TEST_CASE("a panel has all its columns, in vectors that are whole from the first one on") {
  for (int width : {8, 16, 32}) {
    const int lanes = width / 2;
    for (int used = 1; used <= width; ++used) {
      const std::vector<int> found = columns_of_panel(used, width);
      for (int place = 0; place < width; ++place) {
        const int column = place < lanes ? place : place - lanes + cpu::vectors_apart(used, lanes);
        const bool there = place < lanes ? place < used : used > lanes;
        CHECK(found[static_cast<std::size_t>(place)] == (there ? column : -1));
      }
      for (int column = 0; column < used; ++column)
        CHECK(std::count(found.begin(), found.end(), column) >= 1);
      CHECK(*std::max_element(found.begin(), found.end()) == used - 1);
    }
  }
}

TEST_CASE("packed panels: columns where they belong, zeros elsewhere") {
  const auto set = simd::instruction_set::baseline;
  const int width = cpu::panel_columns<float>(set), terms = 19;
  for (int columns : {1, width / 2, width / 2 + 1, width, width + 3, 2 * width + width / 2 + 2}) {
    std::vector<float> w;
    for (int k = 0; k < terms * columns; ++k) w.push_back(static_cast<float>(k + 1));
    std::vector<float> packed(static_cast<std::size_t>(cpu::packed_panels<float>(set, terms, columns)),
                              -1.0F);
    cpu::pack_panels(set, terms, columns, w.data(), packed.data());
    auto next = packed.begin();
    for (int first = 0; first < columns; first += width) {
      const std::vector<int> at = columns_of_panel(std::min(width, columns - first), width);
      for (int k = 0; k < terms; ++k)
        for (int column : at)
          CHECK(*next++ == (column < 0 ? 0.0F : w[static_cast<std::size_t>(k * columns + first + column)]));
    }
    CHECK(next == packed.end());
  }
}
