// SPDX-License-Identifier: MIT
// Whatever the bytes, the reader of frozen graphs returns whole tensors or throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <atrous/weights/tensorflow/graph_def.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  atrous::is_graph_def(bytes);
  try {
    const auto set = atrous::read_graph_def(bytes, "fuzz");
    if (set.tensors.empty()) std::abort();
    for (const auto& tensor : set.tensors) {
      std::vector<float> floats(tensor.elements());
      atrous::read_floats(tensor, floats);
      if (set.find(tensor.name) != &tensor) std::abort();
    }
  } catch (const std::runtime_error& error) {
    for (const char c : std::string_view(error.what())) {
      if (static_cast<unsigned char>(c) < 0x20) std::abort();
    }
  }
  return 0;
}
