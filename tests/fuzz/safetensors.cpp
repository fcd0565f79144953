// SPDX-License-Identifier: MIT
// Whatever the bytes, a reader of weights returns tensors within them or throws one plain line.
#include <cstdint>
#include <span>

#include <atrous/weights/safetensors.hpp>

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return check_reader(
      [&] { check_tensors(atrous::read_safetensors(std::as_bytes(std::span(data, size)), "fuzz")); });
}
