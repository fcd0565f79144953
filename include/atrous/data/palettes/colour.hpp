// SPDX-License-Identifier: MIT
#pragma once
// What palettes are made of, apart from the palettes: who writes a picture needs no list of classes.
#include <cstdint>
#include <string_view>

namespace atrous {

/// An RGB colour, 8 bits a channel.
struct colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend constexpr bool operator==(const colour&, const colour&) = default;
};

/// One row of a data set's table of classes.
struct named_colour {
  std::string_view name;
  colour shown;
};

}  // namespace atrous
