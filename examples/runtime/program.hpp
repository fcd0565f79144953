// SPDX-License-Identifier: MIT
#pragma once
// What every program does the same way: options, help and version on stdout, one line on stderr and exit 1
// for whatever goes wrong.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace programs {

/// A command line that takes --help, --version and --threads.
struct command_line {
  CLI::App app;
  int threads;

  /// `more` stands at the end of the help: examples, grammars.
  command_line(const std::string& name, const std::string& description, const std::string& more);

  /// Parses, does `work`, and returns the exit code of the program.
  int run(int argc, const char* const* argv, const std::function<void()>& work);

 private:
  int refuse(const std::string& message) const;
};

/// The end of a help text: `more`, the grammar of network names, examples.
std::string with_network_names(const std::string& more, const std::string& examples);

/// A check of an option that names a file: "" is no name.
CLI::Validator not_empty();

/// A check of an option: a whole number from `least` to `most`.
CLI::Validator from(int least, int most);

}  // namespace programs
