// SPDX-License-Identifier: MIT
#pragma once
// A policy whose memory is not the host's, without a device: its pages are closed, to reading too, except while
// one of its kernels runs or bytes go up or down. Whoever else touches them crashes. The kernels are the
// reference's.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <set>
#include <utility>

#include <atrous/backend/reference.hpp>

/// What went from the host to the device and back.
struct traffic {
  int uploads = 0, downloads = 0, launches = 0;
  std::size_t bytes_up = 0, bytes_down = 0;
};

/// Closed pages, as many as the bytes need.
class closed_pages {
 public:
  closed_pages() = default;
  explicit closed_pages(std::size_t bytes) : bytes_(rounded(bytes)) {
    void* p = ::mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    first_ = static_cast<std::byte*>(p);
    all().insert(this);
  }
  closed_pages(closed_pages&& other) noexcept { *this = std::move(other); }
  closed_pages& operator=(closed_pages&& other) noexcept {
    forget();
    first_ = std::exchange(other.first_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    all().erase(&other);
    if (first_ != nullptr) all().insert(this);
    return *this;
  }
  ~closed_pages() { forget(); }

  std::byte* first() const { return first_; }
  void open() const { ::mprotect(first_, bytes_, PROT_READ | PROT_WRITE); }
  void close() const { ::mprotect(first_, bytes_, PROT_NONE); }

  /// Everything that there is at the moment.
  static std::set<const closed_pages*>& all() {
    static std::set<const closed_pages*> pages;
    return pages;
  }

 private:
  static std::size_t rounded(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page) / page * page;
  }
  void forget() {
    if (first_ == nullptr) return;
    all().erase(this);
    ::munmap(first_, bytes_);
  }

  std::byte* first_ = nullptr;
  std::size_t bytes_ = 0;
};

struct device : atrous::reference {
  static constexpr const char* name = "device";
  static constexpr bool host_memory = false;
  using buffer = closed_pages;
  using operands = atrous::operands<float>;

  static inline traffic seen{};

  static buffer allocate(std::size_t bytes) { return closed_pages(bytes); }
  static std::byte* address(const buffer& b) { return b.first(); }
  static void upload(buffer& to, std::size_t offset, const void* from, std::size_t bytes) {
    ++seen.uploads;
    seen.bytes_up += bytes;
    to.open();
    std::memcpy(to.first() + offset, from, bytes);
    to.close();
  }
  static void download(const buffer& from, std::size_t offset, void* to, std::size_t bytes) {
    ++seen.downloads;
    seen.bytes_down += bytes;
    from.open();
    std::memcpy(to, from.first() + offset, bytes);
    from.close();
  }

  template <atrous::structure S>
  static void input(const operands& o) {
    launch([&] { reference::input<S>(o); });
  }
  template <atrous::structure S>
  static void convolution(const operands& o) {
    launch([&] { reference::convolution<S>(o); });
  }
  template <atrous::structure S>
  static void depthwise(const operands& o) {
    launch([&] { reference::depthwise<S>(o); });
  }
  template <atrous::structure S>
  static void separable(const operands& o) {
    launch([&] { reference::separable<S>(o); });
  }
  template <atrous::structure S>
  static void batch_norm(const operands& o) {
    launch([&] { reference::batch_norm<S>(o); });
  }
  template <atrous::structure S>
  static void activate(const operands& o) {
    launch([&] { reference::activate<S>(o); });
  }
  template <atrous::structure S>
  static void max_pool(const operands& o) {
    launch([&] { reference::max_pool<S>(o); });
  }
  template <atrous::structure S>
  static void average_pool(const operands& o) {
    launch([&] { reference::average_pool<S>(o); });
  }
  template <atrous::structure S>
  static void resize(const operands& o) {
    launch([&] { reference::resize<S>(o); });
  }
  template <atrous::structure S>
  static void add(const operands& o) {
    launch([&] { reference::add<S>(o); });
  }
  template <atrous::structure S>
  static void scale(const operands& o) {
    launch([&] { reference::scale<S>(o); });
  }
  template <atrous::structure S>
  static void copy(const operands& o) {
    launch([&] { reference::copy<S>(o); });
  }
  template <atrous::structure S>
  static void probabilities(const operands& o) {
    launch([&] { reference::probabilities<S>(o); });
  }
  template <atrous::structure S>
  static void labels(const operands& o) {
    launch([&] { reference::labels<S>(o); });
  }

 private:
  template <class Kernel>
  static void launch(const Kernel& kernel) {
    ++seen.launches;
    for (const closed_pages* pages : closed_pages::all()) pages->open();
    kernel();
    for (const closed_pages* pages : closed_pages::all()) pages->close();
  }
};
static_assert(atrous::backend<device>);
