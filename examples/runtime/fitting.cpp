// SPDX-License-Identifier: MIT
#include "fitting.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>

#include "weights.hpp"

namespace programs {
namespace {

constexpr atrous::shape any_image{65, 65, 3};  // tensors do not depend on it

bool is_name(const std::string& name) {
  try {
    atrous::network_named(name);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// Names and shapes of all parameters as one text.
std::string tensors_of(atrous::graph_view g) {
  std::string text;
  for (int i = 0; i < g.size(); ++i) {
    for (const atrous::parameter& p : g.parameters_of(i)) {
      text += g.parameter_name(i, p);
      for (const int extent : p.extents) text.append(" ").append(std::to_string(extent));
      text += '\n';
    }
  }
  return text;
}

std::size_t differences(const comparison& c) {
  return c.report.missing.size() + c.report.unexpected.size() + c.report.unfit.size();
}

}  // namespace

std::vector<comparison> compare_with_all(const atrous::tensor_set& weights, int classes) {
  std::vector<comparison> all;
  for (const std::string_view published : atrous::published_networks()) {
    std::set<std::string> met;
    for (const char* head : {"", "_dense", "_separable"}) {
      const std::string name = std::string(published) + head;
      if (!is_name(name)) continue;
      const atrous::deeplab_options network = network_for(name, weights, classes);
      const auto define = [&](atrous::wire image) { return atrous::build(image, network); };
      const atrous::graph g = atrous::record(define, any_image);
      if (!met.insert(tensors_of(g)).second) continue;
      comparison made{name, {}, atrous::compare(g, weights)};
      for (const char* stride : {"_os8", "_os16", "_os32"}) {
        if (is_name(name + stride)) made.strides.emplace_back(stride);
      }
      all.push_back(std::move(made));
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const comparison& a, const comparison& b) { return differences(a) < differences(b); });
  return all;
}

}  // namespace programs
