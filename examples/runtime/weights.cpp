// SPDX-License-Identifier: MIT
#include "weights.hpp"

#include <filesystem>
#include <stdexcept>

#include <atrous/networks/names.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/safetensors.hpp>

namespace programs {
namespace {

constexpr const char* classifier_biases = "logits/semantic/biases";
constexpr std::int64_t most_classes = 65536;  // more is no classifier, and the network says what is wrong

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

}  // namespace programs
