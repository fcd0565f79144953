// SPDX-License-Identifier: MIT
#pragma once
// A file of weights may bring an image and its logits (`convert --self-test` writes them): whoever loads it sees that the
// numbers come out right on this machine, with this policy.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/model/inference.hpp>
#include <atrous/weights/binding.hpp>

namespace atrous {

/// What a file holds for its self-test: `self_test/image`, U8, height x width x channels, and `self_test/logits`, F32,
/// rows x columns x classes, as they enter the last resize.
struct self_test_sample {
  shape extent{};
  std::vector<std::byte> pixels;
  tensor<float> logits;

  pixels_view image() const { return {reinterpret_cast<const std::uint8_t*>(pixels.data()), extent}; }
};

/// Whether the file holds a self-test.
inline bool has_self_test(const tensor_set& file) {
  return file.find(self_test_image) != nullptr && file.find(self_test_logits) != nullptr;
}

/// A tensor of the self-test, checked; and its extents. Throws std::runtime_error.
inline const stored_tensor& self_test_part(const tensor_set& file, std::string_view name, element_type type,
                                           shape& extent) {
  const stored_tensor* found = file.find(name);
  if (found == nullptr) {
    throw std::runtime_error(printable_path(file.source) + ": expected a self-test, found no tensor \"" +
                             std::string(name) + "\"");
  }
  const auto possible = [](std::int64_t e) { return e >= 1 && e <= most_extent; };
  if (found->type != type || found->shape.size() != 3 ||
      !std::all_of(found->shape.begin(), found->shape.end(), possible)) {
    throw tensor_error(file.source, name,
                       std::string("expected three extents of ").append(name_of(type)) + ", found " +
                           text_of(found->shape) + " " + std::string(name_of(found->type)));
  }
  const auto extent_of = [&](std::size_t k) { return static_cast<int>(found->shape[k]); };
  extent = {extent_of(0), extent_of(1), extent_of(2)};
  if (file.verify) file.verify(*found);
  return *found;
}

/// The self-test of a file. Throws std::runtime_error where it has none, or one that cannot be.
inline self_test_sample self_test_in(const tensor_set& file) {
  self_test_sample made;
  shape grid{};
  made.pixels = row_major_bytes(self_test_part(file, self_test_image, element_type::u8, made.extent));
  const stored_tensor& logits = self_test_part(file, self_test_logits, element_type::f32, grid);
  check_elements(logits, logits.elements());
  made.logits = tensor<float>(1, grid);
  read_floats(logits, made.logits.data);
  return made;
}

/// The largest |a - b| over the largest |b|; infinity where one of them is no number, or all of `expected` are zero and not
/// all of `found`.
inline double relative_difference(std::span<const float> found, std::span<const float> expected) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(double{found[i]} - expected[i]);
    if (!std::isfinite(off)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, off);
    largest = std::max(largest, std::abs(double{expected[i]}));
  }
  return difference == 0 ? 0 : difference / largest;
}

/// Runs the network on the image that the file of its weights brings: how far the logits are off, the largest |a - b| over
/// the largest |b|. Between machines and policies in float below 1e-4, in half below 2e-2. Throws std::runtime_error where
/// the file has no self-test, or one of another network, and what `inference` throws.
template <backend P>
double self_test(const inference<P>& net, workspace<P>& w, const tensor_set& file) {
  const self_test_sample sample = self_test_in(file);
  net.runner().check(sample.image(), w);
  const shape grid = net.logits_for(sample.extent.height, sample.extent.width);
  if (sample.logits.extent != grid) {
    throw tensor_error(file.source, self_test_logits,
                       "expected " + text_of(grid) + ", found " + text_of(sample.logits.extent));
  }
  return relative_difference(net.logits(sample.image(), w).data, sample.logits.data);
}

}  // namespace atrous
