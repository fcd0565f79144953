// SPDX-License-Identifier: MIT
#pragma once
// A file as read-only bytes, mapped rather than read: weights are used where they lie, pages come from the
// cache that all processes share. POSIX only. A file must not be shortened while it is mapped (replace it by
// a rename, as replaced_file does).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <atrous/weights/printable.hpp>

namespace atrous {

/// "FILE: WHAT: the system's reason", from errno.
inline std::runtime_error system_error_about(const std::filesystem::path& path, const std::string& what,
                                             int code = errno) {
  return std::runtime_error(printable_path(path.string()) + ": " + what + ": " +
                            std::generic_category().message(code));
}

/// The bytes of a file, mapped read-only for as long as the object lives. Moves, does not copy.
class mapped_file {
 public:
  /// Throws std::runtime_error, naming file and reason, where it is missing, unreadable, empty or no file.
  explicit mapped_file(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a pipe must fail below rather than wait for a writer.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) throw system_error_about(path, "cannot be opened");
    try {
      map(path, descriptor);
    } catch (...) {
      ::close(descriptor);
      throw;
    }
    ::close(descriptor);
  }

  mapped_file(mapped_file&& other) noexcept : contents(std::exchange(other.contents, {})) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(contents, other.contents);
    return *this;
  }
  ~mapped_file() {
    if (!contents.empty()) ::munmap(const_cast<std::byte*>(contents.data()), contents.size());
  }

  /// The whole file.
  std::span<const std::byte> bytes() const { return contents; }

  /// Says that a part is not needed for now: its pages leave this process, and come back from the system's cache, or the
  /// file, when they are read again. Bytes that are none of this file's are left alone. Any thread may call this.
  void release(std::span<const std::byte> part) const {
    constexpr std::uintptr_t window = 1 << 16;  // Linux maps as much around a byte that is read
    const auto place = [](const std::byte* p) { return reinterpret_cast<std::uintptr_t>(p); };
    const std::uintptr_t begin = place(contents.data()), end = begin + contents.size(),
                         first = place(part.data()), last = first + part.size();
    if (part.empty() || first < begin || last > end) return;
    const std::uintptr_t from = std::max(begin, first / window * window),
                         to = std::min(end, (last + window - 1) / window * window);
    ::madvise(const_cast<std::byte*>(contents.data()) + (from - begin), to - from, MADV_DONTNEED);
  }

 private:
  void map(const std::filesystem::path& path, int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) throw system_error_about(path, "cannot be examined");
    if (!S_ISREG(status.st_mode)) {
      throw std::runtime_error(printable_path(path.string()) + ": expected a regular file, found " +
                               (S_ISDIR(status.st_mode) ? "a folder" : "something else"));
    }
    if (status.st_size == 0)
      throw std::runtime_error(printable_path(path.string()) +
                               ": expected a file with contents, found an empty one");
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (start == MAP_FAILED) throw system_error_about(path, "cannot be mapped into memory");
    contents = {static_cast<const std::byte*>(start), size};
  }

  std::span<const std::byte> contents;
};

}  // namespace atrous
