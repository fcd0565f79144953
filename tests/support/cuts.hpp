// SPDX-License-Identifier: MIT
#pragma once
// Where tests cut a good file: after every byte of its header and at 100 places of what follows.
#include <cstddef>
#include <vector>

/// Lengths from 0 to below `whole`, ascending.
inline std::vector<std::size_t> cuts(std::size_t header, std::size_t whole) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length < header; ++length) lengths.push_back(length);
  for (std::size_t k = 0; k < 100; ++k) lengths.push_back(header + (whole - header) * k / 100);
  return lengths;
}
