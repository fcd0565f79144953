// SPDX-License-Identifier: MIT
#pragma once
// The stack, the marks and the memo of a pickle machine.
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/weights/torch/pickle_value.hpp>

namespace atrous::pytorch {

/// Holds numbers of values. Members throw std::invalid_argument, with what was expected and found, where a pickle asks
/// for what is not there or for too much.
class pickle_stack {
 public:
  void push(pickle_index value) {
    if (stack_.size() == most_pickle_values) fail("a shorter stack", stack_.size());
    stack_.push_back(value);
  }

  pickle_index top() const {
    if (stack_.size() <= floor()) fail("a value on the stack");
    return stack_.back();
  }

  pickle_index pop() {
    const pickle_index value = top();
    stack_.pop_back();
    return value;
  }

  void mark() {
    if (marks_.size() == most_pickle_values) fail("fewer marks", marks_.size());
    marks_.push_back(stack_.size());
  }

  /// Takes the last value, or the mark that lies there.
  void discard() {
    if (!marks_.empty() && stack_.size() == marks_.back()) {
      marks_.pop_back();
    } else {
      pop();
    }
  }

  /// Takes the values above the last mark, and the mark.
  std::vector<pickle_index> take_marked() {
    if (marks_.empty()) fail("a mark on the stack");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<pickle_index> taken(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return taken;
  }

  /// Takes the last `count` values.
  std::vector<pickle_index> take(std::size_t count) {
    std::vector<pickle_index> taken(count);
    for (std::size_t i = count; i-- > 0;) taken[i] = pop();
    return taken;
  }

  /// Remembers the top. `most`: the highest key that makes sense so far.
  void remember(std::size_t key, std::size_t most) {
    if (key > most) fail("memo keys that count up", key);
    if (key >= memo_.size()) memo_.resize(key + 1, nothing);
    if (memo_[key] == nothing) ++remembered_;
    memo_[key] = top();
  }

  void recall(std::size_t key) {
    if (key >= memo_.size() || memo_[key] == nothing) fail("a memo key that was set", key);
    push(memo_[key]);
  }

  /// How many keys the memo has.
  std::size_t remembered() const { return remembered_; }

 private:
  static constexpr pickle_index nothing = std::numeric_limits<pickle_index>::max();

  [[noreturn]] static void fail(const std::string& expected) {
    throw std::invalid_argument("expected " + expected + ", found none");
  }
  [[noreturn]] static void fail(const std::string& expected, std::size_t found) {
    throw std::invalid_argument("expected " + expected + ", found " + std::to_string(found));
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  std::vector<pickle_index> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::vector<pickle_index> memo_;
  std::size_t remembered_ = 0;
};

}  // namespace atrous::pytorch
