// SPDX-License-Identifier: MIT
#pragma once
// Netpbm's PPM, the simplest of picture files: text that says how large, then the pixels. Any number of them may
// follow one another in a stream, which is how programs hand each other a film.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <vector>

#include <atrous/data/image.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// Reads `count` bytes into `bytes`; false where the stream ends before. Memory grows with what arrives, whatever
/// `count` says.
inline bool read_exactly(std::istream& stream, std::vector<std::uint8_t>& bytes, std::size_t count) {
  constexpr std::size_t at_once = std::size_t{1} << 20;
  bytes.resize(std::min(bytes.size(), count));
  for (std::size_t filled = 0; filled < count;) {
    const std::size_t next = std::max(std::min(count, filled + at_once), bytes.size());
    bytes.resize(next);
    stream.read(reinterpret_cast<char*>(&bytes[filled]), static_cast<std::streamsize>(next - filled));
    filled += static_cast<std::size_t>(stream.gcount());
    if (filled < next) return false;
  }
  return true;
}

inline bool is_ppm_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The next number of a PPM's header: after white space and comments, up to the one white space behind it.
/// Throws std::runtime_error where there is none from 1 to `most` within 1,000 bytes.
inline std::int64_t next_ppm_number(std::istream& stream, std::int64_t most, const std::string& source) {
  constexpr int longest = 1000;
  std::int64_t number = -1;
  bool comment = false;
  for (int read = 0; read < longest; ++read) {
    const int c = stream.get();
    if (comment) {
      comment = c != '\n' && c != '\r';
      if (c < 0) break;
    } else if (c == '#' && number < 0) {
      comment = true;
    } else if (c >= '0' && c <= '9') {
      number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
      if (number > most) break;
    } else if (!is_ppm_space(c)) {
      break;
    } else if (number > 0) {
      return number;
    } else if (number == 0) {
      break;
    }
  }
  throw std::runtime_error(
      printable_path(source) +
      ": expected a PPM's width and height, from 1, and largest value, 1 to 65535, found another header");
}

/// The next PPM (P6) of a stream as 8-bit RGB, nothing where the stream ends before it. Samples are scaled from the
/// file's largest value, 1 to 65535, to 255 and rounded. `source` is the stream's name in messages.
/// Throws std::runtime_error for anything else, extents beyond most_pixels (before memory is taken) and an early end.
inline std::optional<image> read_ppm(std::istream& stream, const std::string& source) {
  const auto fail = [&source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what);
  };
  std::string magic(2, '\0');
  stream.read(magic.data(), 2);
  if (stream.gcount() == 0) return std::nullopt;
  magic.resize(static_cast<std::size_t>(stream.gcount()));
  const int behind = magic == "P6" ? stream.peek() : -1;
  if (behind >= 0 && behind != '#' && !is_ppm_space(behind)) magic += static_cast<char>(behind);
  if (magic != "P6") fail("expected a PPM image (P6), found data that begins \"" + printable(magic) + "\"");
  constexpr std::int64_t most = std::int64_t{1} << 31;
  const std::int64_t width = next_ppm_number(stream, most, source);
  const std::int64_t height = next_ppm_number(stream, most, source);
  const auto largest = static_cast<std::uint32_t>(next_ppm_number(stream, 65535, source));
  require_pixels_within_limit(source, height, width);
  image out{static_cast<int>(height), static_cast<int>(width), 3, {}};
  const auto samples = static_cast<std::size_t>(height * width * 3);
  const std::size_t bytes_each = largest > 255 ? 2 : 1;
  if (!read_exactly(stream, out.pixels, samples * bytes_each)) {
    fail("the data ends early, within " + std::to_string(height) + "x" + std::to_string(width) + " pixels");
  }
  if (largest == 255) return out;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::uint32_t first = out.pixels[i * bytes_each];
    const std::uint32_t sample = bytes_each == 1 ? first : first << 8 | out.pixels[2 * i + 1];
    out.pixels[i] = static_cast<std::uint8_t>((std::min(sample, largest) * 255 + largest / 2) / largest);
  }
  out.pixels.resize(samples);
  return out;
}

/// Bytes in memory as the source of a stream.
struct bytes_in_memory : std::streambuf {
  explicit bytes_in_memory(std::span<const std::byte> bytes) {
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // only read
    setg(begin, begin, begin + bytes.size());
  }
};

/// Writes an RGB image as a PPM. Throws std::invalid_argument for another image, std::runtime_error, naming the
/// stream `name`, where it does not take it.
inline void write_ppm(std::ostream& stream, const image& picture,
                      const std::string& name = "standard output") {
  require_image(picture, 3, "picture");
  stream << "P6\n" << picture.width << ' ' << picture.height << "\n255\n";
  stream.write(reinterpret_cast<const char*>(picture.pixels.data()),
               static_cast<std::streamsize>(picture.pixels.size()));
  if (!stream.flush()) throw std::runtime_error(printable_path(name) + ": cannot be written");
}

}  // namespace atrous
