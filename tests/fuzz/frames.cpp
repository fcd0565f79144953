// SPDX-License-Identifier: MIT
// Whatever the bytes, the reader of frames returns pictures of RGB pixels or throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <istream>
#include <span>
#include <stdexcept>
#include <string_view>

#include <atrous/data/frames.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  atrous::bytes_in_memory memory(std::as_bytes(std::span(data, size)));
  std::istream stream(&memory);
  atrous::frame_reader reader(stream, "fuzz");
  try {
    while (const auto frame = reader.next()) {
      const auto pixels = static_cast<std::size_t>(frame->height) * frame->width;
      if (pixels == 0 || frame->channels != 3 || frame->pixels.size() != 3 * pixels) std::abort();
      if (pixels > size) std::abort();  // no format packs two pixels into a byte
    }
  } catch (const std::runtime_error& error) {
    for (const char c : std::string_view(error.what())) {
      if (static_cast<unsigned char>(c) < 0x20) std::abort();
    }
  }
  return 0;
}
