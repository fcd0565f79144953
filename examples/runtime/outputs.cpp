// SPDX-License-Identifier: MIT
#include "outputs.hpp"

#include <unistd.h>

#include <set>
#include <stdexcept>

#include <atrous/weights/mapped_file.hpp>

namespace programs {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::invalid_argument(atrous::printable_path(path) + ": " + why);
}

/// Refuses a file or folder that results cannot be written to.
void check_place(const std::string& place, bool several) {
  std::error_code none;
  const bool folder = fs::is_directory(place, none);
  if (several && fs::exists(place, none) && !folder) refuse(place, "expected a folder, for several images");
  if (!several && folder) refuse(place, "expected a file, found a folder");
  if (several || fs::exists(place, none)) return;
  const fs::path parent = fs::path(place).parent_path();
  if (::access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0)
    throw atrous::system_error_about(place, "cannot be written");
}

}  // namespace

fs::path output::file_for(const std::string& picture, bool several) const {
  return several ? fs::path(place) / (fs::path(picture).stem().string() + ending) : fs::path(place);
}

void check_outputs(const std::vector<output>& all, const sources& pictures,
                   const std::vector<std::string>& inputs) {
  std::set<fs::path> places;
  for (const output& each : all) {
    if (!each.wanted() || each.streamed()) continue;
    check_place(each.place, pictures.several());
    for (const std::string& picture : pictures.files()) {
      const fs::path file = each.file_for(picture, pictures.several());
      std::error_code none;
      for (const std::vector<std::string>& kept : {inputs, pictures.files()})
        for (const std::string& input : kept)
          if (fs::equivalent(file, input, none)) refuse(file.string(), "would replace what it is made of");
      if (!places.insert(fs::weakly_canonical(file, none)).second)
        refuse(file.string(), "two results for one file");
    }
  }
}

void make_folders(const std::vector<output>& all, bool several) {
  for (const output& each : all) {
    if (!several || !each.wanted() || each.streamed()) continue;
    std::error_code failed;
    fs::create_directories(each.place, failed);
    if (failed) refuse(each.place, "cannot be made: " + failed.message());
  }
}

}  // namespace programs
