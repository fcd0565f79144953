// SPDX-License-Identifier: MIT
// Whatever the bytes of a zip, reading it as PyTorch's gives tensors within them or throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <atrous/weights/torch/torch_file.hpp>

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return check_reader([&] {
    const auto set = atrous::read_torch(std::as_bytes(std::span(data, size)), "fuzz");
    check_tensors(set);
    std::size_t all = 0;
    for (const auto& tensor : set.tensors) all += atrous::row_major_bytes(tensor).size();
    if (all > atrous::pytorch::most_expansion * size) std::abort();
  });
}
