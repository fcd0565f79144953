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
  const xt::xtensor<float, 3> planes = xt::ones<float>({3, 5, 7});
  CHECK_THROWS_AS(pixels_of(xt::view(planes, xt::all(), xt::all(), xt::range(0, 7, 2))),
                  std::invalid_argument);
}

TEST_CASE("results are xtensor arrays over the same memory") {
  tensor<float> logits(1, {2, 3, 4});
  auto seen = xtensor_of(logits);
  seen(0, 1, 2, 3) = 5;
  CHECK(logits.view().at(0, 1, 2)[3] == 5);
}
