// SPDX-License-Identifier: MIT
#include "outputs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include <atrous/weights/mapped_file.hpp>

namespace programs {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::invalid_argument(atrous::printable_path(path) + ": " + why);
}

bool writable(const fs::path& place) { return ::access(place.c_str(), W_OK) == 0; }

/// The nearest folder above a place that exists.
fs::path folder_above(const fs::path& place) {
  std::error_code none;
  fs::path folder = fs::absolute(place, none).parent_path();
  while (!fs::exists(folder, none) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

/// Refuses a file or folder that results cannot be written to.
void check_place(const std::string& place, bool several) {
  std::error_code none;
  const bool exists = fs::exists(place, none), folder = fs::is_directory(place, none);
  if (several && exists && !folder) refuse(place, "expected a folder, for several images");
  if (!several && folder) refuse(place, "expected a file, found a folder");
  const bool device = exists && !folder && !fs::is_regular_file(place, none);  // written where it is
  const fs::path parent = fs::absolute(place, none).parent_path();
  const bool reachable = device || (several ? exists || writable(folder_above(place)) : writable(parent));
  if ((exists && !writable(place)) || !reachable)
    throw atrous::system_error_about(place, "cannot be written");
}

/// What a name stands for, however it is spelt.
using identity = std::pair<dev_t, ino_t>;

std::optional<identity> identity_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return identity{status.st_dev, status.st_ino};
}

std::set<identity> identities_of(const std::vector<std::string>& files) {
  std::set<identity> all;
  for (const std::string& file : files)
    if (const auto found = identity_of(file)) all.insert(*found);
  return all;
}

void check_kept(const fs::path& file, const std::set<identity>& kept) {
  const auto found = identity_of(file);
  if (found && kept.contains(*found)) refuse(file.string(), "would replace what it is made of");
}

}  // namespace

fs::path output::file_for(const std::string& picture, bool several) const {
  return several ? fs::path(place) / (fs::path(picture).stem().string() + ending) : fs::path(place);
}

void check_outputs(const std::vector<output>& all, const sources& pictures,
                   const std::vector<std::string>& inputs) {
  std::set<identity> kept = identities_of(inputs);
  kept.merge(identities_of(pictures.files()));
  const std::vector<std::string> frames{"frame_000001"};  // stands for all of them
  std::map<fs::path, std::string> places;
  for (const output& each : all) {
    if (!each.wanted() || each.streamed()) continue;
    check_place(each.place, pictures.several());
    for (const std::string& picture : pictures.stream() ? frames : pictures.files()) {
      const fs::path file = each.file_for(picture, pictures.several());
      check_kept(file, kept);
      std::error_code none;
      const auto [place, free] = places.emplace(fs::weakly_canonical(file, none), picture);
      if (!free) {
        refuse(file.string(), "two results for one file, of " + atrous::printable_path(place->second) +
                                  " and " + atrous::printable_path(picture));
      }
    }
  }
}

void check_output(const std::string& file, const std::vector<std::string>& inputs) {
  check_place(file, false);
  check_kept(file, identities_of(inputs));
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
