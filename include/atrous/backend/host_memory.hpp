// SPDX-License-Identifier: MIT
#pragma once
// The memory half of a policy that runs on the host.
#include <cstddef>
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

  struct release {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, alignment); }
  };
  using buffer = std::unique_ptr<std::byte[], release>;

  static buffer allocate(std::size_t bytes) {
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
};

}  // namespace atrous
