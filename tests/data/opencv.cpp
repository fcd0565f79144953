// SPDX-License-Identifier: MIT
#include <atrous/data/opencv.hpp>

#include <doctest/doctest.h>

using namespace atrous;

namespace {

/// A matrix whose numbers tell where they lie.
cv::Mat numbered(int type) {
  cv::Mat all(5, 7, type);
  for (int i = 0; i < all.rows; ++i)
    for (int j = 0; j < all.cols; ++j)
      for (int c = 0; c < all.channels(); ++c) {
        const int number = 40 * i + 5 * j + c;
        if (all.depth() == CV_8U) all.ptr<std::uint8_t>(i, j)[c] = static_cast<std::uint8_t>(number);
        if (all.depth() == CV_32F) all.ptr<float>(i, j)[c] = static_cast<float>(number);
      }
  return all;
}

}  // namespace

TEST_CASE("a matrix and a region of one are seen where they lie, red first") {
  for (int type : {CV_8UC3, CV_8UC4, CV_32FC3, CV_32FC4}) {
    const cv::Mat whole = numbered(type);
    const pixels_view seen = pixels_of(whole);
    CHECK(seen.shape() == shape{5, 7, 3});
    CHECK(seen.at(0, 2, 3, 0) == 40 * 2 + 5 * 3 + 2);
    CHECK(seen.at(0, 2, 3, 2) == 40 * 2 + 5 * 3);
    const cv::Mat part = whole(cv::Rect(2, 1, 4, 3));
    const pixels_view region = pixels_of(part);
    CHECK(region.shape() == shape{3, 4, 3});
    CHECK(region.at(0, 2, 3, 1) == 40 * 3 + 5 * 5 + 1);
  }
}

TEST_CASE("grey is seen three times, other numbers of channels as they are") {
  const cv::Mat grey = numbered(CV_8UC1), five = numbered(CV_32FC(5));
  CHECK(pixels_of(grey).shape() == shape{5, 7, 3});
  CHECK(pixels_of(grey).at(0, 1, 2, 2) == 50);
  CHECK(pixels_of(five).shape() == shape{5, 7, 5});
  CHECK(pixels_of(five).at(0, 1, 2, 4) == 54);
}

TEST_CASE("results have room in matrices without gaps") {
  cv::Mat labels(5, 7, CV_8UC1), scores(5, 7, CV_32FC(21));
  CHECK(room_in<std::uint8_t>(labels).shape() == shape{5, 7, 1});
  room_in<float>(scores).at(0, 4, 6)[20] = 3;
  CHECK(scores.ptr<float>(4, 6)[20] == 3);
  cv::Mat region = labels(cv::Rect(1, 1, 3, 3));
  CHECK_THROWS_WITH_AS(room_in<std::uint8_t>(region), doctest::Contains("region"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(room_in<float>(labels), doctest::Contains("found CV_8UC1"), std::invalid_argument);
}

TEST_CASE("what is no picture is refused") {
  CHECK_THROWS_WITH_AS(pixels_of(cv::Mat(5, 7, CV_16UC3)), doctest::Contains("found CV_16UC3"),
                       std::invalid_argument);
  const int extents[] = {3, 4, 5};
  CHECK_THROWS_WITH_AS(pixels_of(cv::Mat(3, extents, CV_8U)), doctest::Contains("found 3"),
                       std::invalid_argument);
}
