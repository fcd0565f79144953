// SPDX-License-Identifier: MIT
#pragma once
// Where pictures come from: files, folders of files, or frames on standard input.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <atrous/data/frames.hpp>
#include <atrous/data/image.hpp>

namespace programs {

/// A picture and the name that its results and messages go by.
struct picture {
  std::string name;
  atrous::image photo;
};

class sources {
 public:
  /// What the user named. Throws std::runtime_error for what cannot be read and folders without pictures,
  /// std::invalid_argument where "-" is not alone.
  explicit sources(const std::vector<std::string>& arguments);

  bool stream() const { return stream_ != nullptr; }
  /// Whether results of pictures go into folders.
  bool several() const { return several_; }
  /// The files, in their order; none where frames are read.
  const std::vector<std::string>& files() const { return files_; }

  /// Reads the next picture; nothing at the end. Frames are called "frame_000001" and so on.
  std::optional<picture> next();

 private:
  std::vector<std::string> files_;
  std::unique_ptr<atrous::frame_reader> stream_;
  bool several_ = false;
  std::size_t taken_ = 0;
};

}  // namespace programs
