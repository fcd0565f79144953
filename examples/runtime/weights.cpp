// SPDX-License-Identifier: MIT
#include "weights.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <atrous/weights/identify.hpp>
#include <atrous/weights/read_weights.hpp>

namespace programs {
namespace {

/// The network that a file tells of: in its metadata, or by its tensors.
std::pair<std::string, std::string> network_told_by(const atrous::tensor_set& file, const claims& said) {
  const auto told = file.metadata.find("network");
  if (told != file.metadata.end()) return {told->second, ""};
  const std::vector<atrous::candidate> all = atrous::compare_with_all(file, said.classes);
  std::vector<const atrous::candidate*> fitting;
  for (const atrous::candidate& c : all)
    if (c.fits()) fitting.push_back(&c);
  if (fitting.empty()) {
    throw std::invalid_argument(atrous::printable_path(file.source) +
                                ": fits no network with a name, the nearest is " + all[0].network +
                                " (inspect --weights FILE says what differs)");
  }
  std::string others;
  for (const atrous::candidate* c : fitting) {
    if (c != fitting[0]) others += (others.empty() ? "" : ", ") + c->network;
    for (const std::string& name : c->others) others += (others.empty() ? "" : ", ") + name;
  }
  if (others.empty()) return {fitting[0]->network, ""};
  const std::string note = atrous::printable_path(file.source) + ": taken for " + fitting[0]->network +
                           "; its tensors also fit " + others;
  if (said.strict) throw std::invalid_argument(note + "; --strict needs --network");
  return {fitting[0]->network, note};
}

}  // namespace

fitted fit(const atrous::tensor_set& file, const claims& said) {
  fitted made;
  made.name = said.network;
  if (made.name.empty()) std::tie(made.name, made.note) = network_told_by(file, said);
  if (said.how.new_classifier && said.classes == 0)
    throw std::invalid_argument("--new-classifier needs --classes");
  const atrous::surgery& how = said.how;
  const std::string name = atrous::printable(made.name);
  if (how.new_classifier || how.backbone_only) {
    made.network = atrous::network_named(name);
    if (said.classes > 0) made.network.classes = said.classes;
  } else {
    made.network = atrous::network_for(name, file, said.classes);
  }
  if (how.none()) {
    made.weights = atrous::in_our_words(made.name, made.network, file);
    return made;
  }
  atrous::operated done = atrous::operate(made.name, made.network, file, how);
  made.weights = std::move(done.weights);
  made.input_channels = how.input_channels;
  made.told = done.text();
  return made;
}

std::vector<std::string> files_of(const atrous::tensor_set& file, const std::string& path) {
  if (file.container != "TensorFlow checkpoint") return {path};
  namespace fs = std::filesystem;
  const std::string index = file.source + ".index";
  const atrous::mapped_file mapped(index);
  const std::string first = atrous::tensorflow::shard_name(
      file.source, 0, atrous::tensorflow::read_bundle_index(mapped.bytes(), index).shards);
  const std::string count = first.substr(first.rfind("-of-"));
  std::vector<std::string> shards;  // shards without a tensor need not be there
  const fs::path folder = fs::path(file.source).parent_path();
  const std::string prefix = fs::path(file.source).filename().string();
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name != prefix && atrous::tensorflow::without_suffix(name) == prefix;
    if (ours && name.ends_with(count)) shards.push_back((folder / name).string());
  }
  std::sort(shards.begin(), shards.end(), [](const std::string& a, const std::string& b) {
    return std::tuple(a.size(), a) < std::tuple(b.size(), b);
  });
  shards.insert(shards.begin(), index);
  return shards;
}

atrous::deeplab_options network_without_weights(const std::string& name, int classes) {
  return atrous::network_for(atrous::printable(name), {}, classes);
}

}  // namespace programs
