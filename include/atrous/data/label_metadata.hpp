// SPDX-License-Identifier: MIT
#pragma once
// Names and colours of classes in the metadata of a file of weights, so that they travel with the numbers:
// `class_names`, a JSON list of texts, and `palette`, a JSON list of [red, green, blue].
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/data/palette.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/safetensors.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

/// The list in an entry of the metadata if it has `count` items, else an empty one.
inline nlohmann::json metadata_list(const tensor_set& weights, const char* key, std::size_t count) {
  const auto found = weights.metadata.find(key);
  if (found == weights.metadata.end()) return {};
  nlohmann::json list = nlohmann::json::parse(found->second, nullptr, false);
  if (!list.is_array() || list.size() != count) return {};
  return list;  // moved: a copy recurses as deep as the list is nested
}

/// The colour that [red, green, blue] tells, each 0 to 255.
inline std::optional<colour> colour_in(const nlohmann::json& item) {
  if (!item.is_array() || item.size() != 3) return std::nullopt;
  std::uint8_t parts[3]{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!item[i].is_number_unsigned() || item[i].get<std::uint64_t>() > 255) return std::nullopt;
    parts[i] = item[i].get<std::uint8_t>();
  }
  return colour{parts[0], parts[1], parts[2]};
}

/// The classes of a file: its own names and its own colours, either where there is one for every class, else those of
/// the data set with this many (labels_for). Throws std::invalid_argument where there are no classes.
inline label_set labels_in(const tensor_set& weights, int classes) {
  label_set labels = labels_for(classes);
  const auto count = static_cast<std::size_t>(classes);
  std::vector<std::string> names;
  for (const nlohmann::json& item : metadata_list(weights, "class_names", count)) {
    if (item.is_string()) names.push_back(printable(item.get<std::string>()));
  }
  std::vector<colour> colours;
  for (const nlohmann::json& item : metadata_list(weights, "palette", count)) {
    if (const auto shown = colour_in(item)) colours.push_back(*shown);
  }
  if (names.size() == count) {
    labels.name = "the file's own";
    labels.names = std::move(names);
  }
  if (colours.size() == count) labels.colours = std::move(colours);
  return labels;
}

/// What write_safetensors is given so that labels_in finds these classes. Throws std::invalid_argument for names that
/// are not UTF-8 and where names and colours differ in number.
inline std::map<std::string, std::string> metadata_of(const label_set& labels) {
  if (labels.names.size() != labels.colours.size()) {
    throw std::invalid_argument("expected a colour for each of " + std::to_string(labels.names.size()) +
                                " classes, found " + std::to_string(labels.colours.size()));
  }
  std::string names;
  nlohmann::json palette = nlohmann::json::array();
  for (std::size_t i = 0; i < labels.names.size(); ++i) {
    const colour& shown = labels.colours[i];
    names += (i == 0 ? "" : ",") + json_text(labels.names[i]);
    palette.push_back({shown.red, shown.green, shown.blue});
  }
  return {{"class_names", "[" + names + "]"}, {"palette", palette.dump()}};
}

}  // namespace atrous
