// SPDX-License-Identifier: MIT
#pragma once
// A file of weights and the network that it is for.
#include <string>
#include <vector>

#include <atrous/networks/options.hpp>
#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/surgery.hpp>

namespace programs {

/// A network, and its weights in our words.
struct fitted {
  std::string name;
  atrous::deeplab_options network{};
  atrous::tensor_set weights{};
  int input_channels = 3;
  std::string told;  // what surgery did; "" where nothing was
  std::string note;  // what was taken where the file does not tell, for the user; "" where nothing was
};

/// What the user says of a file.
struct claims {
  std::string network;       // "": the network that the file tells of
  int classes = 0;           // 0: those of the file
  bool strict = false;       // refuses what the file does not tell
  atrous::surgery how = {};  // where the network may differ from the file's
};

/// Fits a file, which may go away before the result, to its network. Throws atrous::weights_mismatch where it does not fit,
/// std::invalid_argument where it does not tell its network.
fitted fit(const atrous::tensor_set& file, const claims& said);

/// The files that weights were read from `path`: it alone, or of a checkpoint its index and then its shards.
std::vector<std::string> files_of(const atrous::tensor_set& file, const std::string& path);

/// The named network of a program that has no weights.
atrous::deeplab_options network_without_weights(const std::string& name, int classes);

}  // namespace programs
