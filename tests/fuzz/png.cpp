// SPDX-License-Identifier: MIT
// Whatever the bytes, the PNG reader returns a picture of RGB pixels or throws std::runtime_error. The check
// sums of the chunks are put right first, or hardly any input would reach the decoder.
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <vector>

#include <atrous/data/png.hpp>

static void mend_check_sums(std::vector<std::uint8_t>& file) {
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t length = png_get_uint_32(&file[at]);
    if (length > file.size() - at - 12) return;
    png_save_uint_32(&file[at + 8 + length],
                     static_cast<png_uint_32>(crc32(0, &file[at + 4], static_cast<uInt>(length + 4))));
    at += 12 + length;
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file(data, data + size);
  mend_check_sums(file);
  const auto bytes = std::as_bytes(std::span(file));
  try {
    const auto picture = atrous::read_png(bytes, "fuzz");
    const auto pixels = static_cast<std::size_t>(picture.height) * picture.width;
    if (pixels == 0 || picture.channels != 3 || picture.pixels.size() != 3 * pixels) std::abort();
  } catch (const std::runtime_error&) {
  }
  try {
    const auto labels = atrous::read_png_indices(bytes, "fuzz");
    if (labels.pixels.size() != static_cast<std::size_t>(labels.height) * labels.width) std::abort();
  } catch (const std::runtime_error&) {
  }
  return 0;
}
