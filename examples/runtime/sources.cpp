// SPDX-License-Identifier: MIT
#include "sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include <atrous/data/read_image.hpp>

namespace programs {
namespace {

namespace fs = std::filesystem;

bool named_as_picture(const fs::path& file) {
  if (file.filename().string().starts_with('.')) return false;
  std::string ending = file.extension().string();
  for (char& c : ending) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".ppm";
}

std::vector<std::string> pictures_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (named_as_picture(at->path()) && !at->is_directory()) found.push_back(at->path().string());
  }
  if (failed)
    throw std::runtime_error(atrous::printable_path(folder) + ": cannot be read: " + failed.message());
  if (found.empty()) {
    throw std::runtime_error(atrous::printable_path(folder) +
                             ": expected pictures (png, jpg, jpeg, ppm), found none in this folder");
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

sources::sources(const std::vector<std::string>& arguments) {
  several_ = arguments.size() > 1;
  for (const std::string& argument : arguments) {
    std::error_code none;
    if (argument == "-") {
      if (arguments.size() > 1) throw std::invalid_argument("- (frames on standard input) stands alone");
      std::ios::sync_with_stdio(false);
      stream_ = std::make_unique<atrous::frame_reader>(std::cin, "standard input");
      several_ = true;
    } else if (fs::is_directory(argument, none)) {
      const std::vector<std::string> inside = pictures_in(argument);
      files_.insert(files_.end(), inside.begin(), inside.end());
      several_ = true;
    } else if (::access(argument.c_str(), R_OK) != 0) {
      throw atrous::system_error_about(argument, "cannot be opened");
    } else {
      files_.push_back(argument);
    }
  }
}

std::optional<picture> sources::next() {
  if (stream_ != nullptr) {
    std::optional<atrous::image> frame = stream_->next();
    if (!frame) return std::nullopt;
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "frame_%06zu", ++taken_);
    return picture{name.data(), *std::move(frame)};
  }
  if (taken_ == files_.size()) return std::nullopt;
  const std::string& file = files_[taken_++];
  return picture{file, atrous::read_image(fs::path(file))};
}

}  // namespace programs
