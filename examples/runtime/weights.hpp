// SPDX-License-Identifier: MIT
#pragma once
// What a file of weights says beyond its numbers: how many classes there are.
#include <optional>
#include <string>

#include <atrous/networks/options.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace programs {

/// Reads a file of weights. Throws std::runtime_error, one line with the file's name.
atrous::tensor_set read_weights(const std::string& file);

/// The number of classes, from the biases of the classifier; nothing where there are none.
std::optional<int> classes_in(const atrous::tensor_set& weights);

/// The named network with as many classes as the weights have, or its own number where they do not tell.
/// `classes` is what the user says, 0 for nothing. Throws std::invalid_argument where both disagree.
atrous::deeplab_options network_for(const std::string& name, const atrous::tensor_set& weights, int classes);

}  // namespace programs
