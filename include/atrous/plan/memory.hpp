// SPDX-License-Identifier: MIT
#pragma once
// Live ranges -> offsets in one arena. A value lives from the step that first writes it to the last that
// reads it; slices of a concatenation live and lie where the concatenation does.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <atrous/plan/plan.hpp>

namespace atrous {

/// Elements that arena offsets are a multiple of: one cache line of floats.
inline constexpr std::int64_t arena_alignment = 16;

/// The largest values get their places first, each the lowest one that nothing alive at the same time reaches into: the
/// arenas of all published networks are as small as what lives at one time (greedy by size: Pisarchyk and Lee, Efficient
/// Memory Management for Deep Neural Net Inference, 2020, arXiv:2001.03288).
class allocator_of_values {
 public:
  constexpr allocator_of_values(plan& p, bool reuse) : p_(p), life_(p.values.size(), life{}) {
    find_lives();
    if (reuse) return;
    for (std::size_t v = 0; v < life_.size(); ++v) {
      if (p.values[v].parent < 0) life_[v] = {0, static_cast<int>(p.steps.size())};
    }
  }

  constexpr void run() {
    blocks_.reserve(life_.size());
    for (std::size_t v = 0; v < life_.size(); ++v) {
      if (life_[v].first >= 0) blocks_.push_back({size_of(p_.values[v]), v, life_[v]});
    }
    std::sort(blocks_.begin(), blocks_.end(),
              [](const block& a, const block& b) { return a.size != b.size ? a.size > b.size : a.v < b.v; });
    for (block& each : blocks_) place(each);
    for (value& v : p_.values) follow(v);
  }

 private:
  struct life {
    int first = -1, last = -1;
  };
  struct block {
    std::int64_t size = 0;
    std::size_t v = 0;
    life when{};
    std::int64_t begin = 0;
    block* next = nullptr;  // the next one of those that have a place, in the order of their addresses
  };

  constexpr std::int64_t size_of(const value& v) const {
    const std::int64_t rows = v.rows > 0 ? v.rows : std::int64_t{v.extent.height} * p_.batch;
    const std::int64_t wanted = rows * v.extent.width * pitch_of(v.extent.channels);
    return (wanted + arena_alignment - 1) / arena_alignment * arena_alignment;
  }

  constexpr void touch(int v, int now) {
    if (v < 0) return;
    life& l = life_[static_cast<std::size_t>(root_of(p_, v))];
    if (l.first < 0) l.first = now;
    l.last = std::max(l.last, now);
  }

  constexpr void find_lives() {
    const int steps = static_cast<int>(p_.steps.size());
    for (int i = 0; i < steps; ++i) {
      const step& s = p_.steps[static_cast<std::size_t>(i)];
      for (int v : inputs_of(s)) touch(v, i);
      touch(s.y, i);
    }
    touch(p_.logits, steps);
    for (const band_group& g : p_.groups) {  // whose steps take turns
      for (life& l : life_) {
        if (l.first > g.last || l.last < g.first) continue;
        l.first = std::min(l.first, g.first);
        l.last = std::max(l.last, g.last);
      }
    }
  }

  // First fit among the blocks that have their places. Plain pointers, because this is the compiler's work, too.
  constexpr void place(block& b) {
    const life when = b.when;
    std::int64_t begin = 0;
    for (const block* other = lowest_; other != nullptr; other = other->next) {
      if (other->when.last < when.first || when.last < other->when.first) continue;
      if (other->begin - begin >= b.size) break;
      if (other->begin + other->size > begin) begin = other->begin + other->size;
    }
    block** link = &lowest_;
    while (*link != nullptr && (*link)->begin <= begin) link = &(*link)->next;
    b.next = *link;
    *link = &b;
    b.begin = begin;
    p_.values[b.v].offset = begin;
    p_.arena = std::max(p_.arena, begin + b.size);
  }

  // A slice takes its place from the concatenation it belongs to, however deep.
  constexpr void follow(value& v) const {
    std::int64_t channel = 0;
    const value* whole = &v;
    while (whole->parent >= 0) {
      channel += whole->channel;
      whole = &p_.values[static_cast<std::size_t>(whole->parent)];
    }
    v.offset = whole->offset + channel;
    v.pixel = pitch_of(whole->extent.channels);
  }

  plan& p_;
  std::vector<life> life_;
  std::vector<block> blocks_{};
  block* lowest_ = nullptr;
};

constexpr void place_values(plan& p, bool reuse) { allocator_of_values(p, reuse).run(); }

}  // namespace atrous
