// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/data/frames.hpp>
#include <atrous/data/read_image.hpp>

#include "../support/pictures.hpp"
#include "../support/scratch.hpp"

namespace {

using namespace std::string_literals;

/// All frames of a stream with these contents.
std::vector<atrous::image> frames_of(const std::string& contents) {
  std::istringstream stream(contents);
  atrous::frame_reader reader(stream, "film");
  std::vector<atrous::image> frames;
  while (auto frame = reader.next()) frames.push_back(std::move(*frame));
  CHECK_FALSE(reader.next());  // and it stays at the end
  return frames;
}

std::string refusal(const std::string& contents) {
  std::istringstream stream(contents);
  atrous::frame_reader reader(stream, "film");
  const auto message = message_of<std::runtime_error>([&] {
    while (reader.next()) continue;
  });
  CAPTURE(message);
  CHECK(message.starts_with("film"));
  CHECK(is_plain_line(message));
  return message;
}

std::string ppm_of(const atrous::image& picture) {
  std::ostringstream out;
  atrous::write_ppm(out, picture);
  return out.str();
}

using rgb = std::vector<std::uint8_t>;

/// A film of one frame of one colour: y, u and v of every pixel as RGB.
rgb colour_of(const std::string& kind, int y, int u, int v) {
  std::string planes(4, static_cast<char>(y));
  if (kind != "Cmono XCOLORRANGE=FULL" && kind != "Cmono") {
    planes += std::string(4, static_cast<char>(u)) + std::string(4, static_cast<char>(v));
  }
  const auto frames = frames_of("YUV4MPEG2 W2 H2 F25:1 Ip A1:1 " + kind + "\nFRAME\n" + planes);
  REQUIRE(frames.size() == 1);
  return {frames[0].pixels.begin(), frames[0].pixels.begin() + 3};
}

}  // namespace

TEST_CASE("written PPMs are read back, one after another") {
  std::string film;
  for (int kind = 0; kind < 3; ++kind) film += ppm_of(made_picture(5 + kind, 7, 3, kind));
  CHECK(film.starts_with("P6\n7 5\n255\n"));
  const auto frames = frames_of(film);
  REQUIRE(frames.size() == 3);
  for (int kind = 0; kind < 3; ++kind) {
    CHECK(frames[kind].height == 5 + kind);
    CHECK(frames[kind].width == 7);
    CHECK(frames[kind].channels == 3);
    CHECK(frames[kind].pixels == made_picture(5 + kind, 7, 3, kind).pixels);
  }
  const auto large = made_picture(700, 900);  // more than one step of reading
  CHECK(frames_of(ppm_of(large)).at(0).pixels == large.pixels);
}

TEST_CASE("headers of PPM as others write them") {
  const rgb pixels{1, 2, 3, 4, 5, 6};
  const std::string data = "\1\2\3\4\5\6";
  for (const std::string header :
       {"P6 2 1 255\n", "P6\n2\t1\r255 ", "P6\n# two pixels\n2 #wide\n1\n# 9\n255\n", "P6 02 1 0255\n",
        "P6#\n2 1 255\n"}) {
    CAPTURE(header);
    const auto frames = frames_of(header + data);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].pixels == pixels);
  }
  // Samples of other largest values are scaled; those above it are white.
  CHECK(frames_of("P6 1 1 15\n\0\7\17"s).at(0).pixels == rgb{0, 119, 255});
  CHECK(frames_of("P6 1 1 1\n\0\1\2"s).at(0).pixels == rgb{0, 255, 255});
  CHECK(frames_of("P6 1 1 65535\n\xff\xff\x80\x00\x00\x80"s).at(0).pixels == rgb{255, 128, 0});
  CHECK(frames_of("P6 2 1 1000\n\3\xe8\1\xf4\0\0\0\0\0\0\xff\xff"s).at(0).pixels ==
        rgb{255, 128, 0, 0, 0, 255});
}

TEST_CASE("a PPM file is an image file") {
  const auto picture = made_picture(9, 4);
  CHECK(atrous::read_image(bytes_of(ppm_of(picture)), "p.ppm").pixels == picture.pixels);
  const auto message = message_of<std::runtime_error>(
      [&] { atrous::read_image(bytes_of(ppm_of(picture).substr(0, 40)), "p.ppm"); });
  CHECK(message == "p.ppm: the data ends early, within 9x4 pixels");
}

TEST_CASE("colours of Y4M are those of BT.601") {
  for (const std::string kind : {"C444", "C444 XSOMETHING XCOLORRANGE=LIMITED"}) {
    CHECK(colour_of(kind, 16, 128, 128) == rgb{0, 0, 0});
    CHECK(colour_of(kind, 235, 128, 128) == rgb{255, 255, 255});
    CHECK(colour_of(kind, 81, 90, 240) == rgb{254, 0, 0});  // red, green, blue as BT.601 stores them
    CHECK(colour_of(kind, 145, 54, 34) == rgb{0, 255, 1});
    CHECK(colour_of(kind, 41, 240, 110) == rgb{0, 0, 255});
    CHECK(colour_of(kind, 0, 0, 0) == rgb{0, 136, 0});
    CHECK(colour_of(kind, 255, 255, 255) == rgb{255, 125, 255});
  }
  const std::string full = "C444 XCOLORRANGE=FULL";
  CHECK(colour_of(full, 0, 128, 128) == rgb{0, 0, 0});
  CHECK(colour_of(full, 200, 128, 128) == rgb{200, 200, 200});
  CHECK(colour_of(full, 76, 85, 255) == rgb{254, 0, 0});
  CHECK(colour_of("Cmono", 126, 0, 0) == rgb{128, 128, 128});
  CHECK(colour_of("Cmono XCOLORRANGE=FULL", 126, 0, 0) == rgb{126, 126, 126});
}

TEST_CASE("every layout of colours, with odd extents") {
  // 3 x 3; the colour differences of the last row and column are other ones.
  const std::string luma(9, static_cast<char>(126)), grey = "\x80", warm = "\xa0";
  const auto film = [&](const std::string& kind, const std::string& u) {
    const auto frames = frames_of("YUV4MPEG2 W3 H3" + kind + "\nFRAME Ip\n" + luma + u +
                                  std::string(u.size(), static_cast<char>(128)) + "FRAME\n" + luma + u +
                                  std::string(u.size(), static_cast<char>(128)));
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].pixels == frames[1].pixels);
    std::string warmth;
    for (std::size_t at = 0; at < 9; ++at) warmth += frames[0].pixels[3 * at + 2] > 128 ? '#' : '.';
    return warmth;
  };
  for (const std::string kind : {"", " C420", " C420jpeg", " C420mpeg2 It", " C420paldv Ib"}) {
    CHECK(film(kind, grey + warm + grey + grey) == "..#..#...");
    CHECK(film(kind, grey + grey + warm + grey) == "......##.");
  }
  CHECK(film(" C422", grey + warm + grey + grey + warm + grey) == "..#...##.");
  CHECK(film(" C444", grey + warm + grey + grey + grey + grey + grey + grey + warm) == ".#......#");
}

TEST_CASE("what is no film is refused with the frame it is about") {
  CHECK(refusal("") == "film, frame 1: expected PPM (P6) or YUV4MPEG2 frames, found nothing");
  CHECK(says(refusal("GIF89a"),
             "film, frame 1: expected PPM (P6) or YUV4MPEG2 frames, found data that begins"));
  CHECK(says(refusal("YUV4MPEG3 W1 H1\n"), "found data that begins \"YUV4MPEG3 \""));
  CHECK(says(refusal("P5 1 1 255\n1"), "frame 1: expected a PPM image (P6), found data that begins \"P5\""));
  CHECK(says(refusal("P65 1 255\n123456789012345"), "found data that begins \"P65\""));
  const auto one = ppm_of(made_picture(2, 2));
  CHECK(says(refusal(one + one + "\n"), "film, frame 3: expected a PPM image (P6)"));
  for (std::size_t cut = 1; cut < one.size(); ++cut) {
    CHECK(says(refusal(one + one.substr(0, cut)), "film, frame 2: "));
  }
  for (const std::string header : {"P6 0 1 255\n", "P6 1 0 255\n", "P6 1 1 0\n", "P6 1 1 65536\n",
                                   "P6 -1 1 255\n", "P6 1x1 255\n", "P6 99999999999999999999 1 255\n"}) {
    CHECK(says(refusal(header + "123456"), "expected a PPM's width and height"));
  }
  CHECK(says(refusal("P6" + std::string(100000, ' ')), "expected a PPM's width and height"));
  CHECK(says(refusal("P6 #" + std::string(100000, '#')), "expected a PPM's width and height"));
  CHECK(says(refusal("P6 100000 100000 255\n"), "expected from 1 to 268435456 pixels, found 100000x100000"));
  CHECK(says(refusal("P6 16384 16384 255\n123"),
             "film, frame 1: the data ends early, within 16384x16384 pixels"));
}

TEST_CASE("damaged Y4M is refused") {
  const std::string header = "YUV4MPEG2 W4 H2 C420\n", frame = "FRAME\n" + std::string(12, 'x');
  CHECK(frames_of(header).empty());
  CHECK(frames_of(header + frame + frame).size() == 2);
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    CHECK(says(refusal(header + frame + frame.substr(0, cut)), "film, frame 2: the data ends early"));
  }
  for (std::size_t cut = 1; cut < header.size(); ++cut) refusal(header.substr(0, cut));
  CHECK(says(refusal(header + "GRAME\n"), "film, frame 1: expected a line FRAME, found \"GRAME\""));
  CHECK(says(refusal(header + frame + "FRAMES\n"), "film, frame 2: expected a line FRAME"));
  for (const std::string kind : {"C420p10", "C422p12", "C444alpha", "C411", "Cmono16", "C"}) {
    CHECK(says(refusal("YUV4MPEG2 W4 H2 " + kind + "\n"), "found " + kind));
  }
  CHECK(says(refusal("YUV4MPEG2 W4\n"), "found 0x4 pixels"));
  CHECK(says(refusal("YUV4MPEG2 W-4 H2\n"), "found 2x-4 pixels"));
  CHECK(says(refusal("YUV4MPEG2 W4x H2\n"), "expected a width and height of frames, found \"W4x\""));
  CHECK(says(refusal("YUV4MPEG2 W99999999999999999999 H2\n"), "expected a width and height of frames"));
  CHECK(says(refusal("YUV4MPEG2 W4294967296 H4294967296\n"), "expected from 1 to 268435456 pixels"));
  CHECK(
      says(refusal("YUV4MPEG2 W4 H2 X" + std::string(100000, 'x')), "expected a line of at most 4096 bytes"));
  CHECK(says(refusal(header + "FRAME " + std::string(100000, 'x')),
             "film, frame 1: expected a line of at most"));
  CHECK(
      says(refusal("YUV4MPEG2 W16384 H16384\nFRAME\n123"), "the data ends early, within 16384x16384 pixels"));
}

TEST_CASE("memory grows with what arrives") {
  std::istringstream stream("only this");
  std::vector<std::uint8_t> bytes;
  CHECK_FALSE(atrous::read_exactly(stream, bytes, std::size_t{1} << 40));
  CHECK(bytes.capacity() <= std::size_t{1} << 20);
}

TEST_CASE("what cannot be written as a PPM") {
  std::ostringstream out;
  CHECK_THROWS_AS(atrous::write_ppm(out, made_picture(2, 2, 1)), std::invalid_argument);
  CHECK(out.str().empty());
  out.setstate(std::ios::badbit);
  CHECK(message_of<std::runtime_error>([&] { atrous::write_ppm(out, made_picture(2, 2), "film.ppm"); }) ==
        "film.ppm: cannot be written");
}
