// SPDX-License-Identifier: MIT
#pragma once
// The memory half of a policy that runs on the host. POSIX only.
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace atrous {

/// Bytes that a kernel's vectors may be loaded beyond the end of a feature map.
inline constexpr std::size_t host_slack_bytes = 256;

/// To inherit from: buffers of zeroed, aligned host memory, and copies between them and the user's.
struct host_memory_policy {
  static constexpr bool host_memory = true;
  static constexpr std::align_val_t alignment{64};
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  struct release {
    void* mapping = nullptr;  // nullptr: the bytes are operator new's
    std::size_t mapped = 0;

    void operator()(std::byte* bytes) const {
      if (mapping != nullptr) {
        ::munmap(mapping, mapped);
      } else {
        ::operator delete[](bytes, alignment);
      }
    }
  };
  using buffer = std::unique_ptr<std::byte[], release>;

  static buffer allocate(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(-1) - host_slack_bytes) throw std::bad_alloc();
    if (bytes >= huge_page) return map(bytes + host_slack_bytes);
    buffer b(static_cast<std::byte*>(::operator new[](bytes + host_slack_bytes, alignment)));
    std::memset(b.get(), 0, bytes + host_slack_bytes);
    return b;
  }
  static std::byte* address(const buffer& b) { return b.get(); }
  static void upload(buffer& to, std::size_t offset, const void* from, std::size_t bytes) {
    std::memcpy(to.get() + offset, from, bytes);
  }
  static void download(const buffer& from, std::size_t offset, void* to, std::size_t bytes) {
    std::memcpy(to, from.get() + offset, bytes);
  }

 private:
  /// Pages that are zero and taken as they are touched, huge ones where the system has them: few faults when memory is
  /// new, few misses when addresses are translated.
  static buffer map(std::size_t bytes) {
    const std::size_t mapped =
        bytes + huge_page;  // of which what lies before an aligned address is never touched
    if (mapped < bytes) throw std::bad_alloc();
    void* const mapping = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    void* start = mapping;
    std::size_t space = mapped;
    std::align(huge_page, bytes, start, space);
#if defined(MADV_HUGEPAGE)
    ::madvise(start, bytes, MADV_HUGEPAGE);
#endif
    return buffer(static_cast<std::byte*>(start), release{mapping, mapped});
  }
};

}  // namespace atrous
