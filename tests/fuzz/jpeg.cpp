// SPDX-License-Identifier: MIT
// Whatever the bytes, the JPEG reader returns a picture of RGB pixels or throws std::runtime_error.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>

#include <atrous/data/jpeg.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto picture = atrous::read_jpeg(bytes, "fuzz");
    const auto pixels = static_cast<std::size_t>(picture.height) * picture.width;
    if (pixels == 0 || picture.channels != 3 || picture.pixels.size() != 3 * pixels) std::abort();
  } catch (const std::runtime_error&) {
  }
  return 0;
}
