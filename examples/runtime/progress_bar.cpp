// SPDX-License-Identifier: MIT
#include "progress_bar.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "text.hpp"

namespace programs {
namespace {

std::string duration(double seconds) {
  const int whole = static_cast<int>(std::min(seconds + 0.5, 1e8));
  if (whole < 60) return std::to_string(whole) + " s";
  const std::string rest = std::to_string(whole / 60 % 60) + " min";
  return whole < 3600 ? rest : std::to_string(whole / 3600) + " h " + rest;
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

progress_bar::progress_bar() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress_bar::show(double share, const std::string& text) {
  const clock::time_point now = clock::now();
  if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::string line;
  if (share >= 0) {
    constexpr double cells = 24;
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * cells);
    line = "[" + std::string(filled, '#') + std::string(static_cast<std::size_t>(cells) - filled, '.') +
           "] " + formatted("%3.0f %%", 100 * share);
    if (share > 0.02) line += ", " + duration(seconds / share - seconds) + " left";
    line += "  ";
  }
  line += text;
  line.resize(std::min(line.size(), terminal_width() - 1));
  std::cerr << "\r\x1b[K" << line << std::flush;
  shown_ = true;
}

void progress_bar::clear() {
  if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace programs
