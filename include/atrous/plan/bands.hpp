// SPDX-License-Identifier: MIT
#pragma once
// Depth first instead of breadth first: consecutive steps on large feature maps run together, a band of rows at a time, and
// of the maps between them only the rows that are still needed stay in memory, in the cache. The same kernels do the
// same sums, on parts of maps. Which steps: as many as fit a budget of memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <atrous/plan/band_rows.hpp>

namespace atrous {

/// Goes through a group band by band. What it says is the same whenever it is asked: the planner counts the rows to keep,
/// the model runs the kernels.
class band_walk {
 public:
  band_walk(const plan& p, const band_group& g) : p_(p), g_(g), made_(count()), wanted_(count()) {}

  /// Calls visit(step, rows of its map to make, *this), each row of each step once, a row after all that it needs. Not made
  /// are rows of maps that stay inside of the group and that nothing in it reads.
  template <class Visit>
  void each(const Visit& visit) {
    const int rows = height(g_.last);
    std::fill(made_.begin(), made_.end(), 0);
    for (int end = 0; end < rows;) {
      end = rows - end < g_.rows + (g_.rows + 1) / 2 ? rows : end + g_.rows;  // no narrow band at the end
      want(end, end == rows);
      for (int i = g_.first; i <= g_.last; ++i) {
        const row_range make{made(i), wanted_[index(i)]};
        if (make.count() <= 0) continue;
        visit(i, make, *this);
        made_[index(i)] = make.last;
      }
    }
  }

  /// The first row of a map that a step of the group has still to read.
  int first_needed(int root) const {
    int first = p_.values[static_cast<std::size_t>(root)].extent.height;
    for (int i = g_.first; i <= g_.last; ++i) {
      if (made(i) >= height(i)) continue;
      const step& s = step_at(i);
      if (root_of(p_, s.y) == root) first = std::min(first, made(i));  // another part of a concatenation
      if (s.x >= 0 && root_of(p_, s.x) == root)
        first = std::min(first, rows_needed(s, extent(s.x), extent(s.y), {made(i), made(i) + 1}).first);
      if (s.other >= 0 && root_of(p_, s.other) == root) first = std::min(first, made(i));
    }
    return first;
  }

  /// Rows of a map that are there: of a concatenation, of all that has been written to it.
  int last_made(int root) const {
    int last = 0;
    for (int i = g_.first; i <= g_.last; ++i)
      if (root_of(p_, step_at(i).y) == root) last = std::max(last, made(i));
    return last;
  }

 private:
  std::size_t count() const { return static_cast<std::size_t>(g_.last - g_.first + 1); }
  std::size_t index(int i) const { return static_cast<std::size_t>(i - g_.first); }
  int made(int i) const { return made_[index(i)]; }
  const step& step_at(int i) const { return p_.steps[static_cast<std::size_t>(i)]; }
  shape extent(int v) const { return p_.values[static_cast<std::size_t>(v)].extent; }
  int height(int i) const { return extent(step_at(i).y).height; }

  // Rows that each step has to have made so that the last one gets to `end`.
  void want(int end, bool all) {
    for (int i = g_.last; i >= g_.first; --i) {
      const bool kept =
          i == g_.last || p_.values[static_cast<std::size_t>(root_of(p_, step_at(i).y))].rows == 0;
      int rows = i == g_.last ? end : all && kept ? height(i) : made(i);
      for (int k = i + 1; k <= g_.last; ++k) rows = std::max(rows, needed_by(k, i));
      const int together = rows_together(step_at(i));
      wanted_[index(i)] = std::min((rows + together - 1) / together * together, height(i));
    }
  }
  // Rows of step i's map that step k needs for what is wanted of it.
  int needed_by(int k, int i) const {
    const step& s = step_at(k);
    const row_range make{made(k), wanted_[index(k)]};
    if (make.count() <= 0) return 0;
    int rows = 0;
    if (s.x >= 0 && overlap(s.x, step_at(i).y)) rows = rows_needed(s, extent(s.x), extent(s.y), make).last;
    if (s.other >= 0 && overlap(s.other, step_at(i).y)) rows = std::max(rows, make.last);
    return rows;
  }
  // Whether one value is the other, or a part of it.
  bool overlap(int a, int b) const { return root_of(p_, a) == root_of(p_, b); }

  const plan& p_;
  const band_group& g_;
  std::vector<int> made_, wanted_;  // rows of each step's map
};

/// Finds the groups of a plan. Steps join while what lies between them is too big for the budget, and as long as the rows
/// that the group keeps, together with its weights, are within it.
class band_finder {
 public:
  band_finder(plan& p, std::int64_t budget, int least_pixels)
      : p_(p), budget_(budget), least_pixels_(least_pixels), uses_(p.values.size(), {-1, -1}) {
    const auto used = [&](int v, int i) {
      if (v >= 0) use(root_of(p, v), i);
    };
    for (int i = 0; i < static_cast<int>(p.steps.size()); ++i) {
      for (int v : inputs_of(step_at(i))) used(v, i);
      used(step_at(i).y, i);
    }
    use(root_of(p, p.logits), static_cast<int>(p.steps.size()));
  }

  void run() {
    const int steps = static_cast<int>(p_.steps.size());
    for (int i = 0; i < steps;) {
      band_group best{};
      for (band_group g{i, i, 0}; works_by_rows(step_at(g.last));) {
        if (g.last > g.first && fits(g)) best = g;
        if (g.last + 1 >= steps || !big_between(g) || over_budget(g)) break;
        ++g.last;
      }
      if (best.rows > 0) {
        keep_rows(best);
        write_tasks(best);
      }
      i = std::max(i, best.last) + 1;
    }
  }

 private:
  const step& step_at(int i) const { return p_.steps[static_cast<std::size_t>(i)]; }
  shape extent(int v) const { return p_.values[static_cast<std::size_t>(v)].extent; }
  value& root(int v) { return p_.values[static_cast<std::size_t>(v)]; }
  void use(int v, int i) {
    row_range& r = uses_[static_cast<std::size_t>(v)];
    if (r.first < 0) r.first = i;
    r.last = std::max(r.last, i);
  }

  // Whether a map that the group makes, too big to stay in the cache, is read behind it.
  bool big_between(const band_group& g) const {
    for (std::size_t v = 0; v < uses_.size(); ++v) {
      const row_range& r = uses_[v];
      if (r.first >= g.first && r.first <= g.last && r.last > g.last &&
          2 * elements(p_.values[v].extent) > budget_)
        return true;
    }
    return false;
  }

  std::int64_t weights(const band_group& g) const {
    std::int64_t all = 0;
    for (int i = g.first; i <= g.last; ++i) {
      const step& s = step_at(i);
      if (s.form.kind != step_kind::convolution && s.form.kind != step_kind::separable) continue;
      const std::int64_t inputs = p_.values[static_cast<std::size_t>(s.x)].extent.channels;
      all += inputs * s.what.kernel * s.what.kernel * s.what.out;
    }
    return all;
  }
  bool over_budget(const band_group& g) const { return weights(g) > budget_; }

  // The largest bands within the budget, into g.rows. Narrow bands would not keep the kernels busy; and no group is one
  // that keeps whole maps.
  bool fits(band_group& g) {
    const shape out = extent(step_at(g.last).y);
    int found = 0;
    for (int rows = 1; rows < out.height; rows *= 2) {
      g.rows = rows;
      if (g.rows * out.width < least_pixels_) continue;
      const demand needed = demand_of(g);
      if (needed.elements + weights(g) > budget_) break;
      if (needed.shorter) found = g.rows;
    }
    g.rows = found;
    return found > 0;
  }

  struct demand {
    std::int64_t elements = 0;  // of the rows that the group keeps
    bool shorter = false;       // whether they are fewer than those of whole maps
  };
  demand demand_of(const band_group& g) {
    demand all;
    keep_rows(g);
    for (std::size_t v = 0; v < uses_.size(); ++v) {
      value& map = p_.values[v];
      if (!inside(v, g)) continue;
      all.elements += std::int64_t{map.rows} * map.extent.width * pitch_of(map.extent.channels);
      all.shorter = all.shorter || map.rows < map.extent.height;
      map.rows = 0;
    }
    return all;
  }

  bool inside(std::size_t v, const band_group& g) const {
    return uses_[v].first >= g.first && uses_[v].last <= g.last;
  }
  // Counts what has to be there at a time, and adds a band, so that rows move up every other band only.
  void keep_rows(const band_group& g) {
    for (std::size_t v = 0; v < uses_.size(); ++v)
      if (inside(v, g)) p_.values[v].rows = 1;
    band_walk(p_, g).each([&](int i, row_range make, const band_walk& walk) {
      const int v = root_of(p_, step_at(i).y);
      if (!inside(static_cast<std::size_t>(v), g)) return;
      const int first = std::min(walk.first_needed(v), make.first);
      const int there = std::max(walk.last_made(v), make.last) - first;
      root(v).rows = std::clamp(there + make.count(), root(v).rows, root(v).extent.height);
    });
  }

  void write_tasks(band_group g) {
    g.first_task = static_cast<int>(p_.tasks.size());
    std::vector<int> base(p_.values.size(), 0);  // of each map: the first row that is in memory
    band_walk(p_, g).each([&](int i, row_range make, const band_walk& walk) {
      const step& s = step_at(i);
      const auto base_of = [&](int v) { return v < 0 ? 0 : base[static_cast<std::size_t>(root_of(p_, v))]; };
      const int v = root_of(p_, s.y);
      band_task task{.step = i, .y = make};
      if (root(v).rows > 0 && make.last - base_of(v) > root(v).rows) {
        task.kept = {std::min(walk.first_needed(v), make.first), walk.last_made(v)};
        task.moved_up = task.kept.first - base_of(v);
        base[static_cast<std::size_t>(v)] = task.kept.first;
      }
      if (s.x >= 0) task.x = rows_needed(s, extent(s.x), extent(s.y), make);
      task.y_base = base_of(s.y), task.x_base = base_of(s.x), task.other_base = base_of(s.other);
      p_.tasks.push_back(task);
    });
    g.tasks = static_cast<int>(p_.tasks.size()) - g.first_task;
    p_.groups.push_back(g);
  }

  plan& p_;
  std::int64_t budget_;
  int least_pixels_;
  std::vector<row_range> uses_;  // of whole maps: the first and the last step that writes or reads them
};

}  // namespace atrous
