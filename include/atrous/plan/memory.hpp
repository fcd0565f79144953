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

class allocator_of_values {
 public:
  constexpr allocator_of_values(plan& p, bool reuse) : p_(p), reuse_(reuse), life_(p.values.size(), life{}) {}

  constexpr void run() {
    find_lives();
    for (std::size_t i = 0; i < p_.steps.size(); ++i) {
      const int now = static_cast<int>(i);
      if (reuse_) std::erase_if(blocks_, [&](const block& b) { return b.last < now; });
      if (p_.steps[i].y < 0) continue;
      const std::size_t v = root(p_.steps[i].y);
      if (life_[v].first == now) place(v);
    }
    for (value& v : p_.values) follow(v);
  }

 private:
  struct life {
    int first = -1, last = -1;
  };
  struct block {
    std::int64_t begin = 0, end = 0;
    int last = 0;
  };

  constexpr std::size_t root(int v) const {
    while (p_.values[static_cast<std::size_t>(v)].parent >= 0)
      v = p_.values[static_cast<std::size_t>(v)].parent;
    return static_cast<std::size_t>(v);
  }

  constexpr void touch(int v, int now) {
    if (v < 0) return;
    life& l = life_[root(v)];
    if (l.first < 0) l.first = now;
    l.last = std::max(l.last, now);
  }

  constexpr void find_lives() {
    const int steps = static_cast<int>(p_.steps.size());
    for (int i = 0; i < steps; ++i) {
      const step& s = p_.steps[static_cast<std::size_t>(i)];
      touch(s.x, i);
      touch(s.other, i);
      touch(s.y, i);
    }
    touch(p_.logits, steps);
  }

  // First fit among the blocks that live now, which are kept in the order of their addresses.
  constexpr void place(std::size_t v) {
    const std::int64_t wanted = elements(p_.values[v].extent) * p_.batch;
    const std::int64_t size = (wanted + arena_alignment - 1) / arena_alignment * arena_alignment;
    std::int64_t begin = 0;
    auto after = blocks_.begin();
    for (; after != blocks_.end() && after->begin - begin < size; ++after) begin = after->end;
    blocks_.insert(after, block{begin, begin + size, life_[v].last});
    p_.values[v].offset = begin;
    p_.arena = std::max(p_.arena, begin + size);
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
    v.pixel = whole->extent.channels;
  }

  plan& p_;
  bool reuse_;
  std::vector<life> life_;
  std::vector<block> blocks_{};
};

constexpr void place_values(plan& p, bool reuse) { allocator_of_values(p, reuse).run(); }

}  // namespace atrous
