// SPDX-License-Identifier: MIT
#pragma once
// Name and extents of the trained arrays that a layer owns.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace atrous {

/// What a parameter is for: how it is initialised, decayed and folded depends on this, not on its name.
enum class role { kernel, depthwise_kernel, bias, gamma, beta, moving_mean, moving_variance, border, own };

/// One trained array. The name is the leaf of the checkpoint's variable name; unused trailing extents are 0, a
/// scalar has none.
struct parameter {
  std::string_view name{};
  role use = role::own;
  std::array<int, 4> extents{};

  constexpr int rank() const {
    int n = 0;
    while (n < 4 && extents[static_cast<std::size_t>(n)] > 0) ++n;
    return n;
  }
  constexpr std::int64_t size() const {
    std::int64_t n = 1;
    for (int e : extents) n *= e > 0 ? e : 1;
    return n;
  }
};

/// The parameters of one layer, at most four.
struct parameter_list {
  std::array<parameter, 4> items{};
  int count = 0;
  constexpr parameter_list() = default;
  constexpr parameter_list(std::initializer_list<parameter> list) {
    for (const parameter& p : list) add(p);
  }
  constexpr void add(const parameter& p) { items[static_cast<std::size_t>(count++)] = p; }
  constexpr const parameter* begin() const { return items.data(); }
  constexpr const parameter* end() const { return items.data() + count; }
};

}  // namespace atrous
