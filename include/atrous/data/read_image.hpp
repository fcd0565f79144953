// SPDX-License-Identifier: MIT
#pragma once
// An image file of any kind the library reads, told apart by its first bytes and never by its name.
#include <cstddef>
#include <filesystem>
#include <istream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/data/image.hpp>
#include <atrous/data/jpeg.hpp>
#include <atrous/data/png.hpp>
#include <atrous/data/ppm.hpp>
#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// Reads a PNG, JPEG or PPM file from memory as RGB, upright. `source` is its name in messages.
/// Throws std::runtime_error where it is none of them, incomplete or damaged.
inline image read_image(std::span<const std::byte> bytes, const std::string& source) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return read_png(bytes, source);
  if (text.starts_with("\xff\xd8\xff")) return read_jpeg(bytes, source);
  if (text.starts_with("P6")) {
    bytes_in_memory memory(bytes);
    std::istream stream(&memory);
    return *read_ppm(stream, source);
  }
  throw std::runtime_error(printable_path(source) +
                           ": expected a PNG, JPEG or PPM image, found a file that begins \"" +
                           printable(text.substr(0, 8)) + "\"");
}

/// Reads a PNG, JPEG or PPM file as RGB, upright. Throws std::runtime_error as above, also where it is missing.
inline image read_image(const std::filesystem::path& path) {
  const mapped_file file(path);
  return read_image(file.bytes(), path.string());
}

}  // namespace atrous
