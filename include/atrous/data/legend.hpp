// SPDX-License-Identifier: MIT
#pragma once
// The legend of a picture: which classes it shows, in which colours, and their share of the pixels. It stands beside
// or below the picture, whichever makes the smaller page.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/data/image.hpp>
#include <atrous/data/overlay.hpp>
#include <atrous/data/palette.hpp>
#include <atrous/data/text.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// One line of a legend.
struct legend_entry {
  std::string name, share;
  colour shown;
  bool bare = false;  // the picture shows the photo there
};

/// The classes that occur in a label map, the largest first.
/// Throws std::invalid_argument where there is no label map, or a label has no colour or no name.
inline std::vector<legend_entry> legend_entries(const image& labels, const label_set& classes,
                                                background shown = background::photo) {
  require_image(labels, 1, "label map");
  require_colours(labels, classes);
  std::array<std::size_t, 256> count{};
  for (const std::uint8_t label : labels.pixels) ++count[label];
  std::vector<std::size_t> order;
  for (std::size_t label = 0; label < count.size(); ++label) {
    if (count[label] > 0) order.push_back(label);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return std::pair(count[a], b) > std::pair(count[b], a); });
  std::vector<legend_entry> entries;
  for (const std::size_t label : order) {
    const double percent =
        100.0 * static_cast<double>(count[label]) / static_cast<double>(labels.pixels.size());
    std::array<char, 16> share{};
    std::snprintf(share.data(), share.size(), percent < 0.05 ? "<0.1 %%" : "%.1f %%", percent);
    const bool is_void = label >= classes.colours.size();
    if (!is_void && label >= classes.names.size()) {
      throw std::invalid_argument("expected a name for label " + std::to_string(label) + ", found " +
                                  std::to_string(classes.names.size()) + " names");
    }
    legend_entry entry{is_void ? "no label" : printable(classes.names[label]), share.data(), {}, is_void};
    if (!is_void) entry.shown = classes.colours[label];
    if (label == 0 && has_background(classes) && shown == background::photo) entry.bare = true;
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// The text, its end replaced by an ellipsis where it is wider than `most` pixels.
inline std::string shortened(const font& type, const std::string& text, double most) {
  if (type.width(text) <= most) return text;
  std::string_view rest = text;
  std::size_t kept = 0;
  while (!rest.empty()) {
    take_character(rest);
    if (type.width(text.substr(0, text.size() - rest.size()) + "…") > most) break;
    kept = text.size() - rest.size();
  }
  while (kept > 0 && text[kept - 1] == ' ') --kept;
  return text.substr(0, kept) + "…";
}

/// Lengths of a legend, in em.
struct legend_measures {
  static constexpr double margin = 1, swatch = 1, after_swatch = 0.55, before_share = 1.2,
                          between_columns = 2, line = 1.6, longest_name = 16;
};

/// Entries set in columns of `rows`, filled from the top; lengths in em.
struct legend_table {
  int rows = 0;
  std::vector<double> names;  // width of each column's names
  double share = 0;           // width of every column's shares
  double width = 0, height = 0;
};

inline legend_table tabulated(const std::vector<double>& names, double share, int rows) {
  using measures = legend_measures;
  legend_table table{rows, {}, share, 0, 0};
  for (std::size_t first = 0; first < names.size(); first += static_cast<std::size_t>(rows)) {
    const std::size_t end = std::min(names.size(), first + static_cast<std::size_t>(rows));
    table.names.push_back(*std::max_element(names.begin() + first, names.begin() + end));
    table.width +=
        measures::swatch + measures::after_swatch + table.names.back() + measures::before_share + share;
  }
  table.width +=
      2 * measures::margin + static_cast<double>(table.names.size() - 1) * measures::between_columns;
  table.height = 2 * measures::margin + rows * measures::line - (measures::line - measures::swatch);
  return table;
}

/// Where a legend goes: an em in pixels, beside or below, and the page around picture and legend.
struct legend_layout {
  legend_table table;
  double em = 0;
  bool beside = false;
  int height = 0, width = 0;

  double area() const { return static_cast<double>(height) * width; }
};

/// The longer side over the shorter one.
inline double elongation(double height, double width) { return std::max(height / width, width / height); }

/// The best layout: that with the smallest page, but neither a long strip unless the picture is one, nor with a
/// legend that juts out. Text is in proportion to the picture, smaller where the legend would take more than half as
/// much room again, but never smaller than 11 pixels.
inline legend_layout laid_out(const image& picture, const std::vector<legend_table>& tables) {
  constexpr double least = 11, most = 160, most_growth = 1.5;
  const double area = static_cast<double>(picture.height) * picture.width;
  const double usual = std::max(1.5, elongation(picture.height, picture.width));
  const auto cost = [&](const legend_layout& tried) {
    const double strip = std::max(1.0, elongation(tried.height, tried.width) / usual);
    const bool juts = tried.beside ? tried.height > picture.height : tried.width > picture.width;
    return tried.area() * strip * strip * (juts ? 1.1 : 1.0);
  };
  for (double em = std::clamp(std::sqrt(area) / 40, least, most);; em = std::max(least, em * 0.95)) {
    legend_layout best;
    for (const auto& table : tables) {
      const int height = static_cast<int>(std::ceil(table.height * em));
      const int width = static_cast<int>(std::ceil(table.width * em));
      const legend_layout beside{table, em, true, std::max(picture.height, height), picture.width + width};
      const legend_layout below{table, em, false, picture.height + height, std::max(picture.width, width)};
      for (const auto& tried : {beside, below}) {
        if (best.em == 0 || cost(tried) < cost(best)) best = tried;
      }
    }
    if (em <= least || best.area() <= most_growth * area) return best;
  }
}

/// A filled square with a thin outline; without colour where the entry is bare.
inline void draw_swatch(image& page, int top, int left, int side, const legend_entry& entry) {
  const int outline = std::max(1, side / 16);
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      const bool edge = std::min({i, j, side - 1 - i, side - 1 - j}) < outline;
      const colour c = edge ? colour{90, 90, 90} : entry.bare ? colour{255, 255, 255} : entry.shown;
      std::uint8_t* rgb = &page.pixels[(static_cast<std::size_t>(top + i) * page.width + left + j) * 3];
      rgb[0] = c.red, rgb[1] = c.green, rgb[2] = c.blue;
    }
  }
}

/// Draws swatches, names and shares in columns whose upper left corner is at row `top` and column `left`.
inline void draw_entries(image& page, double top, double left, const std::vector<legend_entry>& entries,
                         const legend_layout& layout, font& type) {
  using measures = legend_measures;
  const double em = layout.em;
  const int side = static_cast<int>(std::lround(measures::swatch * em));
  type.set_size(em);
  const double lower = (side + type.capital_height()) / 2;
  int row = 0;
  std::size_t column = 0;
  for (const auto& entry : entries) {
    const double text = left + (measures::swatch + measures::after_swatch) * em;
    const double end = text + (layout.table.names[column] + measures::before_share + layout.table.share) * em;
    const int y = static_cast<int>(std::lround(top + row * measures::line * em));
    const int baseline = static_cast<int>(std::lround(y + lower));
    draw_swatch(page, y, static_cast<int>(std::lround(left)), side, entry);
    type.draw(page, text, baseline, entry.name, {25, 25, 25});
    type.draw(page, end - type.width(entry.share), baseline, entry.share, {85, 85, 85});
    if (++row < layout.table.rows) continue;
    row = 0;
    ++column;
    left = end + measures::between_columns * em;
  }
}

/// `picture` (RGB) in the upper left corner of a white page with the legend of `labels` beside or below it; text in
/// `type`, which has another size afterwards. `labels` may have other extents: the picture may show more than them.
/// Throws std::invalid_argument where one is no such image or a label has no colour or no name.
inline image with_legend(const image& picture, const image& labels, const label_set& classes, font& type,
                         background shown = background::photo) {
  using measures = legend_measures;
  require_image(picture, 3, "picture");
  auto entries = legend_entries(labels, classes, shown);
  constexpr double unit = 100;  // widths grow with the size, so one size measures for all
  type.set_size(unit);
  std::vector<double> names;
  double share = 0;
  for (auto& entry : entries) {
    entry.name = shortened(type, entry.name, measures::longest_name * unit);
    names.push_back(type.width(entry.name) / unit);
    share = std::max(share, type.width(entry.share) / unit);
  }
  std::vector<legend_table> tables;
  for (int rows = 1; rows <= static_cast<int>(names.size()); ++rows) {
    tables.push_back(tabulated(names, share, rows));
  }
  const auto layout = laid_out(picture, tables);
  image page{layout.height, layout.width, 3, {}};
  page.pixels.assign(static_cast<std::size_t>(page.height) * page.width * 3, 255);
  put(page, picture, 0);
  const double margin = measures::margin * layout.em;
  draw_entries(page, margin + (layout.beside ? 0 : picture.height),
               margin + (layout.beside ? picture.width : 0), entries, layout, type);
  return page;
}

/// The machine's sans-serif font, or one that has the characters of these classes. Throws std::runtime_error where there
/// is none.
inline font legend_font(const label_set& classes) {
  std::string characters;
  for (const auto& name : classes.names) characters += printable(name);
  return font(find_font(characters + "0123456789<.%…"));
}

/// The same in that font.
inline image with_legend(const image& picture, const image& labels, const label_set& classes,
                         background shown = background::photo) {
  font type = legend_font(classes);
  return with_legend(picture, labels, classes, type, shown);
}

}  // namespace atrous
