// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include <atrous/data/overlay.hpp>

#include "../support/pictures.hpp"
#include "../support/scratch.hpp"

namespace {

using atrous::colour;

atrous::image flat(int height, int width, colour c) {
  atrous::image out{height, width, 3, {}};
  for (int i = 0; i < height * width; ++i) out.pixels.insert(out.pixels.end(), {c.red, c.green, c.blue});
  return out;
}

colour pixel(const atrous::image& picture, int i, int j) {
  const std::uint8_t* rgb = &picture.pixels[(static_cast<std::size_t>(i) * picture.width + j) * 3];
  return {rgb[0], rgb[1], rgb[2]};
}

/// The left half is of class `left`, the right half of class `right`.
atrous::image halves(int height, int width, std::uint8_t left, std::uint8_t right) {
  atrous::image labels{height, width, 1, {}};
  for (int at = 0; at < height * width; ++at) labels.pixels.push_back(at % width < width / 2 ? left : right);
  return labels;
}

const atrous::label_set three{"three", {"background", "red", "blue"}, {{0, 0, 0}, {255, 0, 0}, {0, 0, 255}}};
const atrous::label_set two{"two", {"red", "blue"}, {{255, 0, 0}, {0, 0, 255}}};
constexpr colour grey{100, 100, 100};

template <class Work>
std::string refusal(Work work) {
  return message_of<std::invalid_argument>(work);
}

}  // namespace

TEST_CASE("classes are blended with the photo, background and void are not") {
  const auto photo = flat(40, 40, grey);
  const auto shown =
      atrous::overlay(photo, halves(40, 40, 1, 2), three, {.opacity = 0.6, .boundaries = false});
  CHECK(pixel(shown, 20, 5) == colour{193, 40, 40});  // 100 + 0.6 * (255 - 100), 100 - 0.6 * 100
  CHECK(pixel(shown, 20, 19) == colour{193, 40, 40});
  CHECK(pixel(shown, 20, 20) == colour{40, 40, 193});

  const auto bare = atrous::overlay(photo, halves(40, 40, 0, 255), three, {.boundaries = false});
  CHECK(bare.pixels == photo.pixels);
  const auto dark =
      atrous::overlay(photo, halves(40, 40, 0, 255), three,
                      {.opacity = 0.5, .boundaries = false, .shown = atrous::background::colour});
  CHECK(pixel(dark, 20, 5) == colour{50, 50, 50});
  CHECK(pixel(dark, 20, 35) == grey);
  // Without a background by name class 0 is a class like any other.
  CHECK(pixel(atrous::overlay(photo, halves(40, 40, 0, 1), two), 20, 5) == colour{193, 40, 40});
}

TEST_CASE("the ends of the range of opacity") {
  const auto photo = made_picture(31, 22);
  const auto labels = halves(31, 22, 1, 2);
  CHECK(atrous::overlay(photo, labels, three, {.opacity = 0, .boundaries = false}).pixels == photo.pixels);
  const auto colours = atrous::overlay(photo, labels, three, {.opacity = 1, .boundaries = false});
  CHECK(pixel(colours, 3, 3) == colour{255, 0, 0});
  CHECK(pixel(colours, 3, 20) == colour{0, 0, 255});
}

TEST_CASE("a line between classes takes the same part of a picture of any size") {
  for (const int size : {48, 400, 2000}) {
    CAPTURE(size);
    const auto photo = flat(size, size, grey);
    const auto labels = halves(size, size, 1, 2);
    const auto plain = atrous::overlay(photo, labels, three, {.boundaries = false});
    const auto lined = atrous::overlay(photo, labels, three);
    int changed = 0, brightest = 0;
    for (int j = 0; j < size; ++j) {
      if (pixel(plain, size / 2, j) == pixel(lined, size / 2, j)) continue;
      ++changed;
      brightest = std::max<int>(brightest, pixel(lined, size / 2, j).green);
    }
    CHECK(pixel(plain, 0, 0) == pixel(lined, 0, 0));
    CHECK(changed >= 2);
    CHECK(changed <= std::max(2, size / 80));
    CHECK(brightest > 90);  // of a green of 40: a white line, thinner than a pixel in the smallest
  }
}

TEST_CASE("a line ends within the distances that are told apart") {
  for (const int shorter_side : {1, 400, 4'800, 5'000, 8'000, 1'000'000}) {
    CAPTURE(shorter_side);
    const auto line = atrous::border_line_for(shorter_side);
    CHECK(line.rim[10] > 0);
    CHECK(line.core[10] > 0);
    CHECK(line.rim[255] == 0);
    CHECK(line.core[255] == 0);
  }
}

TEST_CASE("distances to borders") {
  const auto far = atrous::distance_to_borders(halves(3, 60, 1, 2));
  REQUIRE(far.size() == 5 * 62);
  const auto at = [&](int j) { return static_cast<int>(far[2 * 62 + 1 + j]); };
  CHECK(at(30) == 10);  // half a pixel
  CHECK(at(29) == 10);
  CHECK(at(31) == 30);
  CHECK(at(26) == 70);
  CHECK(at(0) == 255);
  const auto none = atrous::distance_to_borders(halves(7, 5, 4, 4));
  CHECK(std::count(none.begin(), none.end(), 255) == 9 * 7);

  // Against the exact distance to the nearest pixel of another label.
  const auto size = 41;
  atrous::image dot{size, size, 1, std::vector<std::uint8_t>(size * size)};
  dot.pixels[20 * size + 20] = 1;
  const auto found = atrous::distance_to_borders(dot);
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      const double exact = std::hypot(i - 20, j - 20);
      if (exact == 0 || exact > 12) continue;
      const double chamfer = found[(i + 1) * (size + 2) + j + 1] / 20.0;
      CHECK(chamfer >= exact - 0.85);
      CHECK(chamfer <= 1.09 * exact);
    }
  }
}

TEST_CASE("what does not belong over a photo is refused") {
  const auto photo = flat(4, 6, grey);
  CHECK(refusal([&] { atrous::overlay(photo, halves(6, 4, 1, 2), three); }) ==
        "expected a label map of the photo's height x width, 4x6, found 6x4");
  CHECK(refusal([&] { atrous::overlay(photo, halves(4, 6, 1, 3), three); }) ==
        "expected labels below 3, one for each colour, or 255, found 3");
  CHECK(says(refusal([&] { atrous::overlay(halves(4, 6, 1, 2), halves(4, 6, 1, 2), three); }),
             "photo: expected height x width x 3 bytes, found 4x6x1 and 24 bytes"));
  CHECK(
      says(refusal([&] { atrous::overlay(photo, photo, three); }), "label map: expected height x width x 1"));
  CHECK(says(refusal([&] { atrous::overlay({}, {}, three); }), "found 0x0x0"));
  for (const double opacity : {-0.1, 1.1, std::nan("")}) {
    CHECK(says(refusal([&] { atrous::overlay(photo, halves(4, 6, 1, 2), three, {.opacity = opacity}); }),
               "expected an opacity from 0 to 1"));
  }
}

TEST_CASE("two pictures side by side") {
  const auto left = made_picture(130, 20), right = made_picture(130, 31, 3, 1);
  const auto both = atrous::side_by_side(left, right, 5);
  REQUIRE(both.height == 130);
  REQUIRE(both.width == 56);
  CHECK(pixel(both, 77, 0) == pixel(left, 77, 0));
  CHECK(pixel(both, 77, 19) == pixel(left, 77, 19));
  CHECK(pixel(both, 77, 20) == colour{255, 255, 255});
  CHECK(pixel(both, 77, 24) == colour{255, 255, 255});
  CHECK(pixel(both, 77, 25) == pixel(right, 77, 0));
  CHECK(pixel(both, 129, 55) == pixel(right, 129, 30));
  CHECK(atrous::side_by_side(left, right).width == 53);
  CHECK(atrous::side_by_side(left, right, 0).width == 51);
  CHECK(refusal([&] { atrous::side_by_side(left, made_picture(131, 20)); }) ==
        "expected two pictures of the same height, found 130 and 131");
  CHECK(says(refusal([&] { atrous::side_by_side(left, halves(130, 20, 0, 1)); }), "right picture: expected"));
  CHECK(says(refusal([&] { atrous::side_by_side(left, right, -1); }), "expected a gap from 0"));
  CHECK(says(refusal([&] { atrous::side_by_side(left, right, 1 << 28); }), "expected a gap from 0"));
}

TEST_CASE("which label sets have a background") {
  CHECK(atrous::has_background(atrous::labels_for(21)));
  CHECK(atrous::has_background(atrous::labels_for(151)));
  CHECK_FALSE(atrous::has_background(atrous::labels_for(19)));
  CHECK_FALSE(atrous::has_background(atrous::labels_for(32)));
  CHECK(atrous::has_background({"", {"Unlabelled"}, {{}}}));
  CHECK_FALSE(atrous::has_background({}));
}
