// SPDX-License-Identifier: MIT
#pragma once
// Cameras store the sensor's rows and say in EXIF which way is up. A network must see what a person sees, so
// readers turn the pixels; label maps then fit the picture as it is shown.
#include <libexif/exif-data.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <atrous/data/image.hpp>

namespace atrous {

/// The orientation, 1 to 8, in EXIF data that begin with "Exif\0\0"; 1 (upright) where they tell none.
inline int orientation_in(std::span<const std::byte> exif) {
  const auto release = [](ExifData* data) { exif_data_unref(data); };
  const std::unique_ptr<ExifData, decltype(release)> data(exif_data_new(), release);
  if (!data) return 1;
  exif_data_unset_option(data.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
  exif_data_load_data(data.get(), reinterpret_cast<const unsigned char*>(exif.data()),
                      static_cast<unsigned>(exif.size()));
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/// The picture turned and mirrored so that it stands as an EXIF orientation from 1 to 8 asks.
inline image upright(image stored, int orientation) {
  if (orientation <= 1 || orientation > 8) return stored;
  const auto one_of = [orientation](std::string_view digits) {
    return digits.find(static_cast<char>('0' + orientation)) != std::string_view::npos;
  };
  const bool turned = one_of("5678");  // rows become columns
  const bool bottom_up = one_of("3467"), right_to_left = one_of("2378");
  image shown{
      turned ? stored.width : stored.height, turned ? stored.height : stored.width, stored.channels, {}};
  shown.pixels.reserve(stored.pixels.size());
  for (int i = 0; i < shown.height; ++i) {
    for (int j = 0; j < shown.width; ++j) {
      int row = turned ? j : i, column = turned ? i : j;
      if (bottom_up) row = stored.height - 1 - row;
      if (right_to_left) column = stored.width - 1 - column;
      const auto at = (static_cast<std::ptrdiff_t>(row) * stored.width + column) * stored.channels;
      const auto pixel = stored.pixels.begin() + at;
      shown.pixels.insert(shown.pixels.end(), pixel, pixel + stored.channels);
    }
  }
  return shown;
}

}  // namespace atrous
