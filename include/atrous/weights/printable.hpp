// SPDX-License-Identifier: MIT
#pragma once
// Text from a file (tensor names, paths, messages of a decoder) made fit for an error message.
// A hostile name must not break the one line of an error, move the cursor or hide what follows.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atrous {

/// The length in bytes of the UTF-8 character that `text` starts with, or 0 where the bytes are not UTF-8
/// or the character is a control (C1, line separators, direction marks, zero-width).
constexpr std::size_t visible_utf8(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint32_t>(text[i]) & 0xffu; };
  const std::uint32_t lead = text.empty() ? 0 : byte(0);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < length) return 0;
  std::uint32_t point = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return 0;
    point = point << 6 | (byte(i) & 0x3fu);
  }
  const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const auto within = [point](std::uint32_t first, std::uint32_t last) {
    return point >= first && point <= last;
  };
  const bool wrong = point < least || point > 0x10ffff || within(0xd800, 0xdfff);
  const bool hidden = within(0x80, 0x9f) || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
                      within(0x2060, 0x206f) || point == 0xfeff;
  return wrong || hidden ? 0 : length;
}

/// `text` on one line: what is not a visible character becomes `\xNN`, a backslash becomes two, and more than
/// `longest` bytes end in "...".
inline std::string printable(std::string_view text, std::size_t longest = 200) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= longest) return out + "...";
    const auto byte = static_cast<unsigned char>(text.front());
    std::size_t length = byte >= 0x20 && byte < 0x7f ? 1 : visible_utf8(text);
    if (length > 0) {
      if (byte == '\\') out += '\\';
      out += text.substr(0, length);
    } else {
      length = 1;
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
    text.remove_prefix(length);
  }
  return out;
}

/// The path of a file, as error messages show it.
inline std::string printable_path(std::string_view path) {
  return path.empty() ? "\"\"" : printable(path, 4096);
}

}  // namespace atrous
