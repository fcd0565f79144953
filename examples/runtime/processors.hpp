// SPDX-License-Identifier: MIT
#pragma once

namespace programs {

/// The processors this process may use: what its affinity allows, less where the quota of its control group
/// (containers) is lower; at least 1.
int processors();

}  // namespace programs
