// SPDX-License-Identifier: MIT
#pragma once
// Which of the networks that have a name a file of weights belongs to, told by the names and shapes of its tensors, and
// its tensors in our words.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/dialects/translate.hpp>

namespace atrous {

/// Whose words the tensors of a file are in, for a network of this name: those of the PyTorch implementation that the name
/// belongs to, or ours (TensorFlow's), which are also those of files that have been converted.
inline std::optional<dialect> dialect_for(std::string_view network, const tensor_set& file) {
  const std::optional<torch_network> torch = torch_network_named(network);
  if (!torch || file.find("logits/semantic/weights") != nullptr) return std::nullopt;
  dialect d = dialect_of(*torch);
  const bool sequence = file.find("decoder.0.convs.0.0.weight") != nullptr;
  if (torch->family->source == torch_source::smp && !torch->family->has_decoder() && sequence)
    d.head = smp_v3_sequence_head;
  return d;
}

/// Who made the files of a network of this name: "TensorFlow", "VainF", ...
constexpr std::string_view implementation_of(std::string_view network) {
  const std::optional<torch_network> torch = torch_network_named(network);
  return torch ? dialect_of(*torch).name : "TensorFlow";
}

/// The biases of the classifier; null where there are none.
inline const stored_tensor* classifier_biases(std::string_view network, const tensor_set& file) {
  const std::optional<dialect> words = dialect_for(network, file);
  return file.find(words ? module_of(*words, "logits/semantic", false) + ".bias" : "logits/semantic/biases");
}

/// The number of classes, from the biases of the classifier; nothing where they do not tell.
inline std::optional<int> classes_in(std::string_view network, const tensor_set& file) {
  constexpr std::int64_t most = 65536;  // more is no classifier, and the network says what is wrong
  const stored_tensor* biases = classifier_biases(network, file);
  if (biases == nullptr || biases->shape.size() != 1) return std::nullopt;
  if (biases->shape[0] < 1 || biases->shape[0] > most) return std::nullopt;
  return static_cast<int>(biases->shape[0]);
}

/// The named network with as many classes as the file has; where the file does not tell, `classes`, and where that is 0 its
/// own. Throws std::invalid_argument where both disagree.
inline deeplab_options network_for(std::string_view network, const tensor_set& file, int classes = 0) {
  deeplab_options o = network_named(network);
  const std::optional<int> found = classes_in(network, file);
  if (classes > 0 && found && *found != classes) {
    throw std::invalid_argument("--classes " + std::to_string(classes) + ": " + printable_path(file.source) +
                                " has " + std::to_string(*found) + " (" +
                                printable(classifier_biases(network, file)->name) + ")");
  }
  if (found || classes > 0) o.classes = found.value_or(classes);
  return o;
}

/// The graph of a description; tensors do not depend on the image.
inline graph recorded(const deeplab_options& o, shape image = {257, 257, 3}) {
  return record([&](wire x) { return build(x, o); }, image);
}

/// Compares a file with the named network, in the words of the file, without throwing.
inline weights_report compare(std::string_view network, const deeplab_options& o, const tensor_set& file) {
  const graph g = recorded(o);
  const std::optional<dialect> words = dialect_for(network, file);
  return words ? compare(g, file, *words) : compare(g, file);
}

/// The file's tensors in our words, ready for a model of the named network. Throws weights_mismatch, in the words of the file,
/// where they do not fit. `file` may go away before the result.
inline tensor_set in_our_words(std::string_view network, const deeplab_options& o, const tensor_set& file) {
  const std::optional<dialect> words = dialect_for(network, file);
  return words ? translated(recorded(o), file, *words) : file;
}

/// How a file compares with a network. Networks that differ in nothing that a tensor tells (output stride, rates, corner rule)
/// share one comparison: `network` is the usual one, `others` are the rest.
struct candidate {
  std::string network;
  std::vector<std::string> others;
  std::string implementation;   // "TensorFlow", "VainF", ...
  std::size_t differences = 0;  // 0: it fits
  weights_report report{};      // of those that fit and of the nearest three

  bool fits() const { return differences == 0; }
};

/// Names of MobileNetV2's published widths whose first convolution makes as many channels as the file's.
inline std::vector<std::string> narrow_names(const tensor_set& file) {
  struct width {
    double factor;
    std::string_view suffix;
  };
  constexpr width widths[] = {
      {0.25, "_dm025"}, {0.35, "_dm035"}, {0.75, "_dm075"}, {1.3, "_dm13"}, {1.4, "_dm14"}};
  std::vector<std::string> names;
  const stored_tensor* stem = file.find("MobilenetV2/Conv/weights");
  for (const auto& [factor, suffix] : widths) {
    const bool ours = stem != nullptr && stem->shape.size() == 4 &&
                      stem->shape[3] == mobilenet_v2{.width = factor}.scaled(32);
    for (const char* head : {"deeplabv3plus_mobilenet_v2", "deeplabv3_mobilenet_v2"})
      if (ours) names.push_back(std::string(head).append(suffix));
  }
  return names;
}

/// The names that a file is compared with: ours, those of PyTorch's implementations, and widths that fit its stem.
inline std::vector<std::string> names_for(const tensor_set& file) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& name) {
    try {
      network_named(name);
      all.push_back(name);
    } catch (const std::invalid_argument&) {
    }
  };
  std::vector<std::string> ours = narrow_names(file);
  for (const std::string_view published : published_networks()) ours.emplace_back(published);
  for (const std::string& published : ours)
    for (const char* head : {"", "_dense", "_separable"})
      for (const char* stride : {"", "_os8", "_os32"}) add(published + head + stride);
  for (const torch_family& f : torch_families) {
    for (const std::string_view body : f.bodies) {
      if (body.empty()) break;
      for (const std::string_view& stride : f.strides) {
        if (stride.empty() && &stride != &f.strides[0]) break;
        const std::string name = std::string(f.begin).append(body).append(stride);
        add(name);
        if (!f.variant.empty()) add(std::string(name).append(f.variant));
      }
    }
  }
  return all;
}

/// A network that is known by the beginning of its tensors' names, and not had.
struct foreign_network {
  std::string_view begin, name;
};
inline constexpr foreign_network foreign_networks[] = {{"mobilevit.", "MobileViT of transformers"}};

/// The file against every network that has a name, the best first. `classes` is as for network_for, where the file does not
/// tell. Only networks whose classifier the file has are looked at, unless there is none. Throws std::invalid_argument for a
/// network that is known and not had.
inline std::vector<candidate> compare_with_all(const tensor_set& file, int classes = 0) {
  for (const auto& [begin, name] : foreign_networks) {
    const auto its = [begin = begin](const stored_tensor& t) { return t.name.starts_with(begin); };
    if (std::any_of(file.tensors.begin(), file.tensors.end(), its)) {
      throw std::invalid_argument(printable_path(file.source) +
                                  ": expected a DeepLab network that is here, found " + std::string(name));
    }
  }
  std::vector<std::string> names = names_for(file);
  const auto has = [&](const std::string& name) { return classifier_biases(name, file) != nullptr; };
  if (std::any_of(names.begin(), names.end(), has))
    std::erase_if(names, [&](const auto& n) { return !has(n); });
  const auto network_of = [&](const std::string& name) {
    return network_for(name, file, classes_in(name, file) ? 0 : classes);
  };
  std::map<std::string, std::string> met;  // tensors -> the first network that has them
  std::vector<candidate> all;
  for (const std::string& name : names) {
    const graph g = recorded(network_of(name));
    const std::optional<dialect> words = dialect_for(name, file);
    std::string tensors = words ? std::string(words->name) : "TensorFlow";
    for (int i = 0; i < graph_view(g).size(); ++i) {
      for (const parameter& p : graph_view(g).parameters_of(i)) {
        tensors += '\n' + (words ? torch_name(*words, g, i, p) : graph_view(g).parameter_name(i, p));
        for (const int extent : p.extents) tensors += ' ' + std::to_string(extent);
      }
    }
    if (const auto [at, fresh] = met.emplace(std::move(tensors), name); !fresh) {
      std::ranges::find(all, at->second, &candidate::network)->others.push_back(name);
      continue;
    }
    const std::string made_by = words ? std::string(words->name) : "TensorFlow";
    const std::size_t differences = (words ? compare(g, file, *words) : compare(g, file)).differences();
    const auto place = std::ranges::upper_bound(all, differences, {}, &candidate::differences);
    all.insert(place, {name, {}, made_by, differences});  // without the report: a file may be large
  }
  for (std::size_t i = 0; i < all.size() && (i < 3 || all[i].fits()); ++i)
    all[i].report = compare(all[i].network, network_of(all[i].network), file);
  return all;
}

}  // namespace atrous
