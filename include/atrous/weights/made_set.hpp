// SPDX-License-Identifier: MIT
#pragma once
// Puts sets of tensors together: those of a file, and others whose numbers the set owns.
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

class made_set {
 public:
  /// A set of its own; `source` is its name in messages.
  explicit made_set(std::string source) { set_.source = std::move(source); }
  /// A set that stands for a file: all that the file says of itself, its bytes kept, and no tensor yet.
  explicit made_set(const tensor_set& file) {
    set_.source = file.source;
    set_.metadata = file.metadata;
    set_.container = file.container;
    set_.release = file.release;
    set_.verify = file.verify;
    kept_->file = file.keep;
  }

  /// A tensor of the file.
  void add(stored_tensor t) { set_.tensors.push_back(std::move(t)); }
  /// A tensor of float32 numbers, row-major, that the set takes.
  void add(std::string name, std::vector<std::int64_t> shape, std::vector<float> numbers) {
    const std::vector<float>& owned = kept_->numbers.emplace_back(std::move(numbers));
    stored_tensor t;
    t.name = std::move(name);
    t.shape = std::move(shape);
    t.bytes = std::as_bytes(std::span(owned));
    add(std::move(t));
  }

  /// The set. Throws std::runtime_error where a name is empty or comes twice.
  tensor_set take() {
    set_.keep = kept_;
    sort_by_name(set_);
    return std::move(set_);
  }

 private:
  struct kept {
    std::shared_ptr<const void> file;
    std::deque<std::vector<float>> numbers;
  };
  tensor_set set_;
  std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

}  // namespace atrous
