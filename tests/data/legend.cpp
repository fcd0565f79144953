// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/data/legend.hpp>

#include "../support/pictures.hpp"
#include "../support/scratch.hpp"

namespace {

/// Stripes of as many classes as there is room for, each of the rest in the last pixels.
atrous::image with_classes(int height, int width, int classes) {
  atrous::image labels{height, width, 1, {}};
  for (int at = 0; at < height * width; ++at)
    labels.pixels.push_back(static_cast<std::uint8_t>(at % classes));
  return labels;
}

/// The picture stands whole in the upper left corner.
bool holds(const atrous::image& page, const atrous::image& picture) {
  const std::size_t row = static_cast<std::size_t>(picture.width) * 3;
  for (int i = 0; i < picture.height; ++i) {
    const auto from = page.pixels.begin() + static_cast<std::ptrdiff_t>(i) * page.width * 3;
    if (!std::equal(from, from + row, picture.pixels.begin() + i * row)) return false;
  }
  return true;
}

/// Pixels of exactly this colour right of or below the picture.
int count_outside(const atrous::image& page, const atrous::image& picture, atrous::colour c) {
  int found = 0;
  for (int i = 0; i < page.height; ++i) {
    for (int j = 0; j < page.width; ++j) {
      if (i < picture.height && j < picture.width) continue;
      const std::uint8_t* rgb = &page.pixels[(static_cast<std::size_t>(i) * page.width + j) * 3];
      found += atrous::colour{rgb[0], rgb[1], rgb[2]} == c;
    }
  }
  return found;
}

/// Whether the outermost rows and columns outside the picture are white: nothing is cut off.
bool has_margins(const atrous::image& page, const atrous::image& picture) {
  bool white = true;
  for (int i = 0; i < page.height; ++i) {
    for (int j = 0; j < page.width; ++j) {
      const bool outermost = i == page.height - 1 || j == page.width - 1 || i == 0 || j == 0;
      if (!outermost || (i < picture.height && j < picture.width)) continue;
      const std::uint8_t* rgb = &page.pixels[(static_cast<std::size_t>(i) * page.width + j) * 3];
      white = white && rgb[0] == 255 && rgb[1] == 255 && rgb[2] == 255;
    }
  }
  return white;
}

/// An environment variable for as long as it lives.
struct environment {
  explicit environment(const std::string& value) { ::setenv("FONTCONFIG_FILE", value.c_str(), 1); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() { ::unsetenv("FONTCONFIG_FILE"); }
};

const atrous::label_set three{
    "three", {"background", "bird", "boat"}, {{0, 0, 0}, {200, 30, 30}, {30, 30, 200}}};

}  // namespace

TEST_CASE("a legend lists what occurs, the largest first, with its share") {
  atrous::image labels{100, 100, 1, std::vector<std::uint8_t>(10000, 0)};
  std::fill_n(labels.pixels.begin(), 2345, std::uint8_t{2});
  std::fill_n(labels.pixels.begin() + 5000, 4, std::uint8_t{1});
  labels.pixels[9000] = 255;
  const auto entries = atrous::legend_entries(labels, three);
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].name == "background");
  CHECK(entries[0].share == "76.5 %");
  CHECK(entries[0].bare);
  CHECK(entries[1].name == "boat");
  CHECK(entries[1].share == "23.4 %");
  CHECK(entries[1].shown == three.colours[2]);
  CHECK_FALSE(entries[1].bare);
  CHECK(entries[2].name == "bird");
  CHECK(entries[2].share == "<0.1 %");
  CHECK(entries[3].name == "no label");
  CHECK(entries[3].share == "<0.1 %");
  CHECK(entries[3].bare);
  CHECK_FALSE(atrous::legend_entries(labels, three, atrous::background::colour)[0].bare);

  std::fill_n(labels.pixels.begin() + 5000, 5, std::uint8_t{1});
  CHECK(atrous::legend_entries(labels, three)[2].share == "0.1 %");
}

TEST_CASE("legends of every size and number of classes leave the picture as it is") {
  struct row {
    int height, width, classes;
  };
  for (const row& each :
       {row{47, 33, 1}, row{33, 47, 3}, row{47, 33, 151}, row{1, 1, 1}, row{48, 64, 30}, row{513, 513, 21},
        row{100, 1500, 19}, row{1500, 100, 19}, row{1000, 1500, 151}, row{3000, 4000, 40}}) {
    const int height = each.height, width = each.width, classes = each.classes;
    CAPTURE(height);
    CAPTURE(width);
    CAPTURE(classes);
    const auto picture = made_picture(height, width);
    const auto labels = with_classes(height, width, classes);
    const auto set = atrous::labels_for(classes);
    const auto page = atrous::with_legend(picture, labels, set);
    CHECK(holds(page, picture));
    CHECK(has_margins(page, picture));
    CHECK((page.height == height || page.width == width || std::min(height, width) < 200 || classes > 100));
    const double em = std::clamp(std::sqrt(static_cast<double>(height) * width) / 40, 11.0, 160.0);
    const auto last = atrous::legend_entries(labels, set).back();
    CHECK(count_outside(page, picture, last.shown) >= 60);  // a swatch of 11 x 11 without its outline: 81
    if (height * width > 500 * 500 && classes < 50) {
      CHECK(static_cast<double>(page.height) * page.width < 1.51 * height * width);
      CHECK(count_outside(page, picture, last.shown) > 0.2 * em * em);
    }
  }
}

TEST_CASE("text has dark strokes and smooth edges, and is cut off at the edges") {
  atrous::font type;
  type.set_size(20);
  atrous::image page{40, 200, 3, std::vector<std::uint8_t>(40 * 200 * 3, 255)};
  type.draw(page, 10, 30, "Illegible", {0, 0, 0});
  int black = 0, grey = 0, first = 200, last = 0, top = 40, bottom = 0;
  for (int at = 0; at < 40 * 200; ++at) {
    const int value = page.pixels[static_cast<std::size_t>(at) * 3];
    black += value < 40;
    grey += value >= 40 && value < 215;
    if (value == 255) continue;
    first = std::min(first, at % 200), last = std::max(last, at % 200);
    top = std::min(top, at / 200), bottom = std::max(bottom, at / 200);
  }
  CHECK(black > 50);
  CHECK(grey > 50);
  CHECK(first >= 9);
  CHECK(std::abs(last - (10 + type.width("Illegible"))) <= 3);
  CHECK(std::abs(30 - top - type.capital_height()) <= 2);
  CHECK(bottom >= 32);  // the g goes below the line
  CHECK(bottom <= 36);
  for (const int left : {-60, 150, 5000}) type.draw(page, left, 2, "over the edge", {0, 0, 0});
  for (const int baseline : {-40, 45, 5000}) type.draw(page, 5, baseline, "over the edge", {0, 0, 0});
}

TEST_CASE("widths grow with size and text") {
  atrous::font type;
  type.set_size(100);
  const double large = type.width("pottedplant 12.3 %");
  type.set_size(12.5);
  CHECK(type.width("pottedplant 12.3 %") == doctest::Approx(large / 8).epsilon(0.01));
  CHECK(type.width("") == 0);
  CHECK(type.width("ab") > type.width("a"));
  CHECK(type.width("\xff\xc3") > 0);  // no UTF-8: signs for what is missing
  CHECK_THROWS_AS(type.set_size(0), std::invalid_argument);
  CHECK_THROWS_AS(type.set_size(1e9), std::invalid_argument);
}

TEST_CASE("characters of UTF-8") {
  std::string_view text = "aé…\xffz";
  CHECK(atrous::take_character(text) == U'a');
  CHECK(atrous::take_character(text) == U'é');
  CHECK(atrous::take_character(text) == U'…');
  CHECK(atrous::take_character(text) == char32_t{0xfffd});
  CHECK(atrous::take_character(text) == U'z');
  CHECK(text.empty());
}

TEST_CASE("long names end in an ellipsis") {
  atrous::font type;
  type.set_size(100);
  CHECK(atrous::shortened(type, "television receiver", 1600) == "television receiver");
  const std::string longest(500, 'n');
  const auto cut = atrous::shortened(type, longest, 1600);
  CHECK(cut.ends_with("…"));
  CHECK(type.width(cut) <= 1600);
  CHECK(type.width(cut) > 1500);
  CHECK(atrous::shortened(type, "ééééééééé", 300).ends_with("é…"));
  CHECK(atrous::shortened(type, "aaa bbb", type.width("aaa bb")) == "aaa…");

  atrous::label_set set = three;
  set.names[1] = longest;
  const auto picture = made_picture(400, 400);
  const auto page = atrous::with_legend(picture, with_classes(400, 400, 3), set);
  CHECK(page.width * page.height < 1.51 * 400 * 400);
}

TEST_CASE("mistakes around a legend") {
  const auto picture = made_picture(20, 30);
  const auto labels = with_classes(20, 30, 3);
  const auto refusal = [](auto work) { return message_of<std::invalid_argument>(work); };
  CHECK(says(refusal([&] { atrous::with_legend(labels, labels, three); }),
             "picture: expected height x width x 3"));
  CHECK(says(refusal([&] { atrous::with_legend(picture, picture, three); }), "label map: expected"));
  CHECK(says(refusal([&] { atrous::with_legend(picture, with_classes(20, 30, 4), three); }),
             "expected labels below 3, one for each colour, or 255, found 3"));
  atrous::label_set nameless = three;
  nameless.names.pop_back();
  CHECK(says(refusal([&] { atrous::with_legend(picture, labels, nameless); }),
             "expected a name for label 2, found 2"));
}

TEST_CASE("a machine without fonts, and a file that is none") {
  const scratch here;
  {
    const environment none(here.file("fonts.conf", "<fontconfig><dir>" + here.folder.string() +
                                                       "</dir><cachedir>" + here.folder.string() +
                                                       "/cache</cachedir></fontconfig>"));
    const auto message = message_of<std::runtime_error>(
        [] { atrous::with_legend(made_picture(20, 30), with_classes(20, 30, 3), three); });
    CHECK(says(message, "no font for text in pictures"));
    CHECK(says(message, "fonts-dejavu-core"));
  }
  CHECK_NOTHROW(atrous::find_font());
  const auto path = here.file("no.ttf", "not a font").string();
  CHECK(says(message_of<std::runtime_error>([&] {
               const atrous::font type({path, 0});
             }),
             "no.ttf: FreeType finds no"));
}
