// Pictures cut into tiles: where tiles lie, what they weigh, and that what they give is what the whole picture gives.
#include <doctest/doctest.h>

#include <cmath>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/picture.hpp>
#include <atrous/model/tiled.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/shared.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

/// A network whose output pixels see 15 pixels around them, and no more.
template <corners Corner>
constexpr wire see_near(wire image) {
  const wire x = image >> normalise::to_unit_range() >> separable{.name = "one", .out = 8, .stride = 2} >>
                 separable{.name = "two", .out = 8, .stride = 2} >>
                 separable{.name = "three", .out = 8, .rate = 2};
  return x >> in("logits", pointwise{.out = 4, .bias = true}) >> resize_to(image.shape(), Corner);
}
inline constexpr network near_sighted{see_near<corners::aligned>, {65, 65, 3}};
inline constexpr network half_pixel{see_near<corners::half_pixel>, {65, 65, 3}};
inline constexpr network asymmetric{see_near<corners::asymmetric>, {65, 65, 3}};

/// The largest difference between the probabilities of the whole picture and those of tiles.
template <const network& Net>
double worst_of_tiles(int height, int width, tile_options how) {
  const model<Net, reference> net(rule_weights::make(graph_of<Net>));
  const image picture = made_picture(height, width);
  workspace<reference> w(2);
  const tensor<float> whole = net.probabilities(all_of(picture), w),
                      tiles = tiled<reference>(net, how).probabilities(all_of(picture), w);
  double worst = 0;
  for (std::size_t k = 0; k < whole.data.size(); ++k)
    worst = std::max(worst, std::abs(double(whole.data[k]) - tiles.data[k]));
  return worst;
}

}  // namespace

TEST_CASE("tiles cover an axis, overlap enough and weigh 1 together") {
  for (int size : {128, 129, 200, 513}) {
    for (int overlap : {0, 16, 64}) {
      for (int extent : {1, 63, 128, 129, 130, 160, 161, 200, 513, 514, 1000, 2049}) {
        const std::vector<tile_span> tiles = tile_spans(extent, size, overlap);
        std::vector<double> sum(static_cast<std::size_t>(extent), 0.0);
        CHECK(tiles.front().begin == 0);
        CHECK(tiles.back().end == extent);
        for (std::size_t k = 0; k < tiles.size(); ++k) {
          const tile_span& t = tiles[k];
          CHECK(t.size() == tiles[0].size());
          CHECK(t.size() <= size);
          CHECK((extent - t.size()) % 32 == 0);
          CHECK(t.begin % 32 == 0);
          CHECK(t.weights.size() == static_cast<std::size_t>(t.size()));
          if (k > 0) CHECK(tiles[k - 1].end - t.begin >= overlap);
          for (int i = t.begin; i < t.end; ++i)
            sum[static_cast<std::size_t>(i)] += double(t.weights[static_cast<std::size_t>(i - t.begin)]);
        }
        for (double each : sum) REQUIRE(std::abs(each - 1) < 1e-5);
      }
    }
  }
  CHECK_THROWS_WITH_AS(tile_spans(100, 127, 0), doctest::Contains("found size 127"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(tile_spans(100, 128, 65), doctest::Contains("overlap 65"), std::invalid_argument);
  CHECK_THROWS_AS(tile_spans(100, 128, -1), std::invalid_argument);
}

TEST_CASE("a picture no larger than a tile gives what the network gives") {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(65, 49);
  workspace<openmp> w(2);
  const tiled<openmp> big(net, {.size = 128, .overlap = 16});
  CHECK(big.probabilities(all_of(picture), w).data == net.probabilities(all_of(picture), w).data);
}

TEST_CASE("where a network sees no farther than a quarter of the overlap, tiles change nothing") {
  for (const shape extent :
       {shape{301, 213, 3}, shape{300, 256, 3}, shape{250, 131, 3}, shape{129, 244, 3}}) {
    for (int size : {128, 129, 154}) {
      const tile_options how{.size = size, .overlap = 62};
      CHECK(worst_of_tiles<near_sighted>(extent.height, extent.width, how) <= 2e-6);
      CHECK(worst_of_tiles<half_pixel>(extent.height, extent.width, how) <= 2e-6);
      CHECK(worst_of_tiles<asymmetric>(extent.height, extent.width, how) <= 2e-6);
    }
  }
}

TEST_CASE("labels of tiles are those of the whole") {
  const model<near_sighted, openmp> net(rule_weights::make(graph_of<near_sighted>));
  const image picture = made_picture(300, 213);
  CHECK(tiled<openmp>(net, {.size = 129, .overlap = 62}).labels(all_of(picture)).data ==
        net.labels(all_of(picture)).data);
}

TEST_CASE("the arena is that of a tile, however large the picture") {
  const model<near_sighted, openmp> net(rule_weights::make(graph_of<near_sighted>));
  const image small = made_picture(128, 128), large = made_picture(900, 1100);
  workspace<openmp> w(2);
  const tiled<openmp> big(net, {.size = 128, .overlap = 32});
  big.labels(all_of(small), w);
  const std::size_t arena = w.arena_bytes();
  std::vector<int> seen;
  int all = 0;
  const auto listen = [&](int done, int total) { return seen.push_back(done), all = total, true; };
  tiled<openmp>(net, {.size = 128, .overlap = 32, .on_tile = listen}).labels(all_of(large), w);
  CHECK(w.arena_bytes() == arena);
  CHECK(all > 60);
  CHECK(static_cast<int>(seen.size()) == all + 1);
  CHECK(seen.back() == all);
}

TEST_CASE("tiles can be ended between two, and need a class for every pixel") {
  const model<near_sighted, openmp> net(rule_weights::make(graph_of<near_sighted>));
  const image picture = made_picture(200, 200);
  workspace<openmp> w;
  const auto stop = [](int done, int) { return done < 2; };
  CHECK_THROWS_AS(
      tiled<openmp>(net, {.size = 128, .overlap = 32, .on_tile = stop}).labels(all_of(picture), w),
      cancelled);
  const inference<openmp> coarse = runtime<openmp>(
      [](wire x) { return x >> in("a", convolution{.out = 3, .kernel = 3, .stride = 2}); }, {64, 64, 3},
      rule_weights::make(
          record([](wire x) { return x >> in("a", convolution{.out = 3, .kernel = 3, .stride = 2}); },
                 {64, 64, 3})));
  CHECK_THROWS_WITH_AS(tiled<openmp>(coarse, {.size = 128, .overlap = 32}).labels(all_of(picture), w),
                       doctest::Contains("100x100x3"), std::invalid_argument);
}

TEST_CASE("a photograph in tiles is labelled as the whole (long)") {
  const auto photo = shared("photos/street.png"),
             weights = shared("models/deeplabv3plus_mobilenet_v2_ade20k32.safetensors");
  if (!photo || !weights) return;
  const image street = read_image(*photo);
  const inference<openmp> net =
      runtime<openmp>(network_named("deeplabv3plus_mobilenet_v2_ade20k32"), read_safetensors(*weights));
  workspace<openmp> w(2);
  const tensor<float> picture = resized(all_of(street), 1025, 1025, corners::aligned, 2);
  const tensor<std::uint8_t> whole = net.labels(pixels_of(picture), w),
                             tiles = tiled<openmp>(net, {.size = 513, .overlap = 256})
                                         .labels(pixels_of(picture), w);
  int equal = 0;
  for (std::size_t p = 0; p < whole.data.size(); ++p) equal += whole.data[p] == tiles.data[p];
  const double share = double(equal) / double(whole.data.size());
  MESSAGE("equal labels: " << share);
  CHECK(share > 0.9);
}
