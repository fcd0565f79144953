// SPDX-License-Identifier: MIT
// Whatever the bytes of a zip, reading it as PyTorch's gives tensors within them or throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <atrous/weights/torch/torch_file.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto set = atrous::read_torch(bytes, "fuzz");
    std::size_t all = 0;
    for (const auto& tensor : set.tensors) {
      std::vector<float> floats(tensor.elements());
      atrous::read_floats(tensor, floats);
      all += atrous::row_major_bytes(tensor).size();
      if (set.find(tensor.name) != &tensor) std::abort();
    }
    if (all > atrous::pytorch::most_expansion * size) std::abort();
  } catch (const std::runtime_error& error) {
    for (const char c : std::string_view(error.what())) {
      if (static_cast<unsigned char>(c) < 0x20) std::abort();
    }
  }
  return 0;
}
