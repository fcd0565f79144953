// SPDX-License-Identifier: MIT
#pragma once
// The container of torch.save before PyTorch 1.6, and still on request: five pickles (a magic number, a version, the
// machine, the object, the keys of the storages), then the storages.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/weights/element_type.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/torch/bytes.hpp>
#include <atrous/weights/torch/pickle_machine.hpp>
#include <atrous/weights/torch/pickle_value.hpp>

namespace atrous::pytorch {

/// Reads a legacy file from memory, which must outlive what comes out.
/// Members throw std::runtime_error, one line with the file, what was expected and what was found.
class torch_legacy {
 public:
  torch_legacy(std::span<const std::byte> bytes, std::string_view source) : rest_(bytes), source_(source) {}

  /// The object, whose storages refer to the bytes; to be called once.
  pickled read() {
    const pickled magic = next_pickle();
    const auto* number = magic.as<pickle_long>(magic.root);
    if (number == nullptr || number->bytes != magic_bytes) {
      fail("expected PyTorch's magic number, found " + magic.description(magic.root) +
           ": a pickle of something else");
    }
    const pickled version = next_pickle();
    if (const auto* found = version.as<pickle_integer>(version.root);
        found == nullptr || found->value != 1001) {
      fail("expected version 1001 of the legacy format, found " +
           (found != nullptr ? std::to_string(found->value) : version.description(version.root)));
    }
    check_machine(next_pickle());
    pickled object = next_pickle();
    place_storages(object, next_pickle());
    return object;
  }

 private:
  static constexpr std::string_view magic_bytes = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(printable_path(source_) + ": " + what);
  }

  std::span<const std::byte> take(std::size_t count) {
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  pickled next_pickle() {
    std::size_t length = 0;
    pickled out = read_pickle(rest_, source_, &length);
    take(length);
    return out;
  }

  void check_machine(const pickled& machine) const {
    const auto* dictionary = machine.container(machine.root, pickle_form::dictionary);
    const auto order = dictionary != nullptr ? machine.at(*dictionary, "little_endian") : std::nullopt;
    const auto* little = order ? machine.as<pickle_boolean>(*order) : nullptr;
    if (little == nullptr || !little->value)
      fail("expected a file of a little-endian machine, found another");
  }

  void place_storages(pickled& object, const pickled& keys) {
    const auto* list = keys.container(keys.root, pickle_form::list);
    if (list == nullptr) fail("expected a list of storages, found " + keys.description(keys.root));
    std::map<std::string_view, torch_storage*> missing;
    for (torch_storage& storage : object.storages) missing.emplace(storage.key, &storage);
    for (const pickle_index key : keys.elements(*list)) {
      const auto found = missing.find(keys.text(key).value_or(""));
      if (found == missing.end())
        fail("expected a list of the storages of the object, each once, found another");
      place(*found->second, object);
      missing.erase(found);
    }
    if (!missing.empty())
      fail("expected storage \"" + printable(missing.begin()->first) + "\" in the file, found none");
  }

  /// Its count, then its elements.
  void place(torch_storage& storage, const pickled& object) {
    const std::string what = "storage \"" + printable(storage.key) + "\": expected ";
    if (!storage.type) fail(what + "a known type, found " + object.global_name(storage.global));
    const auto count = number_at<std::uint64_t>(rest_, 0);
    if (!count) fail(what + "a count of 8 bytes, found " + std::to_string(rest_.size()));
    if (*count != storage.count) {
      fail(what + std::to_string(storage.count) + " elements, found " + std::to_string(*count));
    }
    take(sizeof(*count));
    const std::size_t size = size_of(*storage.type);
    if (storage.count > rest_.size() / size) {
      fail(what + std::to_string(storage.count) + " elements of " + std::string(name_of(*storage.type)) +
           ", found " + std::to_string(rest_.size()) + " bytes");
    }
    storage.bytes = take(storage.count * size);
  }

  std::span<const std::byte> rest_;
  std::string_view source_;
};

}  // namespace atrous::pytorch
