// SPDX-License-Identifier: MIT
#pragma once
// The few names that mean something in a PyTorch pickle. Every other one is opaque: it is kept as a name and what is
// made with it swallows what is done to it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/element_type.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/torch/bytes.hpp>
#include <atrous/weights/torch/pickle_value.hpp>

namespace atrous::pytorch {

/// The element type of torch.NAME, nothing where it is unknown.
inline std::optional<element_type> torch_storage_type(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, element_type>, 10> known{
      {{"FloatStorage", element_type::f32},
       {"DoubleStorage", element_type::f64},
       {"HalfStorage", element_type::f16},
       {"BFloat16Storage", element_type::bf16},
       {"LongStorage", element_type::i64},
       {"IntStorage", element_type::i32},
       {"ShortStorage", element_type::i16},
       {"CharStorage", element_type::i8},
       {"ByteStorage", element_type::u8},
       {"BoolStorage", element_type::boolean}}};
  for (const auto& [known_name, type] : known)
    if (name == known_name) return type;
  return std::nullopt;
}

/// What calls and persistent ids of PyTorch make, from the values of a pickle. Members throw std::invalid_argument,
/// with what was expected and found, where a known name is used as PyTorch never does.
class torch_globals {
 public:
  /// `most`: the links that all containers may have.
  torch_globals(pickled& out, std::size_t most) : out_(out), most_(most) {}

  /// The value of function(*arguments).
  pickle_index called(pickle_index function, pickle_index arguments) {
    if (const auto* tuple = out_.container(arguments, pickle_form::tuple)) {
      if (out_.is_global(function, "collections", "OrderedDict")) return ordered_dictionary(*tuple);
      if (out_.is_global(function, "torch._utils", "_rebuild_tensor_v2") ||
          out_.is_global(function, "torch._utils", "_rebuild_tensor")) {
        return tensor(out_.elements(*tuple, 5), function);
      }
      if ((out_.is_global(function, "torch._utils", "_rebuild_parameter") ||
           out_.is_global(function, "torch._utils", "_rebuild_parameter_with_state")) &&
          tuple->count > 0) {
        return out_.elements(*tuple, 1).front();
      }
      // A tensor with attributes of its own, or of a derived class: (function, class, arguments, attributes).
      if ((out_.is_global(function, "torch._tensor", "_rebuild_from_type_v2") ||
           out_.is_global(function, "torch._tensor", "_rebuild_from_type")) &&
          tuple->count == 4) {
        const auto parts = out_.elements(*tuple, 3);
        const auto* made_by = out_.as<pickle_global>(parts[0]);
        if (made_by != nullptr && out_.text(made_by->module) == "torch._utils")  // so no deeper than once
          return called(parts[0], parts[2]);
      }
    }
    if (out_.as<pickle_opaque>(function) != nullptr) return function;
    return opaque(out_.as<pickle_global>(function) != nullptr ? function : 0);
  }

  /// The storage that a persistent id stands for: ("storage", type, key, location, count, and None or nothing).
  pickle_index persistent(pickle_index id) {
    const auto* tuple = out_.container(id, pickle_form::tuple);
    const auto parts = tuple != nullptr ? out_.elements(*tuple, 6) : std::vector<pickle_index>{};
    // A whole module in an old file: ("module", class, path, source).
    if (parts.size() > 1 && out_.text(parts[0]) == "module") return parts[1];
    const bool whole = parts.size() >= 5 && out_.text(parts[0]) == "storage" &&
                       out_.as<pickle_global>(parts[1]) != nullptr && out_.text(parts[2]) &&
                       out_.as<pickle_integer>(parts[4]) != nullptr;
    if (!whole)
      throw std::invalid_argument("expected a storage as persistent id, found " + out_.description(id));
    if (parts.size() > 5 && out_.as<pickle_none>(parts[5]) == nullptr) {
      throw std::invalid_argument("expected a whole storage, found a view of one, as files before 2018 have");
    }
    return storage(*out_.text(parts[2]), parts[1], out_.as<pickle_integer>(parts[4])->value);
  }

 private:
  pickle_index opaque(pickle_index global) { return out_.add(pickle_opaque{global}); }

  /// Without arguments, or with a list of pairs, as Python 2 writes it.
  pickle_index ordered_dictionary(const pickle_container& arguments) {
    pickle_container made{pickle_form::dictionary};
    if (arguments.count > 0) {
      const auto* pairs = out_.container(out_.elements(arguments, 1).front(), pickle_form::list);
      if (pairs == nullptr)
        throw std::invalid_argument("expected a list of pairs for an OrderedDict, found other arguments");
      for (const pickle_index pair : out_.elements(*pairs)) {
        const auto* both = out_.as<pickle_container>(pair);
        if (both == nullptr || both->count != 2) {
          throw std::invalid_argument("expected pairs for an OrderedDict, found " + out_.description(pair));
        }
        out_.extend(made, out_.elements(*both), most_);
      }
    }
    return out_.add(made);
  }

  pickle_index tensor(const std::vector<pickle_index>& arguments, pickle_index function) {
    const auto fail = [&](const std::string& what) {
      throw std::invalid_argument(out_.global_name(function) + ": expected " + what);
    };
    if (arguments.size() < 4) {
      fail("storage, offset, shape and strides, found " + std::to_string(arguments.size()) + " arguments");
    }
    if (out_.as<pickle_opaque>(arguments[0]) != nullptr) return arguments[0];
    const auto* storage = out_.as<pickle_storage>(arguments[0]);
    if (storage == nullptr) fail("a storage, found " + out_.description(arguments[0]));
    if (!out_.storages[storage->place].type) return opaque(out_.storages[storage->place].global);
    out_.tensors.push_back({storage->place, arguments[1], arguments[2], arguments[3]});
    return out_.add(pickle_tensor{static_cast<std::uint32_t>(out_.tensors.size() - 1)});
  }

  pickle_index storage(std::string_view key, pickle_index global, std::int64_t count) {
    const auto& name = *out_.as<pickle_global>(global);
    const auto type =
        out_.text(name.module) == "torch" ? torch_storage_type(*out_.text(name.name)) : std::nullopt;
    const std::string what = "storage \"" + printable(key) + "\": expected ";
    if (key.size() > most_name)  // comparing long ones that come often would take quadratic time
      throw std::invalid_argument(what + "a key of at most " + std::to_string(most_name) + " bytes, found " +
                                  std::to_string(key.size()));
    if (count < 0) throw std::invalid_argument(what + "a count from 0, found " + std::to_string(count));
    const auto [known, added] = places_.try_emplace(key, static_cast<std::uint32_t>(out_.storages.size()));
    if (added) {
      out_.storages.push_back({key, type, global, static_cast<std::size_t>(count)});
    } else if (const auto& first = out_.storages[known->second];
               first.type != type || first.count != static_cast<std::size_t>(count)) {
      throw std::invalid_argument(what + "one type and count, found two");
    }
    return out_.add(pickle_storage{known->second});
  }

  pickled& out_;
  std::size_t most_;
  std::map<std::string_view, std::uint32_t> places_;
};

}  // namespace atrous::pytorch
