// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include <atrous/core/view.hpp>

namespace atrous {

/// Owns a batch of feature maps or label maps, NHWC without gaps.
template <class T>
struct tensor {
  int batch = 0;
  shape extent{};
  std::vector<T> data;

  tensor() = default;
  tensor(int images, shape s)
      : batch(images), extent(s), data(static_cast<std::size_t>(images * elements(s))) {}

  atrous::view<T> view() { return {data.data(), batch, extent}; }
  atrous::view<const T> view() const { return {data.data(), batch, extent}; }
};

}  // namespace atrous
