// SPDX-License-Identifier: MIT
#pragma once
// Results for people to look at: classes as colours over the photo with thin lines between them, and two pictures
// side by side. Text is apart, in legend.hpp, since it needs libraries.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/data/image.hpp>
#include <atrous/data/palette.hpp>

namespace atrous {

/// Whether class 0, where it is the background (has_background), shows the photo alone or its colour as well.
enum class background { photo, colour };

/// How labels are laid over a photo.
struct overlay_style {
  double opacity = 0.6;  // of the colours: 0 shows the photo alone, 1 the colours alone
  bool boundaries = true;
  background shown = background::photo;
};

/// Throws std::invalid_argument where a label has no colour; 255 needs none.
inline void require_colours(const image& labels, const label_set& classes) {
  const std::size_t count = classes.colours.size();
  for (const std::uint8_t label : labels.pixels) {
    if (label < count || label == void_label) continue;
    throw std::invalid_argument("expected labels below " + std::to_string(count) +
                                ", one for each colour, or " + std::to_string(void_label) + ", found " +
                                std::to_string(label));
  }
}

/// Twenty times the distance in pixels from the middle of each pixel to the nearest border between labels, at
/// most 255; the chamfer distance of Borgefors 1986 (steps of 1 and sqrt 2), which is 8 % off at most.
/// (height + 2, width + 2): with a frame of one pixel that repeats the outermost ones.
inline std::vector<std::uint8_t> distance_to_borders(const image& labels) {
  constexpr int straight = 20, diagonal = 28, farthest = 255;
  const std::ptrdiff_t height = labels.height, width = labels.width, row = width + 2;
  std::vector<std::uint8_t> framed;
  framed.reserve(static_cast<std::size_t>((height + 2) * row));
  for (std::ptrdiff_t i = -1; i <= height; ++i) {
    const std::uint8_t* from = &labels.pixels[std::clamp<std::ptrdiff_t>(i, 0, height - 1) * width];
    framed.push_back(from[0]);
    framed.insert(framed.end(), from, from + width);
    framed.push_back(from[width - 1]);
  }
  std::vector<std::uint8_t> distance(framed.size(), farthest);
  const auto through = [&](std::ptrdiff_t pixel, std::ptrdiff_t neighbour, int step) {
    return framed[pixel] == framed[neighbour] ? distance[neighbour] + step : step / 2;
  };
  // What a pixel knows reaches those after it; then, from the end, those before it. The frame knows nothing.
  for (const std::ptrdiff_t back : {std::ptrdiff_t{-1}, std::ptrdiff_t{1}}) {
    for (std::ptrdiff_t line = 1; line <= height; ++line) {
      std::ptrdiff_t pixel = back < 0 ? line * row + 1 : (height + 1 - line) * row + width;
      for (std::ptrdiff_t count = 0; count < width; ++count, pixel -= back) {
        const std::ptrdiff_t above = pixel + back * row;
        distance[pixel] = static_cast<std::uint8_t>(
            std::min({static_cast<int>(distance[pixel]), through(pixel, pixel + back, straight),
                      through(pixel, above, straight), through(pixel, above - 1, diagonal),
                      through(pixel, above + 1, diagonal)}));
      }
    }
  }
  return distance;
}

/// Opacities in 1/256 of the dark rim and the white core of a line at a distance (distance_to_borders).
struct border_line {
  std::array<int, 256> rim{}, core{};
};

/// The line in a picture whose shorter side has this many pixels: a 400th of it wide, 0.7 to 12 pixels, since
/// distances above 255 / 20 are not told apart.
inline border_line border_line_for(int shorter_side) {
  const double width = std::clamp(shorter_side / 400.0, 0.7, 12.0);
  border_line line;
  for (int distance = 0; distance < 256; ++distance) {
    const double away = distance / 20.0 - 0.5;
    line.rim[distance] = static_cast<int>(128 * std::clamp(width - away, 0.0, 1.0));
    line.core[distance] = static_cast<int>(230 * std::clamp(width / 2 - away, 0.0, 1.0));
  }
  return line;
}

/// Lays white lines with a dark rim (or they would be lost on a bright photo) on the borders between labels.
inline void draw_borders(image& picture, const image& labels) {
  const auto [rim, core] = border_line_for(std::min(picture.height, picture.width));
  const auto distances = distance_to_borders(labels);
  std::uint8_t* rgb = picture.pixels.data();
  for (int i = 0; i < picture.height; ++i) {
    const std::uint8_t* distance = &distances[(i + 1) * (std::size_t{2} + picture.width) + 1];
    for (int j = 0; j < picture.width; ++j, ++distance, rgb += 3) {
      if (rim[*distance] == 0) continue;
      for (int c = 0; c < 3; ++c) {
        const int darkened = rgb[c] * (256 - rim[*distance]) >> 8;
        rgb[c] = static_cast<std::uint8_t>(darkened + ((255 - darkened) * core[*distance] >> 8));
      }
    }
  }
}

/// A photo (height, width, 3) with the classes of its label map (height, width, 1) in their colours, and a line
/// around each region whose width goes with the picture's, up to 12 pixels. Void (255) shows the photo.
/// Throws std::invalid_argument where the extents differ, a label has no colour or the opacity is not from 0 to 1.
inline image overlay(const image& photo, const image& labels, const label_set& classes,
                     const overlay_style& style = {}) {
  require_image(photo, 3, "photo");
  require_image(labels, 1, "label map");
  if (photo.height != labels.height || photo.width != labels.width) {
    throw std::invalid_argument("expected a label map of the photo's height x width, " +
                                std::to_string(photo.height) + "x" + std::to_string(photo.width) +
                                ", found " + std::to_string(labels.height) + "x" +
                                std::to_string(labels.width));
  }
  if (!(style.opacity >= 0 && style.opacity <= 1)) {
    throw std::invalid_argument("expected an opacity from 0 to 1, found " + std::to_string(style.opacity));
  }
  require_colours(labels, classes);
  const bool bare_background = has_background(classes) && style.shown == background::photo;
  const int opacity = static_cast<int>(std::lround(256 * style.opacity));
  image out = photo;
  for (std::size_t pixel = 0; pixel < labels.pixels.size(); ++pixel) {
    const std::uint8_t label = labels.pixels[pixel];
    if (label >= classes.colours.size() || (label == 0 && bare_background)) continue;
    const auto tint = [opacity](std::uint8_t& under, int over) {
      under = static_cast<std::uint8_t>((under * (256 - opacity) + over * opacity + 128) >> 8);
    };
    tint(out.pixels[3 * pixel], classes.colours[label].red);
    tint(out.pixels[3 * pixel + 1], classes.colours[label].green);
    tint(out.pixels[3 * pixel + 2], classes.colours[label].blue);
  }
  if (style.boundaries) draw_borders(out, labels);
  return out;
}

/// Copies `part` onto `page`, its upper left corner at the top of column `left`; the page has room for it.
inline void put(image& page, const image& part, std::size_t left) {
  const std::size_t row = static_cast<std::size_t>(part.width) * part.channels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(part.height); ++i) {
    std::copy_n(&part.pixels[i * row], row, &page.pixels[(i * page.width + left) * page.channels]);
  }
}

/// Two pictures of the same height and number of channels, `gap` white columns between them; without `gap` they
/// are a sixtieth of the height, and at least 2. Throws std::invalid_argument where the pictures do not fit.
inline image side_by_side(const image& left, const image& right, std::optional<int> gap = {}) {
  require_image(left, left.channels, "left picture");
  require_image(right, left.channels, "right picture");
  if (left.height != right.height) {
    throw std::invalid_argument("expected two pictures of the same height, found " +
                                std::to_string(left.height) + " and " + std::to_string(right.height));
  }
  const std::int64_t between = gap.value_or(std::max(2, left.height / 60));
  const std::int64_t width = std::int64_t{left.width} + between + right.width;
  if (between < 0 || left.height > most_pixels / width) {
    throw std::invalid_argument("expected a gap from 0 and at most " + std::to_string(most_pixels) +
                                " pixels together, found " + std::to_string(between) + " and " +
                                std::to_string(left.height) + "x" + std::to_string(width));
  }
  image page{left.height, static_cast<int>(width), left.channels, {}};
  page.pixels.assign(static_cast<std::size_t>(left.height) * width * left.channels, 255);
  put(page, left, 0);
  put(page, right, static_cast<std::size_t>(left.width + between));
  return page;
}

}  // namespace atrous
