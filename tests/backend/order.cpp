// In which order a depthwise passes through the pixels of a block, where those a rate apart share what they see.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <atrous/backend/openmp/order.hpp>

namespace {

using namespace atrous;

/// The places of the pixels of two images, run by run; runs of two rows have rows a rate apart.
std::vector<std::ptrdiff_t> places_by_runs(std::int64_t first, std::int64_t last,
                                           const cpu::window_order& order) {
  std::vector<std::ptrdiff_t> found;
  const auto place = [&](cpu::position at) {
    return (std::ptrdiff_t{at.image} * order.rows + at.row) * order.columns + at.column;
  };
  for (std::int64_t p = first; p < last;) {
    const cpu::pixel_run run = order.from(p, last);
    REQUIRE(run.count() > 0);
    REQUIRE(run.at.column >= 0);
    REQUIRE(run.end <= order.columns);
    REQUIRE(run.at.row + (run.pair ? order.rate : 0) < order.rows);
    for (int j = run.at.column; j < run.end; ++j) {
      found.push_back(place({run.at.image, run.at.row, j}));
      if (run.pair) found.push_back(place({run.at.image, run.at.row + order.rate, j}));
    }
    p += run.count();
  }
  return found;
}

/// Rows that go through together with another.
int paired_rows(const cpu::window_order& order) {
  int count = 0;
  for (std::int64_t p = 0, all = std::int64_t{order.rows} * order.columns; p < all;) {
    const cpu::pixel_run run = order.from(p, all);
    if (run.pair) count += 2;
    p += run.count();
  }
  return count;
}

void check_all_once(std::vector<std::ptrdiff_t> found, std::int64_t count) {
  std::sort(found.begin(), found.end());
  REQUIRE(found.size() == static_cast<std::size_t>(count));
  for (std::int64_t p = 0; p < count; ++p) CHECK(found[static_cast<std::size_t>(p)] == p);
}

}  // namespace

TEST_CASE("an order has every pixel once, and as many rows in pairs as there can be") {
  for (int rows = 1; rows <= 70; rows += rows < 20 ? 1 : 7) {
    for (int rate : {1, 2, 3, 4, 12, 18, 36}) {
      int pairs = 0;  // of rows a rate apart: in a residue of n rows there are n / 2
      for (int residue = 0; residue < std::min(rate, rows); ++residue)
        pairs += ((rows - residue + rate - 1) / rate) / 2;
      for (int threads : {1, 2, 3, 16}) {
        CAPTURE(rows);
        CAPTURE(rate);
        CAPTURE(threads);
        const auto order = cpu::window_order::shared(rows, 3, rate, threads);
        CHECK(paired_rows(order) == 2 * pairs);
        CHECK(order.section * (threads - 1) < rows + 2 * rate * threads);
        check_all_once(places_by_runs(0, std::int64_t{3} * rows, order), std::int64_t{3} * rows);
      }
    }
  }
}

TEST_CASE("an order without pairs is that of the pixels") {
  const cpu::window_order order{5, 4};
  CHECK(order.in_sequence());
  const std::vector<std::ptrdiff_t> found = places_by_runs(3, 33, order);
  for (std::size_t k = 0; k < found.size(); ++k) CHECK(found[k] == static_cast<std::ptrdiff_t>(k) + 3);
}

TEST_CASE("any block of an order has the pixels that it has in the whole, and writes where they are") {
  for (int rows : {1, 2, 5, 7}) {
    for (int columns : {1, 3, 4}) {
      for (int rate : {1, 2, 4, 12}) {
        for (int threads : {1, 2}) {
          const auto order = cpu::window_order::shared(rows, columns, rate, threads);
          const std::int64_t pixels = std::int64_t{2} * rows * columns;  // two images
          const std::vector<std::ptrdiff_t> all = places_by_runs(0, pixels, order);
          check_all_once(all, pixels);
          for (std::int64_t first = 0; first < pixels; ++first) {
            for (std::int64_t last = first + 1; last <= pixels; ++last) {
              const std::vector<std::ptrdiff_t> expected(all.begin() + first, all.begin() + last);
              CHECK(places_by_runs(first, last, order) == expected);
              std::vector<std::ptrdiff_t> written(expected.size());
              order.write_places(first, last, written.data());
              CHECK(written == expected);
            }
          }
        }
      }
    }
  }
}
