// Steps that run together, a band of rows at a time: every row is made once, after all that it needs, and what is read is
// still in memory.
#include <doctest/doctest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/graph/compose.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>

namespace {

using namespace atrous;

plan banded(std::string_view name, int height, int width, std::int64_t budget) {
  const deeplab_options o = network_named(name);
  const graph g = record([&](wire image) { return build(image, o); }, {height, width, 3});
  return make_plan(g, 1, {.band_elements = budget});
}

/// The memory of one map: which row lies where, channel by channel, as the parts of a concatenation come one by one.
struct map_memory {
  int channels = 0;
  std::vector<int> row_at;

  void resize(int rows, int width) {
    channels = width;
    row_at.assign(static_cast<std::size_t>(rows) * static_cast<std::size_t>(width), -1);
  }
  int& at(int place, int channel) {
    if (place < 0) throw std::out_of_range("before the memory of a map");
    return row_at.at(static_cast<std::size_t>(place) * static_cast<std::size_t>(channels) +
                     static_cast<std::size_t>(channel));
  }
};

/// Does what a group's tasks say with row numbers for rows.
class rehearsal {
 public:
  explicit rehearsal(const plan& p) : p_(p) {
    for (std::size_t v = 0; v < p.values.size(); ++v) {
      const value& map = p.values[v];
      memory_[static_cast<int>(v)].resize(map.rows > 0 ? map.rows : map.extent.height, map.extent.channels);
    }
    made_.assign(p.steps.size(), 0);
  }

  void whole(int i) {
    const step& s = p_.steps[static_cast<std::size_t>(i)];
    if (s.y < 0) return;
    const int height = extent(s.y).height;
    for (int r = 0; r < height; ++r) write(s.y, r, 0);
    made_[static_cast<std::size_t>(i)] = height;
  }

  void run(const band_task& t) {
    const step& s = p_.steps[static_cast<std::size_t>(t.step)];
    for (int k = 0; k < t.kept.count(); ++k) {
      map_memory& m = memory_[root_of(p_, s.y)];
      for (int c = 0; c < m.channels; ++c) m.at(k, c) = m.at(t.moved_up + k, c);
    }
    if (s.x >= 0) {
      CHECK(t.x.first >= 0);
      CHECK(t.x.last <= extent(s.x).height);
      for (int r = t.x.first; r < t.x.last; ++r) CHECK(holds(s.x, r, t.x_base));
    }
    if (s.other >= 0)
      for (int r = t.y.first; r < t.y.last; ++r) CHECK(holds(s.other, r, t.other_base));
    CHECK(t.y.first == made_[static_cast<std::size_t>(t.step)]);
    made_[static_cast<std::size_t>(t.step)] = t.y.last;
    for (int r = t.y.first; r < t.y.last; ++r) write(s.y, r, t.y_base);
  }

  /// Rows of step i's map that are missing.
  int missing(int i) const {
    return extent(p_.steps[static_cast<std::size_t>(i)].y).height - made_[static_cast<std::size_t>(i)];
  }

 private:
  shape extent(int v) const { return p_.values[static_cast<std::size_t>(v)].extent; }
  /// The first channel of a value in the map that it is a part of.
  int channel_of(int v) const {
    int first = 0;
    for (; p_.values[static_cast<std::size_t>(v)].parent >= 0;
         v = p_.values[static_cast<std::size_t>(v)].parent)
      first += p_.values[static_cast<std::size_t>(v)].channel;
    return first;
  }
  void write(int v, int row, int base) {
    const int first = channel_of(v);
    for (int c = 0; c < extent(v).channels; ++c) memory_[root_of(p_, v)].at(row - base, first + c) = row;
  }
  bool holds(int v, int row, int base) {
    const int first = channel_of(v);
    for (int c = 0; c < extent(v).channels; ++c)
      if (memory_[root_of(p_, v)].at(row - base, first + c) != row) return false;
    return true;
  }

  const plan& p_;
  std::map<int, map_memory> memory_;
  std::vector<int> made_;
};

std::size_t rehearse(const plan& p) {
  rehearsal all(p);
  auto group = p.groups.begin();
  for (int i = 0; i < static_cast<int>(p.steps.size()); ++i) {
    if (group == p.groups.end() || group->first != i) {
      all.whole(i);
      continue;
    }
    for (int k = 0; k < group->tasks; ++k) all.run(p.tasks[static_cast<std::size_t>(group->first_task + k)]);
    for (; i < group->last; ++i) {
      const int root = root_of(p, p.steps[static_cast<std::size_t>(i)].y);
      if (p.values[static_cast<std::size_t>(root)].rows == 0) CHECK(all.missing(i) == 0);
    }
    CHECK(all.missing(i) == 0);
    ++group;
  }
  return p.groups.size();
}

}  // namespace

TEST_CASE("every row is made once, and read while it is there") {
  std::size_t groups = 0;
  for (const char* name :
       {"deeplabv3plus_xception65", "deeplabv3plus_xception65_os8", "deeplabv3plus_resnet101",
        "deeplabv3plus_resnet50_plain", "deeplabv3plus_mobilenet_v2", "deeplabv3_mobilenet_v2_pascal"}) {
    for (const shape& s : {shape{513, 513, 3}, shape{129, 257, 3}, shape{97, 64, 3}}) {
      for (std::int64_t budget : {1 << 16, 1 << 18, 1 << 20}) {
        CAPTURE(std::string(name));
        groups += rehearse(banded(name, s.height, s.width, budget));
      }
    }
  }
  CHECK(groups > 50);
}

TEST_CASE("parts of a concatenation that come at different speeds") {
  const auto define = [](wire image) {
    const wire x = image >> pointwise{.out = 8};
    const wire both = concat(x >> convolution{.out = 8, .kernel = 3}, x >> pointwise{.out = 8});
    return both >> convolution{.out = 4, .kernel = 1, .stride = 2} >> pointwise{.out = 4};
  };
  const graph g = record(define, {200, 64, 3});
  for (std::int64_t budget = 20000; budget < 100000; budget += 5000)
    CHECK(rehearse(make_plan(g, 1, {.band_elements = budget})) > 0);
}

TEST_CASE("no group keeps whole maps, and bands are of about one height") {
  for (const char* name :
       {"deeplabv3plus_resnet101", "deeplabv3plus_mobilenet_v2", "deeplabv3plus_xception65"}) {
    const plan p = banded(name, 513, 513, 1 << 20);
    for (const band_group& g : p.groups) {
      bool shorter = false;
      for (int i = g.first; i <= g.last; ++i) {
        const int root = root_of(p, p.steps[static_cast<std::size_t>(i)].y);
        const value& map = p.values[static_cast<std::size_t>(root)];
        shorter = shorter || (map.rows > 0 && map.rows < map.extent.height);
      }
      CHECK(shorter);
      for (int k = g.first_task; k < g.first_task + g.tasks; ++k) {
        const band_task& t = p.tasks[static_cast<std::size_t>(k)];
        if (t.step != g.last) continue;
        CHECK(2 * t.y.count() >= g.rows);
        CHECK(2 * t.y.count() <= 3 * g.rows);
      }
    }
  }
}

TEST_CASE("bands take less memory than whole maps") {
  const plan whole = banded("deeplabv3plus_xception65", 513, 513, 0),
             bands = banded("deeplabv3plus_xception65", 513, 513, 1 << 20);
  CHECK(whole.groups.empty());
  REQUIRE(!bands.groups.empty());
  CHECK(bands.groups[0].first == 0);  // from the image on
  CHECK(bands.arena < whole.arena * 3 / 4);
}

TEST_CASE("a band takes no more than its share of the cache") {
  const std::int64_t budget = 1 << 20;
  const plan p = banded("deeplabv3plus_mobilenet_v2", 513, 513, budget);
  REQUIRE(!p.groups.empty());
  for (const band_group& g : p.groups) {
    std::vector<char> counted(p.values.size(), 0);
    std::int64_t kept = 0;
    for (int i = g.first; i <= g.last; ++i) {
      const auto v = static_cast<std::size_t>(root_of(p, p.steps[static_cast<std::size_t>(i)].y));
      const value& map = p.values[v];
      if (map.rows > 0 && counted[v]++ == 0)
        kept += elements({map.rows, map.extent.width, map.extent.channels});
    }
    CHECK(kept <= budget);
  }
}

TEST_CASE("bands make as many pixels as they should at least, or there are none") {
  const graph g = record([](wire image) { return build(image, network_named("deeplabv3plus_mobilenet_v2")); },
                         {513, 513, 3});
  std::size_t before = 0;
  for (int pixels : {100000, 1024, 512, 256}) {
    const plan p = make_plan(g, 1, {.band_elements = 1 << 20, .band_pixels = pixels});
    for (const band_group& some : p.groups) {
      const value& last = p.values[static_cast<std::size_t>(p.steps[static_cast<std::size_t>(some.last)].y)];
      CHECK(some.rows * last.extent.width >= pixels);
    }
    CHECK(p.groups.empty() == (pixels == 100000));
    CHECK(p.tasks.size() >= before);
    before = p.tasks.size();
  }
}

TEST_CASE("small maps run whole") {
  CHECK(banded("deeplabv3plus_xception65", 33, 33, 1 << 20).groups.empty());
  CHECK(banded("deeplabv3plus_xception65", 1, 1, 1 << 10).groups.empty());
}
