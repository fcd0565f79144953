// SPDX-License-Identifier: MIT
#include "processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace programs {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double allowed_by_affinity() {
  for (int most = 1024; most <= 1 << 20; most *= 2) {
    const std::size_t bytes = CPU_ALLOC_SIZE(most);
    std::vector<cpu_set_t> set((bytes + sizeof(cpu_set_t) - 1) / sizeof(cpu_set_t));
    if (sched_getaffinity(0, bytes, set.data()) == 0) return CPU_COUNT_S(bytes, set.data());
  }
  return std::thread::hardware_concurrency();
}

/// Processors that one control group grants: version 2 in one file, version 1 in two.
double quota_of(const std::filesystem::path& group) {
  double quota = 0, period = 0;
  if (std::ifstream(group / "cpu.max") >> quota >> period && period > 0) return quota / period;
  const bool read = std::ifstream(group / "cpu.cfs_quota_us") >> quota &&
                    std::ifstream(group / "cpu.cfs_period_us") >> period;
  return read && quota > 0 && period > 0 ? quota / period : unlimited;
}

/// The least quota of the groups that this process is in, and of those around them.
double allowed_by_quota() {
  double least = unlimited;
  std::ifstream groups("/proc/self/cgroup");  // lines "NUMBER:CONTROLLERS:PATH"; version 2 has no controllers
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers != ",," && controllers.find(",cpu,") == std::string::npos) continue;
    const std::filesystem::path root = controllers == ",," ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    std::filesystem::path path = std::filesystem::path(line.substr(second + 1)).relative_path();
    for (;; path = path.parent_path()) {
      least = std::min(least, quota_of(root / path));
      if (path.empty()) break;
    }
  }
  return least;
}

}  // namespace

int processors() {
  const double allowed = std::min(allowed_by_affinity(), std::floor(allowed_by_quota()));
  return static_cast<int>(std::clamp(allowed, 1.0, 1024.0));
}

}  // namespace programs
