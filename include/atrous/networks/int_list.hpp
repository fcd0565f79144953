// SPDX-License-Identifier: MIT
#pragma once
// A short list of numbers as plain data: the rates of a pyramid, the strides of a decoder. Nothing is
// allocated, so that a description which holds one can be a constant.
#include <array>
#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>

namespace atrous {

/// At most 64 integers: `int_list{6, 12, 18}`.
struct int_list {
  std::array<int, 64> values{};
  int count = 0;

  constexpr int_list() = default;
  constexpr int_list(std::initializer_list<int> list) {
    if (list.size() > values.size())
      throw std::invalid_argument("expected at most 64 rates or strides, found " +
                                  std::to_string(list.size()));
    for (int value : list) values[static_cast<std::size_t>(count++)] = value;
  }

  constexpr int operator[](int i) const { return values[static_cast<std::size_t>(i)]; }
  constexpr bool empty() const { return count == 0; }
  constexpr const int* begin() const { return values.data(); }
  constexpr const int* end() const { return values.data() + count; }
  friend constexpr bool operator==(const int_list&, const int_list&) = default;
};

}  // namespace atrous
