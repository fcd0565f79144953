// SPDX-License-Identifier: MIT
#include <cstdio>
// jpeglib.h needs the types of cstdio before it.
#include <doctest/doctest.h>
#include <jpeglib.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <atrous/data/read_image.hpp>

#include "../support/cuts.hpp"
#include "../support/scratch.hpp"

namespace {

struct settings {
  J_COLOR_SPACE input = JCS_RGB;
  J_COLOR_SPACE stored = JCS_YCbCr;
  bool adobe = true;  // where the colour space has a choice
  bool progressive = false;
  bool arithmetic = false;
  std::string exif = {};
};

// libjpeg's own writer, at full quality and without subsampling.
std::string jpeg_of(const atrous::image& picture, const settings& with) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &out, &size);
  encoder.image_width = static_cast<JDIMENSION>(picture.width);
  encoder.image_height = static_cast<JDIMENSION>(picture.height);
  encoder.input_components = picture.channels;
  encoder.in_color_space = with.input;
  jpeg_set_defaults(&encoder);
  jpeg_set_colorspace(&encoder, with.stored);
  jpeg_set_quality(&encoder, 100, TRUE);
  if (!with.adobe) encoder.write_Adobe_marker = FALSE;
  if (with.progressive) jpeg_simple_progression(&encoder);
  encoder.arith_code = with.arithmetic ? TRUE : FALSE;
  for (int c = 0; c < encoder.num_components; ++c) {
    encoder.comp_info[c].h_samp_factor = encoder.comp_info[c].v_samp_factor = 1;
  }
  jpeg_start_compress(&encoder, TRUE);
  if (!with.exif.empty()) {
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>("http://ns.adobe.com/xap"),
                      23);
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(with.exif.data()),
                      static_cast<unsigned>(with.exif.size()));
  }
  for (int i = 0; i < picture.height; ++i) {
    auto* row =
        const_cast<JSAMPROW>(&picture.pixels[static_cast<std::size_t>(i) * picture.width * picture.channels]);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::string file(reinterpret_cast<const char*>(out), size);
  std::free(out);
  return file;
}

// Four quarters of 16 x 24 pixels, each of its own shade: 40 80 / 120 200.
constexpr std::array<std::uint8_t, 4> shades{40, 80, 120, 200};

atrous::image quarters(int channels) {
  atrous::image picture{32, 48, channels, {}};
  for (int i = 0; i < 32; ++i) {
    for (int j = 0; j < 48; ++j) {
      for (int c = 0; c < channels; ++c) picture.pixels.push_back(shades[i / 16 * 2 + j / 24]);
    }
  }
  return picture;
}

// EXIF of one tag, orientation, in either byte order.
std::string exif_of(int orientation, bool big_endian, char format = 3) {
  std::string out("Exif\0\0", 6);
  const char o = static_cast<char>(orientation);
  if (big_endian) {
    out += std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0", 13) + format + std::string("\0\0\0\x01\0", 5) + o;
    out += std::string(6, '\0');
  } else {
    out += std::string("II*\0\x08\0\0\0\x01\0\x12\x01", 12) + format + std::string("\0\x01\0\0\0", 5) + o;
    out += std::string(7, '\0');
  }
  return out;
}

// The shade, as an index, of each corner: top left, top right, bottom left, bottom right.
std::array<int, 4> corners(const atrous::image& picture) {
  const auto shade = [&](int i, int j) {
    const int value = picture.pixels[(static_cast<std::size_t>(i) * picture.width + j) * picture.channels];
    for (int k = 0; k < 4; ++k) {
      if (std::abs(value - shades[k]) < 6) return k;
    }
    return -1;
  };
  const int bottom = picture.height - 3, right = picture.width - 3;
  return {shade(2, 2), shade(2, right), shade(bottom, 2), shade(bottom, right)};
}

std::string refusal(std::string_view file) {
  const auto message = message_of<std::runtime_error>([&] { atrous::read_jpeg(bytes_of(file), "bad.jpg"); });
  CAPTURE(message);
  CHECK(message.starts_with("bad.jpg: "));
  CHECK(is_plain_line(message));
  return message;
}

void check_close(const atrous::image& found, const std::vector<std::uint8_t>& expected, int most) {
  REQUIRE(found.pixels.size() == expected.size());
  int worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(found.pixels[i] - expected[i]));
  CHECK(worst <= most);
}

}  // namespace

TEST_CASE("grey and colour JPEGs are read as RGB") {
  const auto grey = quarters(1);
  const auto shown = atrous::read_jpeg(bytes_of(jpeg_of(grey, {JCS_GRAYSCALE, JCS_GRAYSCALE})), "grey.jpg");
  CHECK(shown.height == 32);
  CHECK(shown.width == 48);
  CHECK(shown.channels == 3);
  check_close(shown, quarters(3).pixels, 3);
  auto picture = quarters(3);
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) picture.pixels[i] = 250;
  for (const bool progressive : {false, true}) {
    for (const bool arithmetic : {false, true}) {
      for (const auto stored : {JCS_YCbCr, JCS_RGB}) {
        const auto file = jpeg_of(picture, {JCS_RGB, stored, true, progressive, arithmetic});
        check_close(atrous::read_image(bytes_of(file), "photo"), picture.pixels, 4);
      }
    }
  }
}

TEST_CASE("CMYK JPEGs are read as RGB") {
  atrous::image inks{8, 8, 4, {}};
  std::vector<std::uint8_t> adobe, plain;
  for (int pixel = 0; pixel < 64; ++pixel) {
    for (const int ink : {200, 100, 0, 128}) inks.pixels.push_back(static_cast<std::uint8_t>(ink));
    for (const int light : {100, 50, 0}) adobe.push_back(static_cast<std::uint8_t>(light));
    for (const int light : {27, 77, 127}) plain.push_back(static_cast<std::uint8_t>(light));
  }
  check_close(atrous::read_jpeg(bytes_of(jpeg_of(inks, {JCS_CMYK, JCS_CMYK})), "inks"), adobe, 3);
  check_close(atrous::read_jpeg(bytes_of(jpeg_of(inks, {JCS_CMYK, JCS_YCCK})), "inks"), adobe, 3);
  check_close(atrous::read_jpeg(bytes_of(jpeg_of(inks, {JCS_CMYK, JCS_CMYK, false})), "inks"), plain, 3);
}

TEST_CASE("EXIF turns a JPEG upright") {
  // Where the corners of the stored picture are seen, for the orientations 1 to 8.
  const std::array<std::array<int, 4>, 8> seen{{{0, 1, 2, 3},
                                                {1, 0, 3, 2},
                                                {3, 2, 1, 0},
                                                {2, 3, 0, 1},
                                                {0, 2, 1, 3},
                                                {2, 0, 3, 1},
                                                {3, 1, 2, 0},
                                                {1, 3, 0, 2}}};
  for (const bool big_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      CAPTURE(orientation);
      settings with;
      with.exif = exif_of(orientation, big_endian);
      const auto picture = atrous::read_jpeg(bytes_of(jpeg_of(quarters(3), with)), "photo.jpg");
      CHECK(picture.height == (orientation < 5 ? 32 : 48));
      CHECK(picture.width == (orientation < 5 ? 48 : 32));
      CHECK(picture.pixels.size() == 32 * 48 * 3);
      CHECK(corners(picture) == seen[orientation - 1]);
    }
  }
}

TEST_CASE("EXIF that makes no sense turns nothing") {
  const auto whole = exif_of(6, false);
  std::vector<std::string> nonsense{exif_of(0, false), exif_of(9, true), exif_of(6, false, 7), "Exif"};
  for (std::size_t size = 6; size < 24; ++size) nonsense.push_back(whole.substr(0, size));
  for (const auto& exif : nonsense) {
    settings with;
    with.exif = exif;
    const auto picture = atrous::read_jpeg(bytes_of(jpeg_of(quarters(3), with)), "photo.jpg");
    CHECK(corners(picture) == std::array{0, 1, 2, 3});
  }
}

TEST_CASE("a JPEG that is not whole is refused") {
  const scratch here;
  atrous::image noise{64, 64, 3, {}};
  for (unsigned i = 0; i < 64 * 64 * 3; ++i)
    noise.pixels.push_back(static_cast<std::uint8_t>(i * i * 31 >> 4));
  for (const bool progressive : {false, true}) {
    const auto good = jpeg_of(noise, {JCS_RGB, JCS_YCbCr, true, progressive});
    CHECK(atrous::read_jpeg(here.file("good.jpg", good)).width == 64);
    const auto header = good.find("\xff\xda") + 14;  // with the tables and the beginning of the first scan
    REQUIRE(header < 1000);
    for (const std::size_t size : cuts(header, good.size())) refusal(good.substr(0, size));
    refusal(good.substr(0, good.size() - 2));
    CHECK(says(refusal(good.substr(0, good.size() / 2)), "the file ends early"));
    auto ended = good;  // the picture ends in its middle, with a proper end marker
    ended.resize(good.size() / 2);
    refusal(ended + "\xff\xd9");
  }
  refusal("\xff\xd8\xff");
  refusal("hello");
  CHECK(message_of<std::runtime_error>([] { atrous::read_jpeg("absent.jpg"); }) ==
        "absent.jpg: cannot be opened: No such file or directory");
}

TEST_CASE("a JPEG that promises too much is refused before anything is allocated") {
  auto file = jpeg_of(quarters(3), {});
  const auto frame = file.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  const auto with_extents = [&](const char* extents) {
    return std::string(file).replace(frame + 5, 4, extents, 4);
  };
  CHECK(says(refusal(with_extents("\xff\xdc\xff\xdc")),
             "expected from 1 to 268435456 pixels, found 65500x65500"));
  CHECK(says(refusal(with_extents("\x20\x00\x20\x00")), "bytes for 8192x8192 pixels, found "));
  for (const char* extents :
       {"\xff\xff\xff\xff", "\x00\x40\x00\x40", "\x00\x00\x00\x40", "\x00\x40\x00\x00", "\x00\x00\x00\x00"})
    refusal(with_extents(extents));
  for (const char bits : {'\x0c', '\x10'})
    CHECK(says(refusal(std::string(file).replace(frame + 4, 1, 1, bits)), "precision"));
}

TEST_CASE("the smallest and the widest JPEGs are read") {
  const auto dot =
      atrous::read_jpeg(bytes_of(jpeg_of({1, 1, 3, {9, 200, 77}}, {JCS_RGB, JCS_RGB})), "dot.jpg");
  CHECK((dot.height == 1 && dot.width == 1));
  check_close(dot, {9, 200, 77}, 2);
  const atrous::image line{1, 65500, 1, std::vector<std::uint8_t>(65500, 80)};
  check_close(atrous::read_jpeg(bytes_of(jpeg_of(line, {JCS_GRAYSCALE, JCS_GRAYSCALE})), "line.jpg"),
              std::vector<std::uint8_t>(3 * 65500, 80), 1);
}
