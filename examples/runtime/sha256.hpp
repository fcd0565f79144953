// SPDX-License-Identifier: MIT
#pragma once
// The SHA-256 of files, so that a result can say what it was made of.
#include <string>
#include <vector>

namespace programs {

/// The SHA-256, in 64 hexadecimal digits, of the bytes of all these files, one behind the other: of one file what `sha256sum
/// FILE` says, of several what `cat FILES | sha256sum` says. Throws std::runtime_error where one cannot be read.
std::string sha256(const std::vector<std::string>& files);

}  // namespace programs
