// SPDX-License-Identifier: MIT
#pragma once
// PNG files in and out. Photos of every kind come as 8-bit RGB, label maps as the indices they store. What a
// header claims is held against the size of the file before any pixel is allocated; a written file appears
// whole or not at all.
#include <png.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/data/error_jump.hpp>
#include <atrous/data/image.hpp>
#include <atrous/data/orientation.hpp>
#include <atrous/data/palettes/colour.hpp>
#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/replaced_file.hpp>

namespace atrous {

[[noreturn]] inline void leave_png(png_structp png, png_const_charp message) {
  static_cast<error_jump*>(png_get_error_ptr(png))->leave(message);
}

inline void ignore_png_warning(png_structp, png_const_charp) {}

/// libpng while it reads; the steps below run under completes().
struct png_reader : error_jump {
  std::span<const std::byte> rest;  // of the file
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::uint8_t* pixels = nullptr;  // (height, width, channels)

  png_reader() = default;
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;
  ~png_reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

inline void next_png_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto& reader = *static_cast<png_reader*>(png_get_io_ptr(png));
  if (count > reader.rest.size()) png_error(png, "the file ends early");
  std::memcpy(out, reader.rest.data(), count);
  reader.rest = reader.rest.subspan(count);
}

/// Whether a PNG file has all the bytes that its chunks claim, up to the last; libpng allocates some before it reads.
inline bool has_whole_chunks(std::span<const std::byte> file) {
  const auto* bytes = reinterpret_cast<png_const_bytep>(file.data());
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t length = png_get_uint_32(bytes + at);
    if (length > file.size() - at - 12) return false;
    if (std::memcmp(bytes + at + 4, "IEND", 4) == 0) return true;
    at += 12 + length;
  }
  return false;
}

inline void begin_png(png_reader& reader) {
  const auto* start = reinterpret_cast<png_const_bytep>(reader.rest.data());
  const bool is_png = reader.rest.size() >= 8 && png_sig_cmp(start, 0, 8) == 0;
  if (is_png && !has_whole_chunks(reader.rest)) reader.leave("the file ends early");
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<error_jump*>(&reader), leave_png,
                                      ignore_png_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) reader.leave("out of memory");
  png_set_read_fn(reader.png, &reader, next_png_bytes);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // image_for() has the limit
  // Of what is not pixels only the orientation counts; the rest, compressed text for one, is not even parsed.
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_AS_DEFAULT,
                              reinterpret_cast<png_const_bytep>("eXIf"), 1);
  png_read_info(reader.png, reader.info);
}

/// Asks libpng for 8-bit RGB, whatever is stored. Of 16 bits the upper 8 stay, as TensorFlow reads them.
inline void expand_to_rgb(png_reader& reader) {
  png_set_expand(reader.png);
  png_set_strip_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_gray_to_rgb(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

/// Asks libpng for one byte per stored index.
inline void unpack_indices(png_reader& reader) {
  png_set_packing(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

inline void read_png_rows(png_reader& reader) {
  const int passes = png_get_interlace_type(reader.png, reader.info) == PNG_INTERLACE_NONE ? 1 : 7;
  const std::size_t height = png_get_image_height(reader.png, reader.info);
  const std::size_t row_bytes = png_get_rowbytes(reader.png, reader.info);
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t i = 0; i < height; ++i) {
      png_read_row(reader.png, reader.pixels + i * row_bytes, nullptr);
    }
  }
  png_read_end(reader.png, reader.info);
}

/// The orientation that an eXIf chunk tells, else 1.
inline int orientation_of(png_reader& reader) {
  png_uint_32 size = 0;
  png_bytep tags = nullptr;
  if (png_get_eXIf_1(reader.png, reader.info, &size, &tags) == 0) return 1;
  constexpr std::string_view start("Exif\0\0", 6);
  std::vector<std::byte> exif(start.size() + size);
  std::memcpy(exif.data(), start.data(), start.size());
  std::memcpy(exif.data() + start.size(), tags, size);
  return orientation_in(exif);
}

/// The image that libpng makes of a file after the step `prepare`, with this many channels, and its
/// orientation applied to RGB.
inline image decode_png(std::span<const std::byte> bytes, const std::string& source,
                        void (*prepare)(png_reader&), int channels) {
  const auto fail = [&source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what);
  };
  png_reader reader;
  reader.rest = bytes;
  const auto run = [&](void (*step)(png_reader&)) {
    if (!completes(reader, step)) fail("not a whole PNG image: " + printable(reader.text.data()));
  };
  run(begin_png);
  const int stored_channels = png_get_channels(reader.png, reader.info);
  const std::int64_t depth = png_get_bit_depth(reader.png, reader.info);
  if (channels == 1 && (stored_channels != 1 || depth > 8)) {
    fail("expected a label map, palette or grey with up to 8 bits, found " + std::to_string(stored_channels) +
         " channels of " + std::to_string(depth) + " bits");
  }
  const std::int64_t height = png_get_image_height(reader.png, reader.info);
  const std::int64_t width = png_get_image_width(reader.png, reader.info);
  // A row begins with a byte of its own, and deflate packs at most 1032 bytes into one.
  const std::int64_t packed =
      height <= most_pixels / width ? height * (1 + width * depth * stored_channels / 8) / 1032 : 0;
  image out = image_for(source, height, width, channels, packed, bytes.size());
  run(prepare);
  const std::size_t row = png_get_rowbytes(reader.png, reader.info);
  if (row != static_cast<std::size_t>(width * channels)) {
    fail("expected rows of " + std::to_string(width * channels) + " bytes, found " + std::to_string(row));
  }
  reader.pixels = out.pixels.data();
  run(read_png_rows);
  return channels == 3 ? upright(std::move(out), orientation_of(reader)) : out;
}

/// Reads a PNG file from memory as 8-bit RGB, upright; alpha is dropped. `source` is its name in messages.
/// Throws std::runtime_error, one line with the file, where it is not a whole PNG or beyond most_pixels.
inline image read_png(std::span<const std::byte> bytes, const std::string& source) {
  return decode_png(bytes, source, expand_to_rgb, 3);
}

/// Reads a PNG file as 8-bit RGB. Throws std::runtime_error as above, also where it is missing.
inline image read_png(const std::filesystem::path& path) {
  const mapped_file file(path);
  return read_png(file.bytes(), path.string());
}

/// Reads a label map from memory: one channel, the indices of a palette or the values of a grey PNG as they
/// are stored. Throws std::runtime_error as read_png, and for any other kind of PNG.
inline image read_png_indices(std::span<const std::byte> bytes, const std::string& source) {
  return decode_png(bytes, source, unpack_indices, 1);
}

/// Reads the label map in a PNG file.
inline image read_png_indices(const std::filesystem::path& path) {
  const mapped_file file(path);
  return read_png_indices(file.bytes(), path.string());
}

/// libpng while it writes, under completes().
struct png_writer : error_jump {
  const image* picture = nullptr;
  std::span<const colour> palette;  // empty: grey or RGB
  std::vector<std::byte> out;
  png_structp png = nullptr;
  png_infop info = nullptr;

  png_writer() = default;
  png_writer(const png_writer&) = delete;
  png_writer& operator=(const png_writer&) = delete;
  ~png_writer() { png_destroy_write_struct(&png, &info); }
};

inline void append_png_bytes(png_structp png, png_bytep data, std::size_t count) {
  auto& out = static_cast<png_writer*>(png_get_io_ptr(png))->out;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  bool stored = true;
  try {
    out.insert(out.end(), bytes, bytes + count);
  } catch (...) {
    stored = false;
  }
  if (!stored) png_error(png, "out of memory");
}

inline void ignore_png_flush(png_structp) {}

inline void encode_png(png_writer& writer) {
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<error_jump*>(&writer), leave_png,
                                       ignore_png_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) writer.leave("out of memory");
  const auto& picture = *writer.picture;
  const int kind = !writer.palette.empty() ? PNG_COLOR_TYPE_PALETTE
                   : picture.channels == 3 ? PNG_COLOR_TYPE_RGB
                                           : PNG_COLOR_TYPE_GRAY;
  png_set_write_fn(writer.png, &writer, append_png_bytes, ignore_png_flush);
  png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(picture.width),
               static_cast<png_uint_32>(picture.height), 8, kind, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
  png_color entries[PNG_MAX_PALETTE_LENGTH];
  for (std::size_t i = 0; i < writer.palette.size(); ++i) {
    entries[i] = {writer.palette[i].red, writer.palette[i].green, writer.palette[i].blue};
  }
  if (!writer.palette.empty()) {
    png_set_PLTE(writer.png, writer.info, entries, static_cast<int>(writer.palette.size()));
  }
  png_write_info(writer.png, writer.info);
  const std::size_t row_bytes = static_cast<std::size_t>(picture.width) * picture.channels;
  for (int i = 0; i < picture.height; ++i) png_write_row(writer.png, picture.pixels.data() + i * row_bytes);
  png_write_end(writer.png, writer.info);
}

inline void write_encoded_png(const std::filesystem::path& path, const image& picture,
                              std::span<const colour> palette) {
  const auto fail = [&path](const std::string& what) {
    throw std::invalid_argument(printable_path(path.string()) + ": " + what);
  };
  const auto& [height, width, channels, pixels] = picture;
  const std::string found = "found " + std::to_string(height) + "x" + std::to_string(width) + "x" +
                            std::to_string(channels) + " and " + std::to_string(pixels.size()) + " bytes";
  if (channels != 1 && (channels != 3 || !palette.empty())) fail("expected 1 or 3 channels, " + found);
  if (height < 1 || width < 1 || pixels.size() != static_cast<std::size_t>(height) * width * channels) {
    fail("expected height x width x channels bytes, " + found);
  }
  png_writer writer;
  writer.picture = &picture;
  writer.palette = palette;
  if (!completes(writer, encode_png)) {
    throw std::runtime_error(printable_path(path.string()) + ": cannot be written: " + writer.text.data());
  }
  replaced_file file(path);
  file.write(writer.out);
  file.commit();
}

/// Writes an image of 1 channel as a grey PNG, of 3 channels as RGB. The file appears whole or not at all.
/// Throws std::invalid_argument for another image, std::runtime_error where the system refuses.
inline void write_png(const std::filesystem::path& path, const image& picture) {
  write_encoded_png(path, picture, {});
}

/// Writes a label map (1 channel) as a palette PNG: index i is shown in palette[i].
/// Throws as write_png, and where the palette has no or more than 256 colours or lacks one that is used.
inline void write_png_indexed(const std::filesystem::path& path, const image& labels,
                              std::span<const colour> palette) {
  if (palette.empty() || palette.size() > 256 || labels.channels != 1) {
    throw std::invalid_argument(printable_path(path.string()) +
                                ": expected 1 channel and 1 to 256 colours, found " +
                                std::to_string(labels.channels) + " and " + std::to_string(palette.size()));
  }
  for (const std::uint8_t label : labels.pixels) {
    if (label < palette.size()) continue;
    throw std::invalid_argument(printable_path(path.string()) + ": expected labels below " +
                                std::to_string(palette.size()) + ", found " + std::to_string(label));
  }
  write_encoded_png(path, labels, palette);
}

}  // namespace atrous
