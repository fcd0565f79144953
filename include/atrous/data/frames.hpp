// SPDX-License-Identifier: MIT
#pragma once
// The frames of a film from a stream, one after another: what `ffmpeg -i film.mp4 -f yuv4mpegpipe -` or
// `-f image2pipe -c:v ppm -` writes. A YUV4MPEG2 stream (man 5 yuv4mpeg of mjpegtools) is one line about the film, then
// for every frame the line FRAME and its planes: luma, then two of colour differences.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <atrous/data/image.hpp>
#include <atrous/data/ppm.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// How a YUV4MPEG2 stream stores colour differences: one sample for 2^columns x 2^rows pixels.
struct y4m_colours {
  std::string_view name;
  int rows = 0, columns = 0;
  bool none = false;
};

inline constexpr std::array<y4m_colours, 7> y4m_kinds{{{"420", 1, 1},
                                                       {"420jpeg", 1, 1},
                                                       {"420mpeg2", 1, 1},
                                                       {"420paldv", 1, 1},
                                                       {"422", 0, 1},
                                                       {"444"},
                                                       {"mono", 0, 0, true}}};

/// What the first line of a YUV4MPEG2 stream says of all its frames.
struct y4m_format {
  std::int64_t height = 0, width = 0;
  y4m_colours colours = y4m_kinds.front();
  bool full_range = false;  // luma from 0 to 255, else from 16 to 235

  std::int64_t luma() const { return height * width; }
  std::int64_t chroma_width() const { return (width + colours.columns) >> colours.columns; }
  std::int64_t chroma() const {
    return colours.none ? 0 : ((height + colours.rows) >> colours.rows) * chroma_width();
  }
};

/// The format that a first line tells, without its magic word: words that begin with their kind, W, H, C or X.
/// Throws std::runtime_error for a width or height that is no number or beyond most_pixels, and for colours other
/// than y4m_kinds, of more than 8 bits for one.
inline y4m_format y4m_format_of(std::string_view line, const std::string& source) {
  const auto fail = [&source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what);
  };
  y4m_format format;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    if (word.starts_with('W') || word.starts_with('H')) {
      std::int64_t& extent = word.front() == 'W' ? format.width : format.height;
      const char* end = word.data() + word.size();
      const auto [stop, error] = std::from_chars(word.data() + 1, end, extent);
      if (error != std::errc{} || stop != end) {
        fail("expected a width and height of frames, found \"" + printable(word) + "\"");
      }
    } else if (word.starts_with('C')) {
      const auto kind = std::find_if(y4m_kinds.begin(), y4m_kinds.end(),
                                     [&](const auto& known) { return known.name == word.substr(1); });
      if (kind == y4m_kinds.end()) {
        fail("expected 8-bit frames of C420, C420jpeg, C420mpeg2, C420paldv, C422, C444 or Cmono, found " +
             printable(word));
      }
      format.colours = *kind;
    } else if (word == "XCOLORRANGE=FULL") {
      format.full_range = true;
    }
  }
  require_pixels_within_limit(source, format.height, format.width);
  return format;
}

/// A frame's planes as RGB by ITU-R BT.601. A sample of colour difference serves all its pixels alike.
inline image rgb_of(const y4m_format& format, const std::vector<std::uint8_t>& planes) {
  struct weights {  // in 1/65536: the scale of luma, and what red, green and blue take of the differences
    int black, scale, red_v, green_u, green_v, blue_u;
  };
  const weights r = format.full_range ? weights{0, 65536, 91881, -22554, -46802, 116130}
                                      : weights{16, 76309, 104597, -25675, -53279, 132201};
  image out{static_cast<int>(format.height), static_cast<int>(format.width), 3, {}};
  out.pixels.resize(static_cast<std::size_t>(3 * format.luma()));
  const auto byte = [](int sum) {
    return static_cast<std::uint8_t>(std::clamp((sum + 32768) >> 16, 0, 255));
  };
  const std::uint8_t* luma = planes.data();
  std::uint8_t* rgb = out.pixels.data();
  for (std::int64_t i = 0; i < format.height; ++i) {
    const std::int64_t chroma_row =
        format.colours.none ? 0 : (i >> format.colours.rows) * format.chroma_width();
    const std::uint8_t* u_row = planes.data() + format.luma() + chroma_row;
    const std::uint8_t* v_row = u_row + format.chroma();
    for (std::int64_t j = 0; j < format.width; ++j, ++luma, rgb += 3) {
      const int y = (*luma - r.black) * r.scale;
      const int u = format.colours.none ? 0 : u_row[j >> format.colours.columns] - 128;
      const int v = format.colours.none ? 0 : v_row[j >> format.colours.columns] - 128;
      rgb[0] = byte(y + r.red_v * v);
      rgb[1] = byte(y + r.green_u * u + r.green_v * v);
      rgb[2] = byte(y + r.blue_u * u);
    }
  }
  return out;
}

/// Reads a stream of PPMs (read_ppm) or a YUV4MPEG2 stream frame by frame; nothing beyond a frame is read before it
/// is asked for. Interlaced frames are taken as they are.
class frame_reader {
 public:
  /// `source` names the stream in messages; the stream must live as long as the reader.
  frame_reader(std::istream& frames, std::string name) : stream(frames), source(std::move(name)) {}

  /// The next frame as 8-bit RGB, nothing after the last. Throws std::runtime_error, naming the stream and the frame
  /// (counted from 1), where the stream is empty, of another kind, damaged or ends within a frame, after which the
  /// reader is of no further use.
  std::optional<image> next() {
    ++number;
    if (number == 1) begin();
    auto frame = is_y4m ? next_y4m() : read_ppm(stream, place());
    if (stream.bad()) fail("cannot be read");
    return frame;
  }

 private:
  std::istream& stream;
  std::string source;
  std::int64_t number = 0;  // of the frame being read
  bool is_y4m = false;
  y4m_format format;
  std::vector<std::uint8_t> planes;

  std::string place() const { return source + ", frame " + std::to_string(number); }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(place()) + ": " + what);
  }

  void begin() {
    if (stream.peek() == 'P') return;
    constexpr std::string_view magic = "YUV4MPEG2 ";
    std::string found(magic.size(), '\0');
    stream.read(found.data(), static_cast<std::streamsize>(found.size()));
    found.resize(static_cast<std::size_t>(stream.gcount()));
    if (found != magic) {
      fail("expected PPM (P6) or YUV4MPEG2 frames, found " +
           (found.empty() ? "nothing" : "data that begins \"" + printable(found) + "\""));
    }
    is_y4m = true;
    format = y4m_format_of(next_line(), source);
  }

  /// The line up to the next line feed.
  std::string next_line() {
    constexpr std::size_t longest = 4096;
    std::string line;
    for (int c = stream.get(); c != '\n'; c = stream.get()) {
      if (c < 0) fail("the data ends early, within a line");
      if (line.size() == longest) {
        fail("expected a line of at most " + std::to_string(longest) +
             " bytes, found a longer one that begins \"" + printable(line.substr(0, 10)) + "\"");
      }
      line += static_cast<char>(c);
    }
    return line;
  }

  std::optional<image> next_y4m() {
    if (stream.peek() < 0) return std::nullopt;
    const std::string line = next_line();
    if (line != "FRAME" && !line.starts_with("FRAME ")) {
      fail("expected a line FRAME, found \"" + printable(line.substr(0, 10)) + "\"");
    }
    if (!read_exactly(stream, planes, static_cast<std::size_t>(format.luma() + 2 * format.chroma()))) {
      fail("the data ends early, within " + std::to_string(format.height) + "x" +
           std::to_string(format.width) + " pixels");
    }
    return rgb_of(format, planes);
  }
};

}  // namespace atrous
