// Batches, threads and users of one model: none changes a bit of what another gets.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/networks/names.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

template <class P>
model<tiny::deeplab, P> made() {
  return model<tiny::deeplab, P>(rule_weights::make(graph_of<tiny::deeplab>));
}

/// Both pictures behind each other.
pixels_view batch_of(const image& first, const image& second, std::vector<std::uint8_t>& memory) {
  memory = first.pixels;
  memory.insert(memory.end(), second.pixels.begin(), second.pixels.end());
  return {memory.data(), {first.height, first.width, first.channels}, 2};
}

template <class P>
void check_batch(const inference<P>& net, int height, int width) {
  const image one = made_picture(height, width, 3, 1), two = made_picture(height, width, 3, 2);
  std::vector<std::uint8_t> memory;
  const pixels_view both = batch_of(one, two, memory);
  const tensor<float> together = net.logits(both);
  std::vector<float> apart = net.logits(all_of(one)).data;
  const std::vector<float> second = net.logits(all_of(two)).data;
  apart.insert(apart.end(), second.begin(), second.end());
  CHECK(together.batch == 2);
  CHECK(together.data == apart);
  std::vector<std::uint8_t> labels = net.labels(all_of(one)).data;
  const std::vector<std::uint8_t> second_labels = net.labels(all_of(two)).data;
  labels.insert(labels.end(), second_labels.begin(), second_labels.end());
  CHECK(net.labels(both).data == labels);
  std::vector<float> probabilities = net.probabilities(all_of(one)).data;
  const std::vector<float> more = net.probabilities(all_of(two)).data;
  probabilities.insert(probabilities.end(), more.begin(), more.end());
  CHECK(net.probabilities(both).data == probabilities);
}

inference<openmp> published(const char* name) {
  const deeplab_options o = network_named(name);
  return runtime<openmp>(o, rule_weights::make(record([&](wire x) { return build(x, o); }, {65, 65, 3})));
}

}  // namespace

TEST_CASE("a batch of two equals two runs") {
  check_batch(made<reference>(), 33, 47);
  check_batch(made<openmp>(), 33, 47);
  check_batch(published("deeplabv3plus_mobilenet_v2"), 65, 49);
}

TEST_CASE("a batch may lie anywhere: strides between images, rows and pixels") {
  const auto net = made<openmp>();
  const image one = made_picture(20, 30, 3, 1), two = made_picture(20, 30, 3, 2);
  std::vector<std::uint8_t> packed, spread(2 * 1000 * 5, 7);
  const pixels_view both = batch_of(one, two, packed);
  pixels_view loose = both;
  loose.data = spread.data();
  loose.pixel = 5, loose.row = 5 * 31, loose.image = 5 * 31 * 25;
  for (int n = 0; n < 2; ++n)
    for (int i = 0; i < 20; ++i)
      for (int j = 0; j < 30; ++j)
        std::memcpy(&spread[static_cast<std::size_t>(n * loose.image + i * loose.row + j * loose.pixel)],
                    &packed[static_cast<std::size_t>(n * both.image + i * both.row + j * both.pixel)], 3);
  CHECK(net.logits(loose).data == net.logits(both).data);
  std::vector<float> numbers(packed.begin(), packed.end());
  const pixels_view floats(numbers.data(), {20, 30, 3}, 2);
  CHECK(net.logits(floats).data == net.logits(both).data);
}

TEST_CASE("the number of threads changes nothing") {
  for (const char* name :
       {"deeplabv3plus_mobilenet_v2", "deeplabv3plus_xception41", "deeplabv3plus_resnet50"}) {
    const inference<openmp> net = published(name);
    const image picture = made_picture(65, 81);
    workspace<openmp> one(1), two(2), three(3);
    const tensor<float> expected = net.logits(all_of(picture), one);
    CHECK(net.logits(all_of(picture), two).data == expected.data);
    CHECK(net.logits(all_of(picture), three).data == expected.data);
    CHECK(net.labels(all_of(picture), two).data == net.labels(all_of(picture), one).data);
  }
}

TEST_CASE("threads may be given to a workspace that has run already") {
  const auto net = made<openmp>();
  const image picture = made_picture(33, 47);
  workspace<openmp> w(1);
  const tensor<float> expected = net.logits(all_of(picture), w);
  w.threads = 4;
  CHECK(net.logits(all_of(picture), w).data == expected.data);
}

TEST_CASE("bands are as large as the caches of a workspace's threads, and change no result") {
  CHECK(openmp::band_elements(1) > 0);
  CHECK(openmp::band_elements(2) == 2 * openmp::band_elements(1));
  CHECK(openmp::band_elements(1000) == openmp::band_elements(4));
  CHECK(openmp::band_pixels(2) == 2 * openmp::band_pixels(1));
  CHECK(openmp::band_pixels(1000) == openmp::band_pixels(4));

  const auto net = published("deeplabv3_mobilenet_v2");
  const image picture = made_picture(257, 257);
  const std::vector<float> expected = net.logits(all_of(picture)).data;
  workspace<openmp> w;
  for (int threads : {2, 1, 3}) {
    w.threads = threads;
    CHECK(net.logits(all_of(picture), w).data == expected);
    const plan found = net.prepare(w, 257, 257);
    const plan wanted = make_plan(
        net.runner().network_at(257, 257), 1,
        {.band_elements = openmp::band_elements(threads), .band_pixels = openmp::band_pixels(threads)});
    CHECK(found.arena == wanted.arena);
    CHECK(found.tasks.size() == wanted.tasks.size());
  }
}

TEST_CASE("two threads share one model, a workspace each") {
  const auto net = made<openmp>();
  const image one = made_picture(33, 47, 3, 1), two = made_picture(40, 21, 3, 2);
  const std::vector<float> expected_one = net.logits(all_of(one)).data,
                           expected_two = net.logits(all_of(two)).data;
  std::atomic<int> wrong{0};
  const auto use = [&](const image& picture, const std::vector<float>& expected) {
    workspace<openmp> w(2);
    for (int k = 0; k < 10; ++k) wrong += net.logits(all_of(picture), w).data != expected;
  };
  std::thread first(use, std::cref(one), std::cref(expected_one)),
      second(use, std::cref(two), std::cref(expected_two));
  first.join();
  second.join();
  CHECK(wrong == 0);
}

namespace {

/// 64 threads, 1,000 runs each in sizes that alternate, one workspace each, some with two OpenMP threads: how many runs
/// gave another bit than a run on its own.
template <class P>
int wrong_among_64_threads(const inference<P>& net) {
  struct sample {
    pixels_view image;
    tensor<std::uint8_t> labels;
    tensor<float> logits;
  };
  const image picture = made_picture(12, 12);
  std::vector<sample> samples;
  for (const auto& [height, width] : {std::pair{3, 4}, {5, 7}, {9, 6}, {8, 11}}) {
    const pixels_view part = crop(height, width, 12 - height, 1).of(picture);
    samples.push_back({part, net.labels(part), net.logits(part)});
  }
  std::atomic<int> wrong{0};
  const auto use = [&](std::size_t thread) {
    workspace<P> w(thread % 16 == 0 ? 2 : 1);
    auto found = samples;
    for (std::size_t k = 0; k < 1000; ++k) {
      const sample& expected = samples[(thread + k) % samples.size()];
      auto& [image, labels, logits] = found[(thread + k) % samples.size()];
      std::fill(labels.data.begin(), labels.data.end(), std::uint8_t{77});
      std::fill(logits.data.begin(), logits.data.end(), -1.0F);
      net.run(image, {.labels = labels.view(), .logits = logits.view()}, w);
      wrong += labels.data != expected.labels.data || logits.data != expected.logits.data;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 64; ++thread) threads.emplace_back(use, thread);
  for (std::thread& thread : threads) thread.join();
  return wrong;
}

}  // namespace

TEST_CASE("64 threads share one model for 1,000 runs each") {
  CHECK(wrong_among_64_threads(made<reference>()) == 0);
  CHECK(wrong_among_64_threads(made<openmp>()) == 0);
}

TEST_CASE("one workspace serves one model after the other") {
  const auto net = made<reference>();
  const model<tiny::deeplab, reference> other(rule_weights::make(record(tiny::deeplab)));
  const image picture = made_picture(20, 30);
  workspace<reference> w;
  const tensor<float> expected = net.logits(all_of(picture));
  CHECK(net.logits(all_of(picture), w).data == expected.data);
  CHECK(other.logits(all_of(picture), w).data == expected.data);
  CHECK(net.logits(all_of(picture), w).data == expected.data);
}

TEST_CASE("a workspace tells one model's run from another's") {
  const auto net = made<reference>(), other = made<reference>();
  const image picture = made_picture(20, 30);
  workspace<reference> w;
  net.logits(all_of(picture), w);
  const int last = net.runner().network().output - 1;
  CHECK_NOTHROW(net.runner().value_of(last, w));
  CHECK_THROWS_WITH_AS(other.runner().value_of(last, w), doctest::Contains("holds no run"),
                       std::invalid_argument);
  other.prepare(w, 20, 30);
  CHECK_THROWS_WITH_AS(other.runner().value_of(last, w), doctest::Contains("holds no run"),
                       std::invalid_argument);
  net.logits(all_of(picture), w);
  for (const int node : {-1, last + 2}) {
    CHECK_THROWS_WITH_AS(net.runner().value_of(node, w), doctest::Contains("node: expected 0 to"),
                         std::invalid_argument);
  }
}
