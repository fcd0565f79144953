// SPDX-License-Identifier: MIT
#pragma once
// How far long work is, on one line of standard error that goes away when it is done; nothing where that is no terminal.
#include <chrono>
#include <string>

namespace programs {

class progress_bar {
 public:
  progress_bar();
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// `share` of the work is done, 0 to 1, or unknown (below 0); `text` says what it is at.
  void show(double share, const std::string& text);

  /// Takes the line away, so that others can write.
  void clear();

 private:
  using clock = std::chrono::steady_clock;

  bool terminal_;
  bool shown_ = false;
  clock::time_point start_ = clock::now(), last_{};
};

}  // namespace programs
