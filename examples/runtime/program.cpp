// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>

#include <atrous/core/version.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/binding.hpp>

#include "processors.hpp"

namespace programs {

std::string with_network_names(const std::string& more, const std::string& examples) {
  return more + "Network names:\n" + std::string(atrous::network_name_grammar) +
         std::string(atrous::torch_name_grammar) + examples;
}

CLI::Validator from(int least, int most) { return CLI::Range(least, most).description(""); }

CLI::Validator not_empty() {
  return CLI::Validator([](std::string& name) { return name.empty() ? "expected a name, found none" : ""; },
                        "");
}

command_line::command_line(const std::string& name, const std::string& description, const std::string& more)
    : app(description, name), threads(processors()) {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", name + " " + text_of(atrous::version), "Print the version and exit");
  app.add_option("--threads", threads, "Threads to use; default: the processors this process may use")
      ->check(from(1, 1024))
      ->type_name("N");
  app.footer(more);
  app.get_formatter()->column_width(32);
}

int command_line::run(int argc, const char* const* argv, const std::function<void()>& work) {
  try {
    app.parse(argc, argv);
    work();
    if (!std::cout.flush()) throw std::runtime_error("stdout cannot be written");
    return 0;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0) return refuse(e.what());
    app.exit(e);  // --help, --version
    return std::cout.flush() ? 0 : refuse("stdout cannot be written");
  } catch (const atrous::weights_mismatch& e) {
    return refuse(e.report.summary());
  } catch (const std::bad_alloc&) {
    return refuse("not enough memory");
  } catch (const std::exception& e) {
    return refuse(e.what());
  }
}

/// Says why on one line, whatever the message holds.
int command_line::refuse(const std::string& message) const {
  std::cout.flush();
  std::string line = app.get_name() + ": " + message;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  std::cerr << line << '\n';
  return 1;
}

}  // namespace programs
