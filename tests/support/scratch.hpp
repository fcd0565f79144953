// SPDX-License-Identifier: MIT
#pragma once
// A folder for the files of one test, gone with it.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

struct scratch {
  std::filesystem::path folder;

  scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "atrous-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for temporary files");
    folder = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  /// The path of a file of this name with these contents.
  std::filesystem::path file(const std::string& name, std::string_view contents) const {
    std::ofstream(folder / name, std::ios::binary) << contents;
    return folder / name;
  }
};

/// The whole file as text.
inline std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The message of the exception `Error` that `work` throws; "nothing thrown" where it throws none.
template <class Error, class Work>
std::string message_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// Whether the text is one line that a terminal shows as it is.
inline bool is_plain_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return !text.empty();
}

inline bool says(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
