// SPDX-License-Identifier: MIT
#pragma once
// Where the results of pictures go, refused before anything is computed where they could not be written, or would replace
// an input or each other.
#include <filesystem>
#include <string>
#include <vector>

#include "sources.hpp"

namespace programs {

/// One kind of result: what the user gave for it (a file, of several pictures a folder; "" for nothing), and how its
/// files end.
struct output {
  std::string place;
  std::string ending;

  bool wanted() const { return !place.empty(); }
  bool streamed() const { return place == "-"; }

  /// The file for the result of a picture.
  std::filesystem::path file_for(const std::string& picture, bool several) const;
};

/// Throws std::invalid_argument or std::runtime_error, naming the file, where results cannot go there. `inputs` are files
/// that must stay.
void check_outputs(const std::vector<output>& all, const sources& pictures,
                   const std::vector<std::string>& inputs);

/// The same for one file that is no picture's.
void check_output(const std::string& file, const std::vector<std::string>& inputs);

/// Makes the folders that are not there yet.
void make_folders(const std::vector<output>& all, bool several);

}  // namespace programs
