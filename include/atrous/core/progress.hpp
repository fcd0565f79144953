// SPDX-License-Identifier: MIT
#pragma once
// How long work tells how far it is, and how it is ended before its end.
#include <functional>
#include <stdexcept>

namespace atrous {

/// Told that `done` of `total` parts are done, from 0 on; it says whether to go on. It may look at a flag that another
/// thread sets.
using progress = std::function<bool(int done, int total)>;

/// Thrown out of work whose `progress` said no. What was written until then is of no use; model and workspace are.
struct cancelled : std::runtime_error {
  cancelled() : std::runtime_error("cancelled") {}
};

/// Reports to whoever listens. Throws cancelled where they say no.
inline void report(const progress& listener, int done, int total) {
  if (listener && !listener(done, total)) throw cancelled();
}

}  // namespace atrous
