// SPDX-License-Identifier: MIT
#include <atrous/backend/openmp.hpp>

#include "runner_of.hpp"

namespace programs {

std::unique_ptr<runner> make_openmp_half(const atrous::deeplab_options& network, atrous::shape image,
                                         const atrous::tensor_set& weights, int threads) {
  return std::make_unique<runner_of<atrous::openmp_half>>(network, image, weights, threads);
}

}  // namespace programs
