// SPDX-License-Identifier: MIT
#pragma once
// Sets of tensors that a test changes: take one out, put one in, write a number.
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>

/// A copy of a set whose tensors can be changed. Convertible to what readers return.
class changeable_tensors {
 public:
  changeable_tensors() = default;
  explicit changeable_tensors(const atrous::tensor_set& set) {
    for (const atrous::stored_tensor& t : set.tensors) {
      std::vector<float> numbers(t.elements());
      read_floats(t, numbers);
      put(t.name, t.shape, numbers);
    }
  }

  void put(const std::string& name, std::vector<std::int64_t> shape, const std::vector<float>& numbers,
           atrous::element_type type = atrous::element_type::f32) {
    remove(name);
    const auto bytes = std::as_bytes(std::span(numbers));
    entries_.push_back({name, std::move(shape), type, {bytes.begin(), bytes.end()}});
  }
  void remove(std::string_view name) {
    std::erase_if(entries_, [&](const entry& e) { return e.name == name; });
  }
  void reshape(std::string_view name, std::vector<std::int64_t> shape) {
    const std::vector<float> numbers(*atrous::elements_of(shape), 0.5F);
    put(std::string(name), std::move(shape), numbers);
  }
  /// Element i of a tensor.
  float& number(std::string_view name, std::size_t i) {
    return reinterpret_cast<float*>(at(name).bytes.data())[i];
  }
  std::vector<float> numbers(std::string_view name) {
    const entry& e = at(name);
    const auto* first = reinterpret_cast<const float*>(e.bytes.data());
    return {first, first + e.bytes.size() / sizeof(float)};
  }
  std::vector<std::int64_t> shape(std::string_view name) { return at(name).shape; }

  /// Valid until the next change.
  atrous::tensor_set set() const {
    atrous::tensor_set made;
    made.source = "made.safetensors";
    for (const entry& e : entries_) made.tensors.push_back({e.name, e.type, e.shape, e.bytes});
    sort_by_name(made);
    return made;
  }

 private:
  struct entry {
    std::string name;
    std::vector<std::int64_t> shape;
    atrous::element_type type;
    std::vector<std::byte> bytes;
  };
  entry& at(std::string_view name) {
    return *std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.name == name; });
  }
  std::vector<entry> entries_;
};
