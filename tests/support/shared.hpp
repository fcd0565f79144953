// SPDX-License-Identifier: MIT
#pragma once
// Files that tests read in place because they belong to others: photos, weights, recorded values. They lie in
// the folder ATROUS_SHARED (environment), else beside the project; where they are absent a test says so and
// goes on.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// The path of a shared file or folder, nothing (and a message) where it is absent.
inline std::optional<std::filesystem::path> shared(std::string_view relative) {
  const char* folder = std::getenv("ATROUS_SHARED");
  const auto root = folder != nullptr ? std::filesystem::path(folder)
                                      : std::filesystem::path(ATROUS_SOURCE_DIR) / ".." / "shared";
  auto path = root / relative;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped, not here: " << path.string());
  return std::nullopt;
}
