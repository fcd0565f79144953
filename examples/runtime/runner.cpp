// SPDX-License-Identifier: MIT
#include "runner.hpp"

#include <stdexcept>
#include <string_view>

namespace programs {
namespace {

struct known_policy {
  std::string_view name;
  maker* make;
};
constexpr known_policy known[] = {
    {"openmp", make_openmp}, {"openmp-half", make_openmp_half}, {"reference", make_reference}};

}  // namespace

std::vector<std::string> policies() {
  std::vector<std::string> names;
  for (const known_policy& policy : known) names.emplace_back(policy.name);
  return names;
}

std::unique_ptr<runner> make_runner(const std::string& policy, const atrous::deeplab_options& network,
                                    atrous::shape image, const atrous::tensor_set& weights, int threads) {
  for (const known_policy& each : known) {
    if (each.name == policy) return each.make(network, image, weights, threads);
  }
  throw std::invalid_argument("unknown policy \"" + policy + "\"");
}

}  // namespace programs
