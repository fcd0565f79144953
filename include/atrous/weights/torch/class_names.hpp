// SPDX-License-Identifier: MIT
#pragma once
// What the classes are called, where a training program kept it beside the weights.
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <atrous/weights/torch/pickle_value.hpp>

namespace atrous::pytorch {

/// The most classes whose names are looked at, and the longest of these: many may share one text.
inline constexpr std::size_t most_classes = 1024, longest_class_name = 200;

/// A list or tuple that is not empty, with no more than so many items; null where a value is something else.
inline const pickle_container* some_items(const pickled& object, pickle_index value) {
  const auto* list = object.as<pickle_container>(value);
  const bool fits = list != nullptr && list->form != pickle_form::dictionary && list->count > 0 &&
                    list->count <= most_classes;
  return fits ? list : nullptr;
}

/// A list or tuple of texts, as a list of JSON; nothing where a value is something else.
inline std::optional<nlohmann::json> names_in(const pickled& object, pickle_index value) {
  const auto* list = some_items(object, value);
  if (list == nullptr) return std::nullopt;
  nlohmann::json names = nlohmann::json::array();
  for (const pickle_index item : object.elements(*list)) {
    const auto name = object.text(item);
    if (!name || name->size() > longest_class_name) return std::nullopt;
    names.push_back(*name);
  }
  return names;
}

/// A list of [red, green, blue], each 0 to 255; nothing where a value is something else.
inline std::optional<nlohmann::json> colours_in(const pickled& object, pickle_index value) {
  const auto* list = some_items(object, value);
  if (list == nullptr) return std::nullopt;
  nlohmann::json colours = nlohmann::json::array();
  for (const pickle_index item : object.elements(*list)) {
    const auto* parts = object.as<pickle_container>(item);
    if (parts == nullptr || parts->count != 3) return std::nullopt;
    nlohmann::json colour = nlohmann::json::array();
    for (const pickle_index part : object.elements(*parts)) {
      const auto* number = object.as<pickle_integer>(part);
      if (number == nullptr || number->value < 0 || number->value > 255) return std::nullopt;
      colour.push_back(number->value);
    }
    colours.push_back(std::move(colour));
  }
  return colours;
}

/// Adds to the metadata what a dictionary says under "classes", "CLASSES", "palette" and "PALETTE".
inline void add_classes(const pickled& object, const pickle_container& from,
                        std::map<std::string, std::string>& metadata) {
  constexpr auto valid = nlohmann::json::error_handler_t::replace;  // of text that is not UTF-8
  for (const std::string_view key : {"classes", "CLASSES"}) {
    const auto value = object.at(from, key);
    if (const auto names = value ? names_in(object, *value) : std::nullopt)
      metadata["class_names"] = names->dump(-1, ' ', false, valid);
  }
  for (const std::string_view key : {"palette", "PALETTE"}) {
    const auto value = object.at(from, key);
    if (const auto colours = value ? colours_in(object, *value) : std::nullopt)
      metadata["palette"] = colours->dump();
  }
}

/// Metadata `class_names` and `palette`, as data/label_metadata.hpp reads them, of a checkpoint of mmsegmentation: from 1.0 on
/// under meta/dataset_meta, before as meta's CLASSES and PALETTE. Empty where there is nothing of the kind.
inline std::map<std::string, std::string> class_metadata(const pickled& object) {
  std::map<std::string, std::string> made;
  const auto below = [&object](const pickle_container* from, std::string_view key) {
    const auto value = from != nullptr ? object.at(*from, key) : std::nullopt;
    return value ? object.container(*value, pickle_form::dictionary) : nullptr;
  };
  const auto* meta = below(object.container(object.root, pickle_form::dictionary), "meta");
  if (meta != nullptr) add_classes(object, *meta, made);
  if (const auto* data = below(meta, "dataset_meta")) add_classes(object, *data, made);
  return made;
}

}  // namespace atrous::pytorch
