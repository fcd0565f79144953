// SPDX-License-Identifier: MIT
#pragma once
// Which of the published networks a file of weights belongs to, told by the names and shapes of its tensors.
#include <string>
#include <vector>

#include <atrous/weights/binding.hpp>

namespace programs {

/// How a file compares with a network. Networks that differ in nothing but their output stride have the same
/// tensors: they share one comparison.
struct comparison {
  std::string network;               // the name without a stride
  std::vector<std::string> strides;  // suffixes that it takes: "_os8", ...
  atrous::weights_report report;
};

/// The file against every published network and both heads of each, the best first. `classes` is as for
/// network_for.
std::vector<comparison> compare_with_all(const atrous::tensor_set& weights, int classes);

}  // namespace programs
