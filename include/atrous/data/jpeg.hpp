// SPDX-License-Identifier: MIT
#pragma once
// JPEG files in: every colour space as RGB, upright by EXIF. A truncated or damaged file is an error; libjpeg
// alone would warn on stderr and fill the rest with grey.
#include <cstdio>
// jpeglib.h needs the types of cstdio before it.
#include <jerror.h>
#include <jpeglib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/data/error_jump.hpp>
#include <atrous/data/image.hpp>
#include <atrous/data/orientation.hpp>
#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// The most scans a progressive JPEG may have: each one goes over the whole picture, so that a small file of
/// thousands would take hours. Encoders write about ten.
inline constexpr int most_jpeg_scans = 100;

/// libjpeg while it reads; the steps below run under completes().
struct jpeg_reader : error_jump {
  std::span<const std::byte> bytes;
  std::uint8_t* pixels = nullptr;  // (height, width, output components)
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct decoder{};

  jpeg_reader() = default;
  jpeg_reader(const jpeg_reader&) = delete;
  jpeg_reader& operator=(const jpeg_reader&) = delete;
  ~jpeg_reader() { jpeg_destroy_decompress(&decoder); }
};

[[noreturn]] inline void leave_jpeg(j_common_ptr common) {
  char message[JMSG_LENGTH_MAX];
  common->err->format_message(common, message);
  static_cast<jpeg_reader*>(common->client_data)->leave(message);
}

/// Warnings that mean lost pixels are errors; other warnings and messages are dropped.
inline void judge_jpeg_warning(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
      static_cast<jpeg_reader*>(common->client_data)->leave("the file ends early");
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
      leave_jpeg(common);
    default:
      ++common->err->num_warnings;
  }
}

inline void ignore_jpeg_message(j_common_ptr) {}

inline void watch_jpeg_scans(j_common_ptr common) {
  auto& reader = *static_cast<jpeg_reader*>(common->client_data);
  if (reader.decoder.input_scan_number > most_jpeg_scans)
    reader.leave("expected at most 100 scans, found more");
}

inline void begin_jpeg(jpeg_reader& reader) {
  auto& decoder = reader.decoder;
  decoder.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = leave_jpeg;
  reader.errors.emit_message = judge_jpeg_warning;
  reader.errors.output_message = ignore_jpeg_message;
  decoder.client_data = &reader;
  jpeg_create_decompress(&decoder);
  reader.progress.progress_monitor = watch_jpeg_scans;
  decoder.progress = &reader.progress;
  jpeg_mem_src(&decoder, reinterpret_cast<const unsigned char*>(reader.bytes.data()),
               static_cast<unsigned long>(reader.bytes.size()));
  jpeg_save_markers(&decoder, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&decoder, TRUE);
  const bool cmyk = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
}

inline void read_jpeg_rows(jpeg_reader& reader) {
  auto& decoder = reader.decoder;
  jpeg_start_decompress(&decoder);
  const std::size_t row_bytes = std::size_t{decoder.output_width} * decoder.output_components;
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = reader.pixels + decoder.output_scanline * row_bytes;
    if (jpeg_read_scanlines(&decoder, &row, 1) != 1) reader.leave("the file ends early");
  }
  jpeg_finish_decompress(&decoder);
}

/// The orientation in the first EXIF segment, 1 where there is none.
inline int orientation_of(const jpeg_reader& reader) {
  for (auto* marker = reader.decoder.marker_list; marker != nullptr; marker = marker->next) {
    const auto bytes = std::as_bytes(std::span(marker->data, marker->data_length));
    if (bytes.size() >= 6 && std::memcmp(bytes.data(), "Exif\0\0", 6) == 0) return orientation_in(bytes);
  }
  return 1;
}

/// CMYK as RGB, without a colour profile. `inverted`: 255 is no ink, as Adobe's programs store it.
inline image rgb_of_cmyk(const image& inks, bool inverted) {
  image out{inks.height, inks.width, 3, {}};
  out.pixels.reserve(inks.pixels.size() / 4 * 3);
  const auto light = [inverted](std::uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (std::size_t at = 0; at < inks.pixels.size(); at += 4) {
    const int key = light(inks.pixels[at + 3]);
    for (std::size_t c = 0; c < 3; ++c) {
      out.pixels.push_back(static_cast<std::uint8_t>((light(inks.pixels[at + c]) * key + 127) / 255));
    }
  }
  return out;
}

/// Reads a JPEG file from memory as RGB, upright. `source` is its name in messages.
/// Throws std::runtime_error, one line with the file, where it is not a whole JPEG or beyond most_pixels.
inline image read_jpeg(std::span<const std::byte> bytes, const std::string& source) {
  jpeg_reader reader;
  reader.bytes = bytes;
  const auto run = [&](void (*step)(jpeg_reader&)) {
    if (completes(reader, step)) return;
    throw std::runtime_error(printable_path(source) +
                             ": not a whole JPEG image: " + printable(reader.text.data()));
  };
  run(begin_jpeg);
  const auto& decoder = reader.decoder;
  const bool cmyk = decoder.out_color_space == JCS_CMYK;
  const std::int64_t height = decoder.image_height, width = decoder.image_width;
  // A Huffman code has at least one bit, and a block of 64 pixels at least one code.
  const std::int64_t packed = decoder.arith_code ? 0 : height * width / 512;
  image out = image_for(source, height, width, cmyk ? 4 : 3, packed, bytes.size());
  const int orientation = orientation_of(reader);  // libjpeg forgets the segments with the last row
  reader.pixels = out.pixels.data();
  run(read_jpeg_rows);
  if (cmyk) out = rgb_of_cmyk(out, decoder.saw_Adobe_marker);
  return upright(std::move(out), orientation);
}

/// Reads a JPEG file as RGB, upright. Throws std::runtime_error as above, also where it is missing.
inline image read_jpeg(const std::filesystem::path& path) {
  const mapped_file file(path);
  return read_jpeg(file.bytes(), path.string());
}

}  // namespace atrous
