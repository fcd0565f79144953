// SPDX-License-Identifier: MIT
#pragma once
// Where the state dict lies in a checkpoint, and what its tensors are called without the wrappers of training.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>
#include <atrous/weights/torch/pickle_value.hpp>

namespace atrous::pytorch {

/// The keys under which training programs save a state dict, first choice first.
inline constexpr std::array<std::string_view, 14> state_dict_keys{
    "state_dict", "model_state",    "model_state_dict", "model",     "net",
    "network",    "weights",        "params",           "module",    "ema",
    "model_ema",  "ema_state_dict", "state_dict_ema",   "params_ema"};

/// What is taken off the names where all tensors have it: DataParallel, torch.compile, Lightning, other wrappers.
inline constexpr std::array<std::string_view, 4> state_dict_prefixes{"module.", "_orig_mod.", "model.",
                                                                     "net."};

/// A dictionary of tensors and the keys that lead to it, joined by '/'; empty for the root.
struct state_dict_place {
  const pickle_container* dictionary;
  std::string path;
};

inline bool holds_tensors(const pickled& object, const pickle_container& dictionary) {
  bool found = false;
  object.each_pair(dictionary, [&](pickle_index, pickle_index value) {
    found = found || object.as<pickle_tensor>(value) != nullptr;
  });
  return found;
}

/// The state dict at or below `value`, under at most `levels` of the known keys; nothing where there is none.
inline std::optional<state_dict_place> find_state_dict(const pickled& object, pickle_index value,
                                                       int levels = 2) {
  const auto* dictionary = object.container(value, pickle_form::dictionary);
  if (dictionary == nullptr) return std::nullopt;
  for (const std::string_view key : state_dict_keys) {
    const auto below = levels > 0 ? object.at(*dictionary, key) : std::nullopt;
    if (!below) continue;
    if (auto found = find_state_dict(object, *below, levels - 1)) {
      found->path.insert(0, std::string(key) + (found->path.empty() ? "" : "/"));
      return found;
    }
  }
  if (!holds_tensors(object, *dictionary)) return std::nullopt;
  return state_dict_place{dictionary, ""};
}

/// Says what a value without a state dict is instead: "an object of torch.nn.Linear: ...", "a dictionary of "epoch" (an
/// integer), ...".
inline std::string instead_of_state_dict(const pickled& object, pickle_index value, int levels = 2) {
  if (object.as<pickle_opaque>(value) != nullptr) {
    return object.description(value) + ": if that is a whole module, save model.state_dict() instead";
  }
  const auto* dictionary = object.container(value, pickle_form::dictionary);
  if (dictionary == nullptr) return object.description(value);
  for (const std::string_view key : state_dict_keys) {
    const auto below = levels > 0 ? object.at(*dictionary, key) : std::nullopt;
    if (below &&
        (object.as<pickle_opaque>(*below) != nullptr || object.as<pickle_container>(*below) != nullptr)) {
      return "under \"" + std::string(key) + "\" " + instead_of_state_dict(object, *below, levels - 1);
    }
  }
  constexpr std::size_t most = 5;
  std::string text;
  std::size_t count = 0;
  object.each_pair(*dictionary, [&](pickle_index key, pickle_index item) {
    if (++count > most) return;
    const std::string name =
        object.text(key) ? "\"" + printable(*object.text(key), 40) + "\"" : object.description(key);
    text += (count > 1 ? ", " : "") + name + " (" + object.description(item) + ")";
  });
  return count == 0 ? "an empty dictionary" : "a dictionary of " + text + (count > most ? ", ..." : "");
}

/// Takes the known prefixes off the names, again and again, where all have them. Returns what was taken off.
inline std::string strip_prefixes(std::vector<stored_tensor>& tensors) {
  std::string taken;
  const auto all_have = [&](std::string_view prefix) {
    return std::all_of(tensors.begin(), tensors.end(), [&](const stored_tensor& tensor) {
      const auto rest = std::string_view(tensor.name).substr(taken.size());
      return rest.size() > prefix.size() && rest.starts_with(prefix);
    });
  };
  for (bool again = !tensors.empty(); again;) {
    const auto found = std::find_if(state_dict_prefixes.begin(), state_dict_prefixes.end(), all_have);
    again = found != state_dict_prefixes.end();
    if (again) taken += *found;
  }
  for (stored_tensor& tensor : tensors) tensor.name.erase(0, taken.size());
  return taken;
}

}  // namespace atrous::pytorch
