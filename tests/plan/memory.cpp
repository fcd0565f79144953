// Feature maps that are alive at the same time never share an address, and the arena is no larger than it must
// be. Structures do not depend on extents.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <atrous/networks/names.hpp>
#include <atrous/plan/planner.hpp>

namespace {

using namespace atrous;

/// Steps from the first that writes a value to the last that reads it; none where no step does.
struct life {
  int first = -1, last = -1;
  bool overlaps(const life& other) const {
    return first >= 0 && other.first >= 0 && first <= other.last && other.first <= last;
  }
};

bool part_of(const plan& p, int part, int whole) {
  for (; part >= 0; part = p.values[static_cast<std::size_t>(part)].parent) {
    if (part == whole) return true;
  }
  return false;
}

/// Life of a value from the steps alone. What is written or read as a part or as a whole counts for both.
life life_of(const plan& p, int v) {
  life l;
  for (int i = 0; i < static_cast<int>(p.steps.size()); ++i) {
    const step& s = p.steps[static_cast<std::size_t>(i)];
    for (int touched : {s.x, s.other, s.y}) {
      if (touched < 0 || (!part_of(p, touched, v) && !part_of(p, v, touched))) continue;
      if (l.first < 0) l.first = i;
      l.last = i;
    }
  }
  if (part_of(p, p.logits, v) || part_of(p, v, p.logits)) l.last = static_cast<int>(p.steps.size());
  return l;
}

/// Elements [begin, end) that a value takes, gaps between the pixels of a slice included.
struct place_of {
  std::int64_t begin, end;
  place_of(const plan& p, const value& v)
      : begin(v.offset), end(v.offset + (pixels(v.extent) * p.batch - 1) * v.pixel + v.extent.channels) {}
};

/// Slices of one concatenation lie in different channels of the same pixels.
bool disjoint_slices(const value& a, const value& b) {
  const std::int64_t from_a = (b.offset - a.offset) % a.pixel;
  const std::int64_t channel = from_a < 0 ? from_a + a.pixel : from_a;
  return a.pixel == b.pixel && channel >= a.extent.channels && channel + b.extent.channels <= a.pixel;
}

/// Pairs of values that live at the same time and share an element, each as a line of text.
std::string overlaps(const plan& p) {
  const int count = static_cast<int>(p.values.size());
  std::vector<life> lives;
  for (int v = 0; v < count; ++v) lives.push_back(life_of(p, v));
  std::string found;
  for (int a = 0; a < count; ++a) {
    for (int b = a + 1; b < count; ++b) {
      const value &one = p.values[static_cast<std::size_t>(a)], &two = p.values[static_cast<std::size_t>(b)];
      if (!lives[static_cast<std::size_t>(a)].overlaps(lives[static_cast<std::size_t>(b)])) continue;
      if (part_of(p, a, b) || part_of(p, b, a)) continue;
      if (root_of(p, a) == root_of(p, b) && disjoint_slices(one, two)) continue;
      const place_of x(p, one), y(p, two);
      if (x.begin < y.end && y.begin < x.end) found += std::to_string(a) + " and " + std::to_string(b) + "\n";
    }
  }
  return found;
}

/// The most elements that live at one time: no arena can be smaller.
std::int64_t least(const plan& p) {
  std::vector<std::int64_t> at_once(p.steps.size() + 1, 0);
  for (int v = 0; v < static_cast<int>(p.values.size()); ++v) {
    if (p.values[static_cast<std::size_t>(v)].parent >= 0) continue;
    const life l = life_of(p, v);
    for (int i = l.first; i >= 0 && i <= l.last; ++i)
      at_once[static_cast<std::size_t>(i)] += pixels(p.values[static_cast<std::size_t>(v)].extent) *
                                              p.values[static_cast<std::size_t>(v)].pixel * p.batch;
  }
  return *std::max_element(at_once.begin(), at_once.end());
}

void check(const plan& p, const std::string& name) {
  CHECK_MESSAGE(overlaps(p).empty(), name, ": ", overlaps(p));
  for (const value& v : p.values) {
    const place_of place(p, v);
    CHECK_MESSAGE((place.begin >= 0 && place.end <= p.arena), name);
    const bool aligned = v.parent >= 0 || v.offset % arena_alignment == 0;
    CHECK_MESSAGE(aligned, name);
    CHECK_MESSAGE(v.pixel >= v.extent.channels, name);
  }
}

graph recorded(std::string_view name, int height, int width) {
  const deeplab_options o = network_named(name);
  return record([&](wire image) { return build(image, o); }, {height, width, 3});
}

plan planned(const std::function<wire(wire)>& define, plan_options options = {}) {
  return make_plan(record(define, {9, 11, 4}), 2, options);
}

}  // namespace

TEST_CASE("values that live at the same time are disjoint in every published network") {
  for (std::string_view name : published_networks()) {
    for (shape s : {shape{1, 1, 3}, shape{33, 65, 3}, shape{512, 333, 3}}) {
      const graph g = recorded(name, s.height, s.width);
      for (int batch : {1, 3}) check(make_plan(g, batch), std::string(name));
    }
    check(make_plan(recorded(name, 65, 33), 2, plan_options::keep_everything()), std::string(name));
  }
}

TEST_CASE("values that live at the same time are disjoint whatever is switched off") {
  const graph g = recorded("deeplabv3plus_xception41", 65, 65);
  for (int bits = 0; bits < 16; ++bits) {
    const plan_options o{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    check(make_plan(g, 1, o), "options " + std::to_string(bits));
  }
}

TEST_CASE("values that live at the same time are disjoint in concatenations of every kind") {
  constexpr convolution dense{.out = 4, .kernel = 3};
  const auto nested = [=](wire x) {
    const wire a = x >> dense, b = concat(a, x), c = x >> dense >> max_pool{.stride = 1};
    return concat(concat(c, b), a, concat(c, c)) >> dense;
  };
  for (const plan_options& o :
       {plan_options{}, plan_options{.reuse = false}, plan_options::keep_everything()})
    check(planned(nested, o), "nested");
  check(planned([](wire x) { return concat(x, x); }), "the image twice");
}

TEST_CASE("without reuse every value keeps a place of its own") {
  const plan p = make_plan(recorded("deeplabv3_mobilenet_v2", 33, 33), 1, {.pair = false, .reuse = false});
  std::int64_t all = 0;
  for (const value& v : p.values) {
    if (v.parent < 0)
      all += (pixels(v.extent) * v.pixel + arena_alignment - 1) / arena_alignment * arena_alignment;
  }
  CHECK(p.arena == all);
}

TEST_CASE("arenas are as small as what lives at one time") {
  const auto ratio = [](std::string_view name, int extent) {
    const plan p = make_plan(recorded(name, extent, extent));
    return static_cast<double>(p.arena) / static_cast<double>(least(p));
  };
  for (std::string_view name : published_networks()) {
    for (const int extent : {65, 513}) {
      const double found = ratio(name, extent);
      CHECK_MESSAGE(found < 1.001, name, " at ", extent, ": ", found);
    }
  }
  CHECK(ratio("deeplabv3plus_xception65_os8", 513) < 1.08);
}

TEST_CASE("arenas of the large networks, in MB of float32") {
  const auto megabytes = [](std::string_view name) {
    return static_cast<double>(make_plan(recorded(name, 513, 513)).arena) * 4e-6;
  };
  CHECK(megabytes("deeplabv3plus_xception65") < 84.6);
  CHECK(megabytes("deeplabv3plus_xception65_os8") < 91);
  CHECK(megabytes("deeplabv3plus_resnet101") < 51.2);
  CHECK(megabytes("deeplabv3plus_mobilenet_v2") < 37.3);
  CHECK(megabytes("deeplabv3_mobilenet_v2_pascal") < 29.6);
}

TEST_CASE("the arena grows with the batch") {
  const graph g = recorded("deeplabv3plus_mobilenet_v2", 33, 47);
  const plan one = make_plan(g, 1), four = make_plan(g, 4);
  CHECK(four.arena <= 4 * one.arena);
  CHECK(four.arena >= 4 * least(one));
}

TEST_CASE("structures do not depend on extents") {
  for (std::string_view name : published_networks()) {
    const graph g = recorded(name, 65, 65);
    const plan declared = make_plan(g);
    for (shape s : {shape{1, 1, 3}, shape{2, 3, 3}, shape{17, 9, 3}, shape{513, 513, 3}}) {
      const graph other = recorded(name, s.height, s.width);
      CHECK_MESSAGE(same_layers(g, other), name, " at ", text_of(s));
      CHECK_MESSAGE(same_structure(declared, make_plan(other)), name, " at ", text_of(s));
    }
  }
}

TEST_CASE("layers that depend on extents are told apart") {
  const auto kernel_by_height = [](wire x) {
    return x >> convolution{.out = 4, .kernel = x.shape().height > 20 ? 11 : 9};
  };
  const graph low = record(kernel_by_height, {12, 12, 3}), high = record(kernel_by_height, {24, 12, 3});
  CHECK(same_structure(make_plan(low), make_plan(high)));  // the same kernel runs both
  CHECK_FALSE(same_layers(low, high));
  CHECK(same_layers(low, record(kernel_by_height, {13, 2, 3})));
}
