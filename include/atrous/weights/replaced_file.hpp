// SPDX-License-Identifier: MIT
#pragma once
// Writing a file so that its name only ever shows the old contents or all of the new: bytes go to a temporary
// file in the same folder, which takes the name at the end. A device or a pipe is written directly.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <atrous/weights/mapped_file.hpp>

namespace atrous {

/// A file being written; it appears under its name at commit(), and not at all without.
/// Every member throws std::runtime_error, naming file and reason, where the system refuses.
class replaced_file {
 public:
  explicit replaced_file(std::filesystem::path path) : target(std::move(path)) {
    std::error_code none;
    if (const auto resolved = std::filesystem::canonical(target, none); !none) target = resolved;
    struct stat status {};
    const bool exists = ::stat(target.c_str(), &status) == 0;
    // A rename would replace a file that its owner has made read-only.
    if (exists && ::access(target.c_str(), W_OK) != 0) throw system_error_about(target, "cannot be written");
    if (exists && !S_ISREG(status.st_mode)) {
      descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    } else {
      open_temporary();
      if (descriptor >= 0 && exists) ::fchmod(descriptor, status.st_mode & 07777);
    }
    if (descriptor < 0) throw system_error_about(target, "cannot be written");
  }

  replaced_file(const replaced_file&) = delete;
  replaced_file& operator=(const replaced_file&) = delete;
  ~replaced_file() {
    if (descriptor >= 0) ::close(descriptor);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  /// Appends bytes.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(descriptor, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) throw system_error_about(target, "cannot be written");
      if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Waits until the bytes are on the disk, so that the file survives a loss of power after commit().
  void flush() {
    // EINVAL and EROFS: what is written is no file on a disk, there is nothing to wait for.
    if (::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS) {
      throw system_error_about(target, "cannot be flushed");
    }
  }

  /// Gives the file its name. Nothing may be written afterwards.
  void commit() {
    if (::close(std::exchange(descriptor, -1)) != 0) throw system_error_about(target, "cannot be closed");
    if (temporary.empty()) return;
    if (std::rename(temporary.c_str(), target.c_str()) != 0) {
      throw system_error_about(target, "cannot be replaced");
    }
    temporary.clear();
  }

 private:
  void open_temporary() {
    const auto folder = target.parent_path();
    const std::string stem = ".atrous-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0; attempt < 1000; ++attempt) {
      auto name = folder / (stem + std::to_string(attempt) + ".part");
      descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor >= 0) temporary = std::move(name);
      if (descriptor >= 0 || errno != EEXIST) return;
    }
  }

  std::filesystem::path target;
  std::filesystem::path temporary;
  int descriptor = -1;
};

}  // namespace atrous
