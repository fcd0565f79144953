// SPDX-License-Identifier: MIT
#pragma once
// Numbers and fields as programs print them.
#include <string>

namespace programs {

/// One number by a format of printf.
std::string formatted(const char* format, double number);

/// A field of a CSV line, quoted where it must be.
std::string csv_field(const std::string& text);

}  // namespace programs
