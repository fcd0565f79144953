// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <atrous/data/palette.hpp>
#include <atrous/data/palettes/colour_blind.hpp>

#include "../support/shared.hpp"

namespace {

void check_class(const atrous::label_set& labels, std::size_t index, const std::string& name,
                 atrous::colour shown) {
  CAPTURE(index);
  REQUIRE(index < labels.names.size());
  CHECK(labels.names[index] == name);
  CHECK(labels.colours[index] == shown);
}

/// The least difference of any two colours for any vision.
float least_of_any_two(const std::vector<atrous::colour>& colours) {
  std::vector<atrous::perceived_by_all> looks;
  for (const auto c : colours) looks.push_back(atrous::seen(c));
  float least = 1;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) least = std::min(least, atrous::least_difference(looks[i], looks[j]));
  }
  return least;
}

}  // namespace

TEST_CASE("VOC's rule of colours") {
  using atrous::colour;
  CHECK(atrous::voc_colour(0) == colour{0, 0, 0});
  CHECK(atrous::voc_colour(1) == colour{128, 0, 0});
  CHECK(atrous::voc_colour(2) == colour{0, 128, 0});
  CHECK(atrous::voc_colour(3) == colour{128, 128, 0});
  CHECK(atrous::voc_colour(4) == colour{0, 0, 128});
  CHECK(atrous::voc_colour(8) == colour{64, 0, 0});
  CHECK(atrous::voc_colour(15) == colour{192, 128, 128});
  CHECK(atrous::voc_colour(20) == colour{0, 64, 128});
  CHECK(atrous::voc_colour(255) == colour{224, 224, 192});
}

TEST_CASE("the usual data sets are known by their number of classes") {
  const auto camvid = atrous::labels_for(11);
  CHECK(camvid.name == "CamVid");
  check_class(camvid, 0, "Sky", {128, 128, 128});
  check_class(camvid, 4, "Pavement", {60, 40, 222});
  check_class(camvid, 10, "Bicyclist", {0, 128, 192});
  const auto cityscapes = atrous::labels_for(19);
  CHECK(cityscapes.name == "Cityscapes");
  check_class(cityscapes, 0, "road", {128, 64, 128});
  check_class(cityscapes, 12, "rider", {255, 0, 0});
  check_class(cityscapes, 18, "bicycle", {119, 11, 32});
  const auto voc = atrous::labels_for(21);
  CHECK(voc.name == "VOC");
  check_class(voc, 0, "background", {0, 0, 0});
  check_class(voc, 3, "bird", {128, 128, 0});
  check_class(voc, 11, "diningtable", {192, 128, 0});
  check_class(voc, 20, "tvmonitor", {0, 64, 128});
  const auto with_other = atrous::labels_for(151), ade20k = atrous::labels_for(150);
  CHECK(with_other.name == "ADE20K");
  check_class(with_other, 0, "other", {0, 0, 0});
  check_class(with_other, 1, "wall", {120, 120, 120});
  check_class(with_other, 150, "flag", {92, 0, 255});
  check_class(ade20k, 0, "wall", {120, 120, 120});
  check_class(ade20k, 12, "person", {150, 5, 61});
  check_class(ade20k, 149, "flag", {92, 0, 255});
}

TEST_CASE("there is one name and one colour for every class") {
  for (const int classes : {1, 2, 11, 12, 19, 21, 32, 150, 151, 256, 1000}) {
    CAPTURE(classes);
    const auto labels = atrous::labels_for(classes);
    CHECK(labels.names.size() == static_cast<std::size_t>(classes));
    CHECK(labels.colours.size() == static_cast<std::size_t>(classes));
    CHECK(std::set<std::string>(labels.names.begin(), labels.names.end()).size() == labels.names.size());
    std::set<std::tuple<int, int, int>> distinct;
    for (const auto c : labels.colours) distinct.emplace(c.red, c.green, c.blue);
    const std::size_t twins =
        labels.name == "ADE20K" ? 1 : 0;  // road and skyscraper are both (140, 140, 140)
    CHECK(distinct.size() + twins == labels.colours.size());
  }
  check_class(atrous::labels_for(32), 31, "class 31", atrous::voc_colour(31));
  CHECK_THROWS_AS(atrous::labels_for(0), std::invalid_argument);
  CHECK_THROWS_AS(atrous::labels_for(-1), std::invalid_argument);
}

TEST_CASE("the ADE20K palette is the published one") {
  const auto path = shared("weights/ade20k_palette.csv");
  if (!path) return;
  const auto labels = atrous::labels_for(151);
  std::ifstream file(*path);
  std::string line;
  std::getline(file, line);
  std::size_t rows = 0;
  while (std::getline(file, line)) {
    const auto c = labels.colours.at(rows);
    const int red = c.red, green = c.green, blue = c.blue;
    CHECK(line == std::to_string(rows) + "," + std::to_string(red) + "," + std::to_string(green) + "," +
                      std::to_string(blue));
    ++rows;
  }
  CHECK(rows == 151);
}

TEST_CASE("how colours look") {
  const auto near = [](const atrous::perceived& a, const atrous::perceived& b) {
    for (std::size_t i = 0; i < 3; ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(0.002));
  };
  near(atrous::seen({255, 0, 0})[0], {0.62796F, 0.22486F, 0.12585F});  // as published for OKLab
  near(atrous::seen({0, 0, 255})[0], {0.45201F, -0.03246F, -0.31153F});
  for (const auto& white : atrous::seen({255, 255, 255})) {
    CHECK(white[0] == doctest::Approx(1).epsilon(0.001));
    CHECK(std::abs(white[1]) + std::abs(white[2]) < 0.001);
  }
  // A brown and a green that differ for normal vision, but hardly without the receptor for green.
  const auto brown = atrous::seen({180, 90, 40}), green = atrous::seen({110, 125, 40});
  const auto apart = [](const atrous::perceived& a, const atrous::perceived& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  };
  CHECK(apart(brown[0], green[0]) > 0.12);
  CHECK(apart(brown[2], green[2]) < 0.5 * apart(brown[0], green[0]));
  CHECK(atrous::least_difference(brown, green) < 0.5 * apart(brown[0], green[0]));
}

TEST_CASE("colours for any vision are told apart") {
  struct row {
    std::size_t count;
    float least;
  };
  for (const row& each : {row{8, 0.076F}, row{12, 0.076F}, row{20, 0.076F}, row{32, 0.058F}, row{64, 0.037F},
                          row{150, 0.025F}, row{256, 0.0165F}}) {
    CAPTURE(each.count);
    auto colours = atrous::colour_blind_safe(each.count);
    REQUIRE(colours.size() == each.count);
    colours.push_back({0, 0, 0});
    CHECK(least_of_any_two(colours) >= each.least);
  }
  for (const int classes : {11, 19, 21, 32, 150}) {
    CAPTURE(classes);
    CHECK(least_of_any_two(atrous::colour_blind_safe(atrous::labels_for(classes)).colours) >
          2 * least_of_any_two(atrous::labels_for(classes).colours));
  }
}

TEST_CASE("label sets in colours for any vision") {
  using atrous::colour;
  const auto voc = atrous::colour_blind_safe(atrous::labels_for(21));
  CHECK(voc.names == atrous::labels_for(21).names);
  CHECK(voc.colours.size() == 21);
  check_class(voc, 0, "background", {0, 0, 0});
  check_class(voc, 1, "aeroplane", {230, 159, 0});
  check_class(voc, 7, "car", {204, 121, 167});
  const auto camvid = atrous::colour_blind_safe(atrous::labels_for(11));
  check_class(camvid, 0, "Sky", {230, 159, 0});
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(camvid.colours[i] == voc.colours[i + 1]);  // the first stay the first
  CHECK(atrous::colour_blind_safe(atrous::label_set{}).colours.empty());
  const auto many = atrous::colour_blind_safe(600);
  CHECK(many[599] == many[599 - 512]);
}
