// SPDX-License-Identifier: MIT
#pragma once
// The container of torch.save since PyTorch 1.6: a zip with a pickled object and a record for each storage.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/weights/element_type.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/torch/bytes.hpp>
#include <atrous/weights/torch/pickle_machine.hpp>
#include <atrous/weights/torch/pickle_value.hpp>
#include <atrous/weights/torch/zip_directory.hpp>

namespace atrous::pytorch {

/// The folder, with its slash, of the one record FOLDER/data.pkl. Throws std::runtime_error where there is none, or the
/// archive is one of TorchScript.
inline std::string torch_folder(const zip_directory& zip, std::string_view source) {
  const auto fail = [source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what);
  };
  constexpr std::string_view pickle = "/data.pkl";
  std::string folder;
  for (const zip_record& record : zip.records()) {
    const auto slash = record.name.find('/');
    if (slash == std::string_view::npos || slash == 0 || record.name.substr(slash) != pickle) continue;
    if (!folder.empty()) fail("expected one record */data.pkl, found two");
    folder = record.name.substr(0, slash + 1);
  }
  for (const zip_record& record : zip.records()) {
    const auto inside = record.name.substr(std::min(record.name.size(), record.name.find('/') + 1));
    if (inside == "constants.pkl" || inside.starts_with("code/")) {
      fail("expected tensors as torch.save writes them, found a TorchScript archive (record \"" +
           printable(record.name) + "\"): save model.state_dict() instead");
    }
  }
  if (folder.empty()) {
    fail("expected a record */data.pkl, as in every zip of PyTorch, found none in " +
         std::to_string(zip.records().size()) + " records");
  }
  return folder;
}

/// The object of a zip file in memory. Storages of a known type refer to the bytes, which must outlive the result.
/// Throws std::runtime_error, one line with the file, what was expected and what was found.
inline pickled read_torch_zip(std::span<const std::byte> bytes, std::string_view source) {
  const auto fail = [source](const std::string& what) {
    throw std::runtime_error(printable_path(source) + ": " + what);
  };
  const zip_directory zip(bytes, source);
  const std::string folder = torch_folder(zip, source);
  if (const auto* order = zip.find(folder + "byteorder")) {
    const auto found = text_in(zip.contents(*order));
    if (found != "little") fail("expected byte order little, found \"" + printable(found, 40) + "\"");
  }
  pickled out = read_pickle(zip.contents(*zip.find(folder + "data.pkl")), source);
  for (torch_storage& storage : out.storages) {
    if (!storage.type) continue;
    const auto* record = zip.find(folder + "data/" + std::string(storage.key));
    const std::string what = "storage \"" + printable(storage.key) + "\": expected " +
                             std::to_string(storage.count) + " elements of " +
                             std::string(name_of(*storage.type)) + ", found ";
    if (record == nullptr) fail(what + "no record data/" + printable(storage.key));
    storage.bytes = zip.contents(*record);
    const std::size_t size = size_of(*storage.type);
    if (storage.bytes.size() % size != 0 || storage.bytes.size() / size != storage.count) {
      fail(what + std::to_string(storage.bytes.size()) + " bytes");
    }
  }
  return out;
}

}  // namespace atrous::pytorch
