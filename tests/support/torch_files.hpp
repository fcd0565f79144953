// SPDX-License-Identifier: MIT
#pragma once
// PyTorch files made by hand: the opcodes of a pickle, a zip without compression, the legacy container.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torch_files {

using namespace std::string_literals;

/// The bytes of a number, little-endian.
template <class Number>
std::string packed(Number number) {
  std::string out(sizeof(number), '\0');
  std::memcpy(out.data(), &number, sizeof(number));
  return out;
}

inline std::string text(std::string_view value) {
  return "X" + packed(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

/// An integer of 64 bits.
inline std::string number(std::int64_t value) { return "\x8a\x08" + packed(value); }

inline std::string tuple(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += number(value);
  return out + "t";
}

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

/// What a call of posix.system would give.
inline std::string opaque() { return global("posix", "system") + "(" + text("touch executed") + "tR"; }

inline std::string storage(std::int64_t count, const std::string& key = "0",
                           const std::string& type = "FloatStorage") {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(count) + "tQ";
}

inline std::string tensor(const std::string& from, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides, std::int64_t offset = 0) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + from + number(offset) + tuple(shape) +
         tuple(strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}

/// A dictionary of values that are opcodes already.
inline std::string dictionary(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out = "}(";
  for (const auto& [key, value] : pairs) out += text(key) + value;
  return out + "u";
}

inline std::string pickle(const std::string& opcodes) { return "\x80\x02" + opcodes + "."; }

struct record {
  std::string name, contents;
};

/// A zip as PyTorch writes it: no compression, no sizes in the local headers. `wide` uses zip64 for everything.
inline std::string zip(const std::vector<record>& records, bool wide = false) {
  std::string out, entries;
  for (const auto& [name, contents] : records) {
    const std::uint64_t offset = out.size(), size = contents.size();
    const std::string extra = "FB"s + packed<std::uint16_t>(3) + "ZZZ";
    out += "PK\3\4"s + std::string(22, '\0') + packed(static_cast<std::uint16_t>(name.size())) +
           packed(static_cast<std::uint16_t>(extra.size())) + name + extra + contents;
    const std::string field = wide ? packed<std::uint16_t>(1) + packed<std::uint16_t>(24) + packed(size) +
                                         packed(size) + packed(offset)
                                   : "";
    const auto narrow = [wide](std::uint64_t value) {
      return packed(wide ? 0xffffffffU : static_cast<std::uint32_t>(value));
    };
    entries += "PK\1\2"s + std::string(16, '\0') + narrow(size) + narrow(size) +
               packed(static_cast<std::uint16_t>(name.size())) +
               packed(static_cast<std::uint16_t>(field.size())) + std::string(10, '\0') + narrow(offset) +
               name + field;
  }
  const std::uint64_t start = out.size(), count = records.size(), size = entries.size();
  out += entries;
  if (wide) {
    const std::uint64_t record = out.size();
    out += "PK\6\6"s + packed<std::uint64_t>(44) + std::string(12, '\0') + packed(count) + packed(count) +
           packed(size) + packed(start);
    out += "PK\6\7"s + std::string(4, '\0') + packed(record) + packed<std::uint32_t>(1);
  }
  const auto few = packed(wide ? std::uint16_t{0xffff} : static_cast<std::uint16_t>(count));
  return out + "PK\5\6"s + std::string(4, '\0') + few + few +
         packed(wide ? 0xffffffffU : static_cast<std::uint32_t>(size)) +
         packed(wide ? 0xffffffffU : static_cast<std::uint32_t>(start)) + std::string(2, '\0');
}

/// A zip of one pickle and the storage "0".
inline std::string file(const std::string& opcodes, const std::string& data = std::string(16, '\0')) {
  return zip({{"archive/data.pkl", pickle(opcodes)}, {"archive/data/0", data}, {"archive/version", "3\n"}});
}

/// The legacy container of one pickle; `storages` are a key and the bytes behind the count of elements.
struct legacy_storage {
  std::string key;
  std::int64_t count;
  std::string bytes;
};
inline std::string legacy(const std::string& opcodes, const std::vector<legacy_storage>& storages) {
  std::string keys = "](", data;
  for (const auto& [key, count, bytes] : storages) {
    keys += text(key);
    data += packed(count) + bytes;
  }
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s) + pickle(number(1001)) +
         pickle(dictionary({{"little_endian", "\x88"}})) + pickle(opcodes) + pickle(keys + "e") + data;
}

}  // namespace torch_files
