// SPDX-License-Identifier: MIT
#pragma once
// Everything a run changes: the arena, scratch memory, and the plans made so far. A model is
// const while it runs; threads share one, each with a workspace of its own.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <atrous/backend/policy.hpp>
#include <atrous/core/progress.hpp>
#include <atrous/plan/planner.hpp>

namespace atrous {

template <backend P>
class engine;
template <backend P>
class transfer;

/// Memory for runs of one model at a time. Runs of a size that is prepared, or has run, on as many threads allocate nothing;
/// the plans of up to `sizes_kept` sizes are kept, those for other threads counted.
template <backend P>
class workspace {
 public:
  static constexpr std::size_t sizes_kept = 64;

  int threads = 1;  // that kernels may use, and plans are made for
  /// As many as the plan has steps: runs add the seconds that each took. Empty: not measured.
  std::span<double> step_seconds;
  /// As many as the plan has steps: runs raise them to the largest magnitude that each wrote into its feature map, infinity
  /// for what is no number. Empty, or memory that is not the host's: not looked at.
  std::span<float> step_largest;
  /// Called before a run's first step and after each (of steps that run together, when all are done); false ends the run
  /// with `cancelled`.
  progress on_step;

  explicit workspace(int count = 1) : threads(count) {}

  /// Bytes of the arena that holds the feature maps.
  std::size_t arena_bytes() const { return arena_.bytes; }

 private:
  friend class engine<P>;
  friend class transfer<P>;

  struct memory {
    typename P::buffer bytes_of{};
    std::size_t bytes = 0;

    memory() = default;
    memory(memory&& other) noexcept
        : bytes_of(std::move(other.bytes_of)), bytes(std::exchange(other.bytes, 0)) {}
    memory& operator=(memory&& other) noexcept {
      bytes_of = std::move(other.bytes_of);
      bytes = std::exchange(other.bytes, 0);
      return *this;
    }

    void grow(std::size_t wanted) {
      if (wanted <= bytes) return;
      bytes_of = {};
      bytes = 0;
      bytes_of = P::allocate(wanted);
      bytes = wanted;
    }
  };

  using plan_key = std::tuple<int, int, int, int>;  // batch, height, width, threads
  std::map<plan_key, plan> plans_;
  plan_key last_{};                    // of the run whose values the arena holds
  std::shared_ptr<const char> owner_;  // the model that the plans belong to
  memory arena_, scratch_, image_, labels_, probabilities_;
  std::vector<std::byte> staging_;  // host side of uploads and downloads
};

}  // namespace atrous
