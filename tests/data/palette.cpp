// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>
#include <tuple>

#include <atrous/data/palette.hpp>

#include "../support/shared.hpp"

namespace {

void check_class(const atrous::label_set& labels, std::size_t index, const std::string& name,
                 atrous::colour shown) {
  CAPTURE(index);
  REQUIRE(index < labels.names.size());
  CHECK(labels.names[index] == name);
  CHECK(labels.colours[index] == shown);
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
