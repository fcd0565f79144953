// In which order a depthwise passes through the pixels of a block, where those a rate apart share what they see.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <atrous/backend/openmp/order.hpp>

namespace {

using namespace atrous;

/// Counts how often each pixel of a block is visited, and checks where those below others lie.
std::vector<int> visits(std::int64_t first, std::int64_t last, const cpu::row_order& order, int columns) {
  const auto pixels = static_cast<std::size_t>(last - first);
  std::vector<int> found(pixels, 0);
  std::vector<std::ptrdiff_t> places(pixels);
  order.write_places(first, last, columns, places.data());
  const auto place = [&](cpu::position at) {
    return (std::int64_t{at.image} * order.rows + at.row) * columns + at.column;
  };
  cpu::each_pair(
      first, last, order, columns, [&](cpu::position at, int end, std::int64_t done, std::int64_t below) {
        REQUIRE(at.column < end);
        REQUIRE(end <= columns);
        for (int j = at.column; j < end; ++j, ++done) {
          CHECK(places.at(static_cast<std::size_t>(done)) == place({at.image, at.row, j}));
          ++found.at(static_cast<std::size_t>(done));
          if (below < 0) continue;
          CHECK(places.at(static_cast<std::size_t>(below)) == place({at.image, at.row + order.rate, j}));
          ++found.at(static_cast<std::size_t>(below++));
        }
      });
  return found;
}

}  // namespace

TEST_CASE("rows in the order of a rate are all rows, those a rate apart behind each other") {
  for (int rows = 1; rows <= 40; ++rows) {
    for (int rate = 1; rate <= 45; ++rate) {
      const cpu::row_order order{rows, rate};
      std::vector<int> found;
      int followed = 0;
      for (int k = 0; k < rows; ++k) {
        found.push_back(order.row(k));
        if (!order.followed(k)) continue;
        ++followed;
        CHECK(order.row(k + 1) == order.row(k) + rate);
      }
      CHECK(followed == std::max(rows - rate, 0));  // every row that has one a rate below
      CHECK(std::is_sorted(found.begin(), found.end()) == order.in_sequence());
      std::sort(found.begin(), found.end());
      for (int k = 0; k < rows; ++k) CHECK(found[static_cast<std::size_t>(k)] == k);
    }
  }
}

TEST_CASE("an order for threads: all rows, section by section, as many pairs as without sections") {
  const auto pairs = [](const cpu::row_order& order) {
    int count = 0;
    for (int k = 0; k < order.rows; ++k)
      if (order.followed(k)) ++count, ++k;
    return count;
  };
  for (int rows = 1; rows <= 70; ++rows) {
    for (int rate : {1, 2, 3, 4, 12, 18, 36}) {
      for (int threads : {1, 2, 3, 16}) {
        const auto order = cpu::row_order::shared(rows, rate, threads);
        CAPTURE(rows);
        CAPTURE(rate);
        CAPTURE(threads);
        std::vector<int> found;
        for (int k = 0; k < rows; ++k) {
          found.push_back(order.row(k));
          CHECK(found.back() / order.section == k / order.section);
        }
        CHECK(std::is_sorted(found.begin(), found.end()) == order.in_sequence());
        std::sort(found.begin(), found.end());
        for (int k = 0; k < rows; ++k) CHECK(found[static_cast<std::size_t>(k)] == k);
        CHECK(order.section * (threads - 1) < rows + 2 * rate * threads);
        CHECK(pairs(order) >= pairs({rows, rate}));
      }
    }
  }
}

TEST_CASE("blocks in the order of a rate visit every pixel once") {
  for (int rows : {1, 2, 5}) {
    for (int columns : {1, 4}) {
      for (int rate : {1, 2, 4, 12}) {
        for (int threads : {1, 2}) {
          const auto order = cpu::row_order::shared(rows, rate, threads);
          const std::int64_t pixels = std::int64_t{2} * rows * columns;  // two images
          for (std::int64_t first = 0; first < pixels; ++first) {
            for (std::int64_t last = first + 1; last <= pixels; ++last) {
              const std::vector<int> found = visits(first, last, order, columns);
              CHECK(std::count(found.begin(), found.end(), 1) == last - first);
            }
          }
        }
      }
    }
  }
}
