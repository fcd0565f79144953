// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <png.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <atrous/data/palette.hpp>
#include <atrous/data/png.hpp>
#include <atrous/data/read_image.hpp>

#include "../support/cuts.hpp"
#include "../support/scratch.hpp"
#include "../support/shared.hpp"

namespace {

using bytes = std::vector<std::uint8_t>;

// What a PNG stores, for libpng's own writer.
struct stored {
  int height, width, depth, kind;
  std::vector<bytes> rows;
  bool interlaced = false;
  std::vector<png_color> palette = {};
  bytes transparent = {};     // alpha of the palette's first entries
  int transparent_grey = -1;  // or a grey value, or red of (red, 0, 0)
  bytes exif = {};
};

std::string png_of(const stored& s) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, std::size_t count) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), count);
      },
      [](png_structp) {});
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(png, info, static_cast<png_uint_32>(s.width), static_cast<png_uint_32>(s.height), s.depth,
               s.kind, s.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
               PNG_FILTER_TYPE_BASE);
  if (!s.palette.empty()) png_set_PLTE(png, info, s.palette.data(), static_cast<int>(s.palette.size()));
  png_color_16 key{};
  key.gray = key.red = static_cast<png_uint_16>(s.transparent_grey);
  if (!s.transparent.empty()) {
    png_set_tRNS(png, info, s.transparent.data(), static_cast<int>(s.transparent.size()), nullptr);
  }
  if (s.transparent_grey >= 0) png_set_tRNS(png, info, nullptr, 1, &key);
  auto exif = s.exif;
  if (!exif.empty()) png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), exif.data());
  png_write_info(png, info);
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass) {
    for (const auto& row : s.rows) png_write_row(png, row.data());
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

bytes rgb_of(const stored& s) {
  const auto picture = atrous::read_png(bytes_of(png_of(s)), "test.png");
  CHECK(picture.height == s.height);
  CHECK(picture.width == s.width);
  CHECK(picture.channels == 3);
  return picture.pixels;
}

std::string refusal(std::string_view file) {
  const auto message = message_of<std::runtime_error>([&] { atrous::read_image(bytes_of(file), "bad.png"); });
  CAPTURE(message);
  CHECK(message.starts_with("bad.png: "));
  CHECK(is_plain_line(message));
  return message;
}

// A picture without two equal pixels side by side.
atrous::image speckled(int height, int width, int channels) {
  atrous::image picture{height, width, channels, {}};
  for (int at = 0; at < height * width * channels; ++at) {
    picture.pixels.push_back(static_cast<std::uint8_t>(at * 37 + at / 7));
  }
  return picture;
}

}  // namespace

TEST_CASE("written PNGs are read back") {
  const scratch here;
  for (const int channels : {1, 3}) {
    const auto picture = speckled(13, 29, channels);
    atrous::write_png(here.folder / "p.png", picture);
    if (channels == 3) CHECK(atrous::read_png(here.folder / "p.png").pixels == picture.pixels);
    if (channels == 1) CHECK(atrous::read_png_indices(here.folder / "p.png").pixels == picture.pixels);
  }
  const auto labels = speckled(9, 5, 1);
  std::vector<atrous::colour> palette;
  for (unsigned i = 0; i < 256; ++i) palette.push_back(atrous::voc_colour(i));
  atrous::write_png_indexed(here.folder / "p.png", labels, palette);
  CHECK(atrous::read_png_indices(here.folder / "p.png").pixels == labels.pixels);
  const auto shown = atrous::read_png(here.folder / "p.png");
  for (std::size_t i = 0; i < labels.pixels.size(); ++i) {
    CHECK(atrous::colour{shown.pixels[3 * i], shown.pixels[3 * i + 1], shown.pixels[3 * i + 2]} ==
          palette[labels.pixels[i]]);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(here.folder), {}) == 1);
}

TEST_CASE("what is no picture is not written") {
  const scratch here;
  const auto path = here.folder / "p.png";
  const std::vector<atrous::colour> two(2);
  using wrong = std::invalid_argument;
  CHECK_THROWS_AS(atrous::write_png(path, {}), wrong);
  CHECK_THROWS_AS(atrous::write_png(path, {2, 2, 3, bytes(11)}), wrong);
  CHECK_THROWS_AS(atrous::write_png(path, {2, 2, 2, bytes(8)}), wrong);
  CHECK_THROWS_AS(atrous::write_png(path, {-2, -2, 1, bytes(4)}), wrong);
  CHECK_THROWS_AS(atrous::write_png_indexed(path, {1, 2, 1, bytes(2)}, {}), wrong);
  CHECK_THROWS_AS(atrous::write_png_indexed(path, {1, 1, 3, bytes(3)}, two), wrong);
  CHECK(says(message_of<wrong>([&] {
               atrous::write_png_indexed(path, {1, 2, 1, {0, 255}}, two);
             }),
             "expected labels below 2, found 255"));
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(message_of<std::runtime_error>([] {
          atrous::write_png("/nowhere/at/all.png", {1, 1, 1, {0}});
        }) == "/nowhere/at/all.png: cannot be written: No such file or directory");
}

TEST_CASE("every kind of PNG is read as RGB") {
  CHECK(rgb_of({1, 2, 8, PNG_COLOR_TYPE_GRAY, {{7, 200}}}) == bytes{7, 7, 7, 200, 200, 200});
  CHECK(rgb_of({1, 2, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3, 4, 5, 6}}}) == bytes{1, 2, 3, 4, 5, 6});
  CHECK(rgb_of({1, 2, 8, PNG_COLOR_TYPE_RGBA, {{1, 2, 3, 0, 4, 5, 6, 128}}}) == bytes{1, 2, 3, 4, 5, 6});
  CHECK(rgb_of({1, 2, 8, PNG_COLOR_TYPE_GRAY_ALPHA, {{9, 0, 8, 255}}}) == bytes{9, 9, 9, 8, 8, 8});
  CHECK(rgb_of({1, 3, 1, PNG_COLOR_TYPE_GRAY, {{0xa0}}}) == bytes{255, 255, 255, 0, 0, 0, 255, 255, 255});
  CHECK(rgb_of({1, 2, 2, PNG_COLOR_TYPE_GRAY, {{0x60}}}) == bytes{85, 85, 85, 170, 170, 170});
  CHECK(rgb_of({1, 2, 4, PNG_COLOR_TYPE_GRAY, {{0x1f}}}) == bytes{17, 17, 17, 255, 255, 255});
  CHECK(rgb_of({1, 2, 16, PNG_COLOR_TYPE_GRAY, {{0x12, 0xff, 0xfe, 0x00}}}) ==
        bytes{18, 18, 18, 254, 254, 254});
  CHECK(rgb_of({1, 1, 16, PNG_COLOR_TYPE_RGB, {{1, 99, 2, 99, 3, 99}}}) == bytes{1, 2, 3});
  CHECK(rgb_of({1, 1, 16, PNG_COLOR_TYPE_RGBA, {{1, 99, 2, 99, 3, 99, 0, 0}}}) == bytes{1, 2, 3});
  CHECK(rgb_of({1, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA, {{5, 99, 0, 0}}}) == bytes{5, 5, 5});
}

TEST_CASE("palettes and transparent colours are read as RGB") {
  const std::vector<png_color> palette{{10, 20, 30}, {40, 50, 60}, {70, 80, 90}};
  stored indexed{1, 3, 8, PNG_COLOR_TYPE_PALETTE, {{2, 0, 1}}, false, palette};
  const bytes expected{70, 80, 90, 10, 20, 30, 40, 50, 60};
  CHECK(rgb_of(indexed) == expected);
  indexed.transparent = {0, 128};
  CHECK(rgb_of(indexed) == expected);
  CHECK(rgb_of({1, 3, 2, PNG_COLOR_TYPE_PALETTE, {{0x84}}, false, palette}) == expected);
  stored grey{1, 2, 8, PNG_COLOR_TYPE_GRAY, {{7, 200}}};
  grey.transparent_grey = 7;
  CHECK(rgb_of(grey) == bytes{7, 7, 7, 200, 200, 200});
  stored rgb{1, 2, 8, PNG_COLOR_TYPE_RGB, {{7, 0, 0, 1, 2, 3}}};
  rgb.transparent_grey = 7;
  CHECK(rgb_of(rgb) == bytes{7, 0, 0, 1, 2, 3});
}

TEST_CASE("interlaced PNGs are read as others") {
  const auto picture = speckled(19, 23, 3);
  stored s{19, 23, 8, PNG_COLOR_TYPE_RGB, {}, true};
  for (int i = 0; i < 19; ++i) s.rows.emplace_back(&picture.pixels[i * 69], &picture.pixels[i * 69] + 69);
  CHECK(rgb_of(s) == picture.pixels);
  stored labels{3, 5, 2, PNG_COLOR_TYPE_GRAY, {{0x1b, 0x40}, {0xe4, 0x80}, {0xff, 0xc0}}, true};
  CHECK(atrous::read_png_indices(bytes_of(png_of(labels)), "labels").pixels ==
        bytes{0, 1, 2, 3, 1, 3, 2, 1, 0, 2, 3, 3, 3, 3, 3});
}

TEST_CASE("EXIF in a PNG turns the photo and not the label map") {
  stored s{1, 2, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3, 4, 5, 6}}};
  s.exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0};
  const auto picture = atrous::read_png(bytes_of(png_of(s)), "test.png");
  CHECK(picture.height == 2);
  CHECK(picture.width == 1);
  s = {1, 2, 8, PNG_COLOR_TYPE_GRAY, {{1, 2}}, false, {}, {}, -1, s.exif};
  CHECK(atrous::read_png_indices(bytes_of(png_of(s)), "test.png").width == 2);
}

TEST_CASE("label maps keep their indices") {
  const auto indices = [](const stored& s) {
    return atrous::read_png_indices(bytes_of(png_of(s)), "labels.png").pixels;
  };
  const std::vector<png_color> palette(256, png_color{1, 1, 1});
  CHECK(indices({1, 3, 8, PNG_COLOR_TYPE_PALETTE, {{0, 21, 255}}, false, palette}) == bytes{0, 21, 255});
  CHECK(indices({1, 3, 8, PNG_COLOR_TYPE_GRAY, {{0, 21, 255}}}) == bytes{0, 21, 255});
  CHECK(indices({1, 3, 4, PNG_COLOR_TYPE_GRAY, {{0x0f, 0x30}}}) == bytes{0, 15, 3});
  CHECK(indices({1, 3, 1, PNG_COLOR_TYPE_GRAY, {{0xa0}}}) == bytes{1, 0, 1});
  const auto refused = [&](const stored& s) { return message_of<std::runtime_error>([&] { indices(s); }); };
  CHECK(refused({1, 1, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3}}}) ==
        "labels.png: expected a label map, palette or grey with up to 8 bits, found 3 channels of 8 bits");
  CHECK(says(refused({1, 1, 16, PNG_COLOR_TYPE_GRAY, {{1, 2}}}), "found 1 channels of 16 bits"));
}

TEST_CASE("a PNG that is not whole is refused") {
  const scratch here;
  atrous::write_png(here.folder / "p.png", speckled(40, 50, 3));
  const auto good = contents_of(here.folder / "p.png");
  const auto header = good.find("IDAT") + 4;
  REQUIRE(header < 100);
  for (const std::size_t size : cuts(header, good.size())) refusal(good.substr(0, size));
  CHECK(says(refusal(good.substr(0, good.size() / 2)), "the file ends early"));
  CHECK(says(refusal("hellohellohello"),
             "expected a PNG, JPEG or PPM image, found a file that begins \"hellohel\""));
  CHECK(says(refusal(std::string("\x1b[2J\0\n", 6)), "\"\\x1b[2J\\x00\\x0a\""));
  CHECK(says(refusal(""), "begins \"\""));
  auto flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  refusal(flipped);
  CHECK(message_of<std::runtime_error>([] { atrous::read_image("absent.png"); }) ==
        "absent.png: cannot be opened: No such file or directory");
}

TEST_CASE("a header that promises too much is refused before anything is allocated") {
  const auto with_extents = [](std::uint32_t width, std::uint32_t height, std::size_t padding) {
    auto file = png_of({1, 1, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3}}});
    for (int i = 0; i < 4; ++i) {
      file[16 + i] = static_cast<char>(width >> (24 - 8 * i));
      file[20 + i] = static_cast<char>(height >> (24 - 8 * i));
    }
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(file.data()) + 12, 17);
    for (int i = 0; i < 4; ++i) file[29 + i] = static_cast<char>(sum >> (24 - 8 * i));
    return file + std::string(padding, 'x');
  };
  CHECK(says(refusal(with_extents(20'000'000, 20'000'000, 0)),
             "expected from 1 to 268435456 pixels, found 20000000x20000000 pixels"));
  CHECK(says(refusal(with_extents(0x7fffffff, 0x7fffffff, 0)), "expected from 1 to 268435456 pixels"));
  CHECK(says(refusal(with_extents(16384, 16384, 0)), "the file ends early"));
  CHECK(says(refusal(with_extents(1000, 1000, 0)), "bytes for 1000x1000 pixels, found "));
  CHECK(says(refusal(with_extents(20'000'000, 1, 0)), "bytes for 1x20000000 pixels, found "));
  CHECK(says(refusal(with_extents(1, 200'000'000, 0)), "bytes for 200000000x1 pixels, found "));
  for (const auto& [width, height] :
       {std::pair{0U, 0U}, {0U, 5U}, {5U, 0U}, {0xffffffffU, 1U}, {1U, 0xffffffffU}})
    refusal(with_extents(width, height, 0));
  refusal(with_extents(1000, 1000, 5000));
  refusal(png_of({1, 1, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3}}})
              .replace(16, 4, "\x01\x31\x2d\x00"));  // and a wrong sum
}

TEST_CASE("a chunk that claims 2 GiB is refused before they are allocated") {
  const auto most_addresses = [] {  // KiB
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (long found = 0; word == "VmPeak:" && status >> found) return found;
    }
    return 0L;
  };
  stored s{1, 1, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3}}};
  s.exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0};
  auto file = png_of(s);
  REQUIRE(file.find("eXIf") != std::string::npos);
  file.replace(file.find("eXIf") - 4, 4, "\x7f\xff\xff\xff");
  const long before = most_addresses();
  CHECK(says(refusal(file), "the file ends early"));
  CHECK(most_addresses() - before < 1 << 20);
}

TEST_CASE("extents have no limit but the number of pixels") {
  const stored wide{1, 20'000'000, 1, PNG_COLOR_TYPE_GRAY, {bytes(2'500'000, 0xff)}};
  CHECK(rgb_of(wide) == bytes(60'000'000, 255));
  CHECK(rgb_of({1, 1, 1, PNG_COLOR_TYPE_GRAY, {{0}}}) == bytes{0, 0, 0});
}

TEST_CASE("photos and label maps of others are read") {
  if (const auto path = shared("photos/bird.png")) {
    const auto photo = atrous::read_image(*path);
    CHECK(photo.height == 513);
    CHECK(photo.width == 513);
    CHECK(photo.channels == 3);
  }
  if (const auto path = shared("photos/bird.truth.png")) {
    const auto truth = atrous::read_png_indices(*path);
    CHECK(truth.channels == 1);
    CHECK(std::find(truth.pixels.begin(), truth.pixels.end(), 3) != truth.pixels.end());
  }
}
