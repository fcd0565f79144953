// SPDX-License-Identifier: MIT
#pragma once
// Names and colours of the classes, for people: a network knows only how many there are, and the usual data
// sets differ in that number.
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/data/palettes/ade20k.hpp>
#include <atrous/data/palettes/camvid.hpp>
#include <atrous/data/palettes/cityscapes.hpp>
#include <atrous/data/palettes/colour.hpp>
#include <atrous/data/palettes/voc.hpp>

namespace atrous {

/// The classes of a data set; class i is called names[i] and shown in colours[i].
struct label_set {
  std::string name;
  std::vector<std::string> names;
  std::vector<colour> colours;
};

/// What stands for "no class" in a label map whose classes leave 255 free.
inline constexpr std::uint8_t void_label = 255;

/// Whether class 0 is what the others leave over: it is called background, other, void or unlabel(l)ed.
inline bool has_background(const label_set& labels) {
  if (labels.names.empty()) return false;
  std::string name = labels.names.front();
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name == "background" || name == "other" || name == "void" || name == "unlabeled" ||
         name == "unlabelled";
}

inline label_set labels_of(std::string name, std::span<const named_colour> rows) {
  label_set out{std::move(name), {}, {}};
  for (const auto& row : rows) {
    out.names.emplace_back(row.name);
    out.colours.push_back(row.shown);
  }
  return out;
}

/// The classes of the data set that has this many: 11 CamVid, 19 Cityscapes, 21 VOC, 151 ADE20K with 0 as
/// "other", 150 ADE20K without it. For any other number "class 0", "class 1", ... in colours of VOC's rule.
/// Throws std::invalid_argument where there are no classes.
inline label_set labels_for(int classes) {
  if (classes < 1) throw std::invalid_argument("expected 1 class or more, found " + std::to_string(classes));
  if (classes == 11) return labels_of("CamVid", camvid_classes);
  if (classes == 19) return labels_of("Cityscapes", cityscapes_classes);
  if (classes == 150) return labels_of("ADE20K", std::span(ade20k_classes).subspan(1));
  if (classes == 151) return labels_of("ADE20K", ade20k_classes);
  const bool voc = classes == 21;
  label_set out{voc ? "VOC" : "generated", {}, {}};
  for (int i = 0; i < classes; ++i) {
    out.names.push_back(voc ? std::string(voc_classes[i]) : "class " + std::to_string(i));
    out.colours.push_back(voc_colour(static_cast<std::uint32_t>(i)));
  }
  return out;
}

}  // namespace atrous
