// SPDX-License-Identifier: MIT
#pragma once
// Who makes the values of a plan, and who reads them.
#include <cstddef>
#include <vector>

#include <atrous/plan/plan.hpp>

namespace atrous {

/// Per value: how many steps read it (the logits are read once more, by the caller), the last of them, and the last that
/// writes it; -1 where there is none.
struct value_uses {
  std::vector<int> reads, reader, maker;

  constexpr explicit value_uses(const plan& p)
      : reads(p.values.size(), 0), reader(p.values.size(), -1), maker(p.values.size(), -1) {
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
      const step& s = p.steps[i];
      for (int v : inputs_of(s)) {
        if (v < 0) continue;
        ++reads[static_cast<std::size_t>(v)];
        reader[static_cast<std::size_t>(v)] = static_cast<int>(i);
      }
      if (s.y >= 0) maker[static_cast<std::size_t>(s.y)] = static_cast<int>(i);
    }
    ++reads[static_cast<std::size_t>(p.logits)];
  }
};

}  // namespace atrous
