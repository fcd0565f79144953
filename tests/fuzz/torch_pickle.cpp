// SPDX-License-Identifier: MIT
// Whatever the bytes of a pickle, alone or at the front of a legacy PyTorch file, reading them gives plain data or
// throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <atrous/weights/torch/torch_file.hpp>

#include "reader.hpp"

namespace {

void read_alone(std::span<const std::byte> bytes) {
  const auto object = atrous::pytorch::read_pickle(bytes, "fuzz");
  if (object.values.size() > 3 * bytes.size() + 4 || object.links.size() > bytes.size() + 1) std::abort();
  check_line(object.description(object.root));
  check_line(atrous::pytorch::instead_of_state_dict(object, object.root));
  if (const auto place = atrous::pytorch::find_state_dict(object, object.root)) {
    if (!atrous::pytorch::holds_tensors(object, *place->dictionary)) std::abort();
  }
}

void read_file(std::span<const std::byte> bytes) {
  const auto set = atrous::read_torch(bytes, "fuzz");
  for (const auto& tensor : set.tensors) {
    if (atrous::row_major_bytes(tensor).size() != tensor.elements() * size_of(tensor.type)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const auto reader : {read_alone, read_file}) check_reader([&] { reader(bytes); });
  return 0;
}
