// SPDX-License-Identifier: MIT
#include "weights.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include <atrous/networks/names.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/safetensors.hpp>

namespace programs {
namespace {

constexpr const char* classifier_biases = "logits/semantic/biases";
constexpr std::int64_t most_classes = 65536;  // more is no classifier, and the network says what is wrong

/// The list in an entry of the metadata if it has `count` items, else nothing.
nlohmann::json list_in(const atrous::tensor_set& weights, const char* key, std::size_t count) {
  const auto found = weights.metadata.find(key);
  if (found == weights.metadata.end()) return {};
  nlohmann::json list = nlohmann::json::parse(found->second, nullptr, false);
  return list.is_array() && list.size() == count ? list : nlohmann::json();
}

std::optional<atrous::colour> colour_of(const nlohmann::json& item) {
  if (!item.is_array() || item.size() != 3) return std::nullopt;
  std::uint8_t parts[3]{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!item[i].is_number_unsigned() || item[i].get<std::uint64_t>() > 255) return std::nullopt;
    parts[i] = item[i].get<std::uint8_t>();
  }
  return atrous::colour{parts[0], parts[1], parts[2]};
}

}  // namespace

atrous::tensor_set read_weights(const std::string& file) {
  return atrous::read_safetensors(std::filesystem::path(file));
}

std::optional<int> classes_in(const atrous::tensor_set& weights) {
  const atrous::stored_tensor* biases = weights.find(classifier_biases);
  if (biases == nullptr || biases->shape.size() != 1) return std::nullopt;
  if (biases->shape[0] < 1 || biases->shape[0] > most_classes) return std::nullopt;
  return static_cast<int>(biases->shape[0]);
}

atrous::deeplab_options network_for(const std::string& name, const atrous::tensor_set& weights, int classes) {
  atrous::deeplab_options network = atrous::network_named(atrous::printable(name));
  const std::optional<int> found = classes_in(weights);
  if (classes > 0 && found && *found != classes) {
    throw std::invalid_argument("--classes " + std::to_string(classes) + ": " +
                                atrous::printable_path(weights.source) + " has " + std::to_string(*found) +
                                " (" + classifier_biases + ")");
  }
  if (found || classes > 0) network.classes = found.value_or(classes);
  return network;
}

atrous::label_set labels_in(const atrous::tensor_set& weights, int classes) {
  const auto count = static_cast<std::size_t>(classes);
  atrous::label_set labels = atrous::labels_for(classes);
  std::vector<std::string> names;
  for (const nlohmann::json& item : list_in(weights, "class_names", count)) {
    if (item.is_string()) names.push_back(atrous::printable(item.get<std::string>()));
  }
  std::vector<atrous::colour> colours;
  for (const nlohmann::json& item : list_in(weights, "palette", count)) {
    if (const auto shown = colour_of(item)) colours.push_back(*shown);
  }
  if (names.size() == count) {
    labels.name = "the file's own";
    labels.names = std::move(names);
  }
  if (colours.size() == count) labels.colours = std::move(colours);
  return labels;
}

}  // namespace programs
