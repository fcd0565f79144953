// SPDX-License-Identifier: MIT
#pragma once
// What holds for every reader of weights, whatever the bytes: tensors within them, found by name, or one plain line.
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>

inline void check_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
  }
}

inline void check_tensors(const atrous::tensor_set& set) {
  for (const atrous::stored_tensor& tensor : set.tensors) {
    std::vector<float> floats(tensor.elements());
    atrous::read_floats(tensor, floats);
    if (set.find(tensor.name) != &tensor) std::abort();
  }
}

/// Runs what reads; it may throw std::runtime_error with a plain line.
template <class Read>
int check_reader(const Read& read) {
  try {
    read();
  } catch (const std::runtime_error& error) {
    check_line(error.what());
  }
  return 0;
}
