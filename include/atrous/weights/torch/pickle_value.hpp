// SPDX-License-Identifier: MIT
#pragma once
// What a pickle describes, as plain data. Values refer to one another by number and lie in one array, so that neither
// nesting nor a cycle matters when they go. Text stays where the pickle lies.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <atrous/weights/element_type.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous::pytorch {

/// The number of a value in its pickle. The first four are None, True, False and the empty tuple.
using pickle_index = std::uint32_t;

struct pickle_none {};
struct pickle_boolean {
  bool value;
};
struct pickle_integer {
  std::int64_t value;
};
/// An integer beyond 64 bits: two's complement, little-endian.
struct pickle_long {
  std::string_view bytes;
};
/// A floating-point number; no reader needs its value.
struct pickle_real {};
/// A string or bytes.
struct pickle_text {
  std::string_view bytes;
};

enum class pickle_form : std::uint8_t { tuple, list, dictionary };
/// A tuple, a list (a set as well) or a dictionary, whose keys and values alternate: a chain of links.
struct pickle_container {
  pickle_form form;
  std::uint32_t first = 0, last = 0;  // links; 0: none
  std::uint32_t count = 0;            // links in all
};

/// The name of a class or function, as two texts. It is never looked up.
struct pickle_global {
  pickle_index module, name;
};
/// A storage: its place in pickled::storages.
struct pickle_storage {
  std::uint32_t place;
};
/// A tensor: its place in pickled::tensors.
struct pickle_tensor {
  std::uint32_t place;
};
/// What a global would have made, had it been called; `global` is 0 where not even a global was called.
struct pickle_opaque {
  pickle_index global;
};

using pickle_value =
    std::variant<pickle_none, pickle_boolean, pickle_integer, pickle_long, pickle_real, pickle_text,
                 pickle_container, pickle_global, pickle_storage, pickle_tensor, pickle_opaque>;

/// A PyTorch storage: one run of numbers that tensors show parts of.
struct torch_storage {
  std::string_view key;
  std::optional<element_type> type;       ///< nothing for a type that no network here has
  pickle_index global;                    ///< the name of the type
  std::size_t count;                      ///< elements
  std::span<const std::byte> bytes = {};  ///< set by whoever knows the container
};

/// A PyTorch tensor as the pickle says, unchecked. All are values of the pickle.
struct torch_tensor {
  std::uint32_t storage;
  pickle_index offset, shape, strides;
};

/// The most values, and the most links, of one pickle. Checkpoints with the state of an optimizer have some 100 000.
inline constexpr std::size_t most_pickle_values = std::size_t{1} << 22;

/// The values of one pickle.
struct pickled {
  struct link {
    pickle_index value;
    std::uint32_t next;
  };

  std::vector<pickle_value> values = {pickle_none{}, pickle_boolean{true}, pickle_boolean{false},
                                      pickle_container{pickle_form::tuple}};
  std::vector<link> links = std::vector<link>(1);  ///< the first is no link
  std::vector<torch_storage> storages;
  std::vector<torch_tensor> tensors;
  pickle_index root = 0;

  /// The number of a new value. Throws std::invalid_argument where there are too many.
  pickle_index add(const pickle_value& value) {
    if (values.size() == most_pickle_values) {
      throw std::invalid_argument("expected at most " + std::to_string(values.size()) +
                                  " values, found more");
    }
    values.push_back(value);
    return static_cast<pickle_index>(values.size() - 1);
  }

  /// Appends elements to a container. Throws std::invalid_argument where all containers would hold more than `most`.
  void extend(pickle_container& target, std::span<const pickle_index> added, std::size_t most) {
    most = std::min(most, most_pickle_values);
    if (links.size() - 1 + added.size() > most) {
      throw std::invalid_argument("expected at most " + std::to_string(most) +
                                  " elements in all, found more");
    }
    for (const pickle_index value : added) {
      const auto place = static_cast<std::uint32_t>(links.size());
      links.push_back({value, 0});
      (target.last != 0 ? links[target.last].next : target.first) = place;
      target.last = place;
      ++target.count;
    }
  }

  /// The value as T, or null where it is something else.
  template <class T>
  const T* as(pickle_index value) const {
    return std::get_if<T>(&values[value]);
  }

  /// The container of this form, or null.
  const pickle_container* container(pickle_index value, pickle_form form) const {
    const auto* found = as<pickle_container>(value);
    return found != nullptr && found->form == form ? found : nullptr;
  }

  /// The elements of a container, in order, `most` of them at most.
  std::vector<pickle_index> elements(const pickle_container& from, std::size_t most = ~std::size_t{0}) const {
    std::vector<pickle_index> out;
    for (std::uint32_t at = from.first; at != 0 && out.size() < most; at = links[at].next) {
      out.push_back(links[at].value);
    }
    return out;
  }

  /// Calls visit(key, value) for every pair of a dictionary, in order; a key may come again and then counts anew.
  template <class Visit>
  void each_pair(const pickle_container& dictionary, Visit visit) const {
    for (std::uint32_t at = dictionary.first; at != 0;) {
      const link& key = links[at];
      const link& value = links[key.next];
      visit(key.value, value.value);
      at = value.next;
    }
  }

  /// The text of a value; nothing where it is none.
  std::optional<std::string_view> text(pickle_index value) const {
    const auto* found = as<pickle_text>(value);
    return found != nullptr ? std::optional(found->bytes) : std::nullopt;
  }

  /// The value of a dictionary under a text, nothing where it has none.
  std::optional<pickle_index> at(const pickle_container& dictionary, std::string_view wanted) const {
    std::optional<pickle_index> found;
    each_pair(dictionary, [&](pickle_index key, pickle_index value) {
      if (text(key) == wanted) found = value;
    });
    return found;
  }

  /// Whether the value is the global with this name.
  bool is_global(pickle_index value, std::string_view module, std::string_view name) const {
    const auto* global = as<pickle_global>(value);
    return global != nullptr && text(global->module) == module && text(global->name) == name;
  }

  /// "posix.system" for a global, printable.
  std::string global_name(pickle_index value) const {
    const auto* global = as<pickle_global>(value);
    if (global == nullptr) return "an unnamed value";
    return printable(text(global->module).value_or("")) + "." + printable(text(global->name).value_or(""));
  }

  /// What a value is, for messages: "a list", "an object of posix.system".
  std::string description(pickle_index value) const {
    if (const auto* found = as<pickle_container>(value)) {
      return found->form == pickle_form::tuple  ? "a tuple"
             : found->form == pickle_form::list ? "a list"
                                                : "a dictionary";
    }
    if (const auto* found = as<pickle_opaque>(value)) return "an object of " + global_name(found->global);
    if (as<pickle_global>(value) != nullptr) return "the name " + global_name(value);
    constexpr const char* names[] = {"None",
                                     "a truth value",
                                     "an integer",
                                     "an integer beyond 64 bits",
                                     "a number",
                                     "text",
                                     "",
                                     "",
                                     "a storage",
                                     "a tensor",
                                     ""};
    return names[values[value].index()];
  }
};

}  // namespace atrous::pytorch
