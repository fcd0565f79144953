// SPDX-License-Identifier: MIT
#pragma once
// Weights for a network that is not quite the file's: another number of classes, other input channels, the backbone alone. Each
// is asked for, and all that was left out, changed or made up is told.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/identify.hpp>

namespace atrous {

/// What the first convolution makes of other channels than red, green and blue: every channel takes the mean of the three
/// kernels, or channel c that of colour c modulo 3. Either way times 3 / channels, so that kernels have the sum that they had
/// (of repeated ones: where channels are a multiple of three).
enum class new_channels { refused, mean, repeated };

/// What may differ; nothing unless it is asked for.
struct surgery {
  bool new_classifier = false;  // the classifier begins anew, whatever the file's number of classes
  int input_channels = 3;       // of the network
  new_channels input = new_channels::refused;
  bool backbone_only = false;  // pyramid, decoder and classifier begin anew; the file need not have them
  std::uint64_t seed = 1;      // of the numbers that are made up

  bool none() const { return !new_classifier && input == new_channels::refused && !backbone_only; }
};

/// Weights in our words that fit, and what was done, as names in our words.
struct operated {
  tensor_set weights;
  std::vector<std::string> left_out, changed, made_up;

  /// One line for each list that is not empty, by a count and the first names.
  std::string text() const {
    std::string all;
    const auto add = [&all](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      all.append(all.empty() ? "" : "\n").append(what).append(" ").append(std::to_string(names.size()));
      for (std::size_t i = 0; i < names.size() && i < 4; ++i)
        all.append(i == 0 ? ": " : ", ").append(names[i]);
      if (names.size() > 4) all += ", ...";
    };
    add("left out", left_out), add("changed", changed), add("made up", made_up);
    return all;
  }
};

/// First numbers of a parameter as the authors train from (research/deeplab): kernels from a truncated normal distribution,
/// batch norm and biases neutral.
inline std::vector<float> first_numbers(const parameter& p, bool classifier, std::mt19937_64& engine) {
  std::vector<float> numbers(static_cast<std::size_t>(p.size()),
                             p.use == role::gamma || p.use == role::moving_variance ? 1.0F : 0.0F);
  if (p.use != role::kernel && p.use != role::depthwise_kernel) return numbers;
  const double deviation = classifier ? 0.01 : p.use == role::depthwise_kernel ? 0.33 : 0.06;
  const auto uniform = [&engine] { return static_cast<double>((engine() >> 11) + 1) * 0x1p-53; };
  for (float& number : numbers) {
    double normal = 3;
    while (std::abs(normal) > 2) {  // Box and Muller's
      const double radius = std::sqrt(-2 * std::log(uniform()));
      normal = radius * std::cos(2 * std::numbers::pi * uniform());
    }
    number = static_cast<float>(deviation * normal);
  }
  return numbers;
}

/// The node that the image comes to first.
inline int first_convolution(graph_view g) {
  for (int i = 0; i < g.size(); ++i)
    if (g[i].what.kind == op_kind::convolution) return i;
  return 0;
}

/// Fits a set in our words, which may lack tensors or have some of another shape, to a network.
class surgeon {
 public:
  surgeon(graph_view g, const tensor_set& file, const surgery& how)
      : g_(g), file_(file), how_(how), first_(first_convolution(g)), engine_(how.seed), weights_(file) {
    report_.source = file.source;
  }

  operated operate() {
    for (int i = 0; i < g_.size(); ++i)
      for (const parameter& p : g_.parameters_of(i)) take(i, p);
    for (const stored_tensor& t : file_.tensors) {
      if (used_.contains(t.name)) continue;
      if (is_self_test(t.name)) continue;  // its logits are another network's
      if (how_.backbone_only) {
        made_.left_out.push_back(printable(t.name));
      } else if (!is_training_state(t.name, file_)) {
        report_.unexpected.push_back(printable(t.name));
      }
    }
    if (!report_.fits()) throw weights_mismatch(report_);
    made_.weights = weights_.take();
    if (how_.new_classifier || how_.backbone_only)  // the names of other classes
      made_.weights.metadata.erase("class_names"), made_.weights.metadata.erase("palette");
    return std::move(made_);
  }

 private:
  static bool is_classifier(std::string_view name) { return name.starts_with("logits/semantic/"); }

  /// Whether a parameter is the backbone's, whose scope is that of the network's first convolution.
  bool of_backbone(std::string_view name) const {
    const std::string scope = g_.scope_name(g_[first_].scope);
    return name.starts_with(scope.substr(0, scope.find('/') + 1));
  }

  void take(int i, const parameter& p) {
    const std::string name = g_.parameter_name(i, p);
    const stored_tensor* found = file_.find(name);
    const bool anew =
        (how_.new_classifier && is_classifier(name)) || (how_.backbone_only && !of_backbone(name));
    if (found != nullptr) used_.insert(found->name);
    if (anew) {
      if (found != nullptr) made_.left_out.push_back(name);
      made_.made_up.push_back(name);
      return weights_.add(name, shape_of(p), first_numbers(p, is_classifier(name), engine_));
    }
    if (found == nullptr) return report_.missing.push_back(name);
    const std::string problem = misfit(*found, shape_of(p));
    if (problem.empty()) return weights_.add(*found);
    std::vector<std::int64_t> three = shape_of(p);
    if (p.use == role::kernel) three[2] = 3;
    if (how_.input == new_channels::refused || i != first_ || !misfit(*found, three).empty())
      return report_.unfit.push_back(problem);
    made_.changed.push_back(problem);
    weights_.add(name, shape_of(p), spread_colours(*found, p));
  }

  std::vector<float> spread_colours(const stored_tensor& found, const parameter& p) const {
    std::vector<float> colours(found.elements()), made(static_cast<std::size_t>(p.size()));
    if (file_.verify) file_.verify(found);
    read_floats(found, colours);
    const auto channels = static_cast<std::size_t>(p.extents[2]),
               out = static_cast<std::size_t>(p.extents[3]);
    const double share = 3.0 / static_cast<double>(channels);
    for (std::size_t at = 0; at < made.size(); ++at) {
      const std::size_t tap = at / out / channels, c = at / out % channels, k = at % out;
      const auto colour = [&](std::size_t which) { return double{colours[(tap * 3 + which) * out + k]}; };
      const double mean = (colour(0) + colour(1) + colour(2)) / 3;
      made[at] = static_cast<float>(share * (how_.input == new_channels::mean ? mean : colour(c % 3)));
    }
    return made;
  }

  graph_view g_;
  const tensor_set& file_;
  const surgery& how_;
  int first_ = 0;
  std::mt19937_64 engine_;
  made_set weights_;
  operated made_;
  weights_report report_;
  std::set<std::string_view> used_;
};

/// The words, of those a backbone's file may have, under which most parameters are found: the implementation's own, without
/// its prefix or with torchvision's, or those of torchvision's MobileNetV2, which most implementations begin from.
inline dialect words_of_backbone(const dialect& own, graph_view g, const tensor_set& file) {
  std::array<dialect, 4> candidates{own, own, own, own};
  candidates[1].prefix = candidates[3].prefix = "";
  candidates[2].prefix = "features.";
  candidates[3].body = nested_mobilenet_modules;
  const auto found_by = [&](const dialect& words) {
    int found = 0;
    for (int i = 0; i < g.size(); ++i)
      for (const parameter& p : g.parameters_of(i))
        found += file.find(torch_name(words, g, i, p)) != nullptr ? 1 : 0;
    return found;
  };
  return *std::ranges::max_element(candidates, {}, found_by);
}

/// A file's tensors for a network that differs from the file's as `how` allows. For the backbone alone of a network of
/// PyTorch's, torchvision's ImageNet files will do where it has torchvision's ResNet, MobileNetV2 or MobileNetV3.
/// Throws weights_mismatch where anything else differs.
inline operated operate(std::string_view network, const deeplab_options& o, const tensor_set& file,
                        const surgery& how) {
  const graph g = recorded(o, {257, 257, how.input_channels});
  std::optional<dialect> words = dialect_for(network, file);
  if (!words) return surgeon(g, file, how).operate();
  if (how.backbone_only) words = words_of_backbone(*words, g, file);
  const tensor_set ours = translator(g, file, *words).found();
  return surgeon(g, ours, how).operate();
}

}  // namespace atrous
