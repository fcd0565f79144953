// SPDX-License-Identifier: MIT
#include <atrous/data/xtensor.hpp>

#include <doctest/doctest.h>
#include <xtensor/xview.hpp>

using namespace atrous;

TEST_CASE("an xtensor image and a region of one are seen where they lie") {
  xt::xtensor<std::uint8_t, 3> image = xt::zeros<std::uint8_t>({5, 7, 3});
  image(2, 4, 1) = 9;
  const pixels_view whole = pixels_of(image);
  CHECK(whole.shape() == shape{5, 7, 3});
  CHECK(whole.type == pixel_type::uint8);
  CHECK(static_cast<const std::uint8_t*>(whole.data)[2 * whole.row + 4 * whole.pixel + 1] == 9);

  const auto region = xt::view(image, xt::range(1, 4), xt::range(2, 6), xt::all());
  const pixels_view part = pixels_of(region);
  CHECK(part.shape() == shape{3, 4, 3});
  CHECK(static_cast<const std::uint8_t*>(part.data)[1 * part.row + 2 * part.pixel + 1] == 9);
}

TEST_CASE("a batch of float images has four dimensions") {
  const xt::xtensor<float, 4> images = xt::ones<float>({2, 5, 7, 3});
  const pixels_view seen = pixels_of(images);
  CHECK(seen.batch == 2);
  CHECK(seen.image == 5 * 7 * 3);
  CHECK(seen.type == pixel_type::float32);
}

TEST_CASE("what is no image is refused") {
  const xt::xtensor<float, 2> matrix = xt::ones<float>({5, 7});
  CHECK_THROWS_WITH_AS(pixels_of(matrix), doctest::Contains("found 2"), std::invalid_argument);
}

TEST_CASE("planes are an image with its axes exchanged") {
  xt::xtensor<float, 3> planes = xt::zeros<float>({3, 5, 7});
  planes(2, 4, 6) = 9;
  const pixels_view seen = pixels_of(xt::transpose(planes, {1, 2, 0}));
  CHECK(seen.shape() == shape{5, 7, 3});
  CHECK(seen.at(0, 4, 6, 2) == 9);
}

TEST_CASE("results have room in arrays without gaps") {
  xt::xtensor<std::uint8_t, 4> labels = xt::zeros<std::uint8_t>({2, 5, 7, 1});
  const view<std::uint8_t> room = room_in(labels);
  CHECK(room.batch == 2);
  CHECK(room.shape() == shape{5, 7, 1});
  *room.at(1, 4, 6) = 8;
  CHECK(labels(1, 4, 6, 0) == 8);
  xt::xtensor<float, 4> column = xt::zeros<float>({1, 5, 1, 3});
  room_in(column).at(0, 4, 0)[2] = 6;
  CHECK(column(0, 4, 0, 2) == 6);
  xt::xtensor<float, 3> image = xt::zeros<float>({5, 7, 3});
  CHECK_THROWS_WITH_AS(room_in(image), doctest::Contains("found 3"), std::invalid_argument);
  auto region = xt::view(labels, xt::all(), xt::all(), xt::range(1, 4), xt::all());
  CHECK_THROWS_WITH_AS(room_in(region), doctest::Contains("no gaps"), std::invalid_argument);
}

template <class T>
concept has_room = requires(T& t) {
  room_in(t);
};
static_assert(has_room<xt::xtensor<float, 4>> && !has_room<tensor<float>>);

TEST_CASE("results are xtensor arrays over the same memory") {
  tensor<float> logits(1, {2, 3, 4});
  auto seen = xtensor_of(logits);
  seen(0, 1, 2, 3) = 5;
  CHECK(logits.view().at(0, 1, 2)[3] == 5);
}
