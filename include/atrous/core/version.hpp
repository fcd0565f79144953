// SPDX-License-Identifier: MIT
#pragma once
// Which version of the library this is. CMakeLists.txt reads it from here, and everything that is installed from there.
#include <compare>
#include <string>

namespace atrous {

/// Semantic versioning; before 1.0 a new minor may break programs, a new patch does not.
struct version_number {
  int major = 0, minor = 0, patch = 0;
  friend constexpr auto operator<=>(const version_number&, const version_number&) = default;
};

/// For programs that live with several: `if constexpr (atrous::version >= atrous::version_number{0, 2})`.
inline constexpr version_number version{0, 1, 0};

/// "0.1.0".
inline std::string text_of(version_number v) {
  return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

}  // namespace atrous
