// SPDX-License-Identifier: MIT
// Whatever the bytes, the reader of frozen graphs returns whole tensors or throws one plain line.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <atrous/weights/tensorflow/graph_def.hpp>

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  atrous::is_graph_def(bytes);
  return check_reader([&] {
    const auto set = atrous::read_graph_def(bytes, "fuzz");
    if (set.tensors.empty()) std::abort();
    check_tensors(set);
  });
}
