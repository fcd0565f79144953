// SPDX-License-Identifier: MIT
#pragma once
// Which checkpoint a path means. A checkpoint is several files of one prefix; users name the prefix, one of the files, or
// the folder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <atrous/weights/mapped_file.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/tensorflow/sorted_table.hpp>

namespace atrous::tensorflow {

/// "PREFIX.data-00000-of-00002".
inline std::string shard_name(const std::string& prefix, std::int32_t shard, std::int32_t shards) {
  const auto digits = [](std::int32_t number) {
    std::string text = std::to_string(number);
    return text.insert(0, text.size() < 5 ? 5 - text.size() : 0, '0');
  };
  return prefix + ".data-" + digits(shard) + "-of-" + digits(shards);
}

/// The prefix of the name of an index or a shard; any other name as it is.
inline std::string_view without_suffix(std::string_view name) {
  if (name.ends_with(".index")) return name.substr(0, name.size() - 6);
  const std::size_t data = name.rfind(".data-"), of = name.rfind("-of-");
  if (data == std::string_view::npos || of == std::string_view::npos || of < data + 6) return name;
  const auto number = [](std::string_view text) {
    return text.size() >= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const bool shard = number(name.substr(data + 6, of - data - 6)) && number(name.substr(of + 4));
  return shard ? name.substr(0, data) : name;
}

/// The text in quotes at the front, with C's escapes taken back; nothing where there is none.
inline std::optional<std::string> quoted(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == text.front()) return out;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) break;
    const std::size_t octal =
        std::min<std::size_t>(3, std::min(text.find_first_not_of("01234567", i), text.size()) - i);  // digits
    int code = 0;
    for (std::size_t k = 0; k < octal; ++k) code = code * 8 + (text[i + k] - '0');
    out += octal > 0 ? static_cast<char>(code) : text[i];
    i += std::max<std::size_t>(octal, 1) - 1;
  }
  return std::nullopt;
}

/// What the file `checkpoint` of a folder names: the value of model_checkpoint_path.
inline std::optional<std::string> latest_checkpoint(std::string_view text) {
  constexpr std::string_view field = "model_checkpoint_path", space = " \t\r\n";
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t begin = std::min(line.find_first_not_of(space), line.size());
    std::string_view rest = line.substr(begin);
    if (!rest.starts_with(field)) continue;
    rest.remove_prefix(field.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(space), rest.size()));
    if (!rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(space), rest.size()));
    return quoted(rest);
  }
  return std::nullopt;
}

inline bool has_index(std::filesystem::path prefix) {
  std::error_code ignored;
  return std::filesystem::exists(prefix += ".index", ignored);
}

inline bool is_table_file(const std::filesystem::path& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(path, failed) && std::filesystem::file_size(path, failed) > 0 &&
         is_sorted_table(mapped_file(path).bytes());
}

/// The checkpoint of a folder: the one that its file `checkpoint` names, else the only one.
inline std::filesystem::path prefix_in(const std::filesystem::path& folder) {
  const auto state = folder / "checkpoint";
  const auto fail = [](const std::filesystem::path& where, const std::string& what) {
    throw std::runtime_error(printable_path(where.string()) + ": " + what);
  };
  std::error_code failed;
  if (std::filesystem::exists(state, failed)) {
    const mapped_file file(state);
    const auto named =
        latest_checkpoint({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
    if (!named) fail(state, "expected model_checkpoint_path: \"NAME\", found none");
    const std::filesystem::path prefix = folder / *named;  // the name alone where it is absolute
    return has_index(prefix) ? prefix : folder / prefix.filename();
  }
  std::vector<std::filesystem::path> found;
  std::filesystem::directory_iterator file(folder, failed);
  if (failed) throw system_error_about(folder, "cannot be listed", failed.value());
  for (; file != std::filesystem::directory_iterator(); file.increment(failed)) {
    if (file->path().extension() == ".index") found.push_back(file->path());
  }
  if (found.size() != 1) {
    fail(folder, "expected a file named checkpoint or one of the form PREFIX.index, found " +
                     (found.empty() ? "neither" : std::to_string(found.size()) + " of the latter"));
  }
  return found.front().replace_extension();
}

/// The prefix that a path means; the path itself where it is nothing of a checkpoint's.
inline std::filesystem::path checkpoint_prefix(const std::filesystem::path& path) {
  if (has_index(path)) return path;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return prefix_in(path);
  const std::string name = path.string();
  return std::string(without_suffix(name));
}

}  // namespace atrous::tensorflow

namespace atrous {

/// Whether read_checkpoint is the reader for a path: a prefix, one of a checkpoint's files, or a folder. A file of the old
/// format counts, so that the message about it is the one that helps.
inline bool is_checkpoint(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || tensorflow::has_index(path)) return true;
  const std::string name = path.string();
  if (tensorflow::without_suffix(name) != name) return true;
  return tensorflow::is_table_file(path);
}

}  // namespace atrous
