// Every way in and out of a run: orders of channels, regions, planes, probabilities, the user's memory, hooks.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

template <class P>
model<tiny::deeplab, P> made() {
  return model<tiny::deeplab, P>(rule_weights::make(graph_of<tiny::deeplab>));
}

/// A picture in another order of channels; alpha is noise.
std::vector<std::uint8_t> stored_as(pixel_order order, const image& rgb) {
  std::vector<std::uint8_t> all;
  const bool backwards = order == pixel_order::bgr || order == pixel_order::bgra;
  for (std::size_t p = 0; p < rgb.pixels.size(); p += 3) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels_in(order)); ++c)
      all.push_back(c == 3 ? static_cast<std::uint8_t>(p * 7) : rgb.pixels[p + (backwards ? 2 - c : c)]);
  }
  return all;
}

template <class P>
void check_orders() {
  const auto net = made<P>();
  const image picture = made_picture(20, 30);
  const tensor<float> expected = net.logits(all_of(picture));
  for (pixel_order order : {pixel_order::rgb, pixel_order::bgr, pixel_order::rgba, pixel_order::bgra}) {
    const std::vector<std::uint8_t> bytes = stored_as(order, picture);
    CHECK(net.logits(pixels_view::picture(order, bytes.data(), 20, 30)).data == expected.data);
    const std::vector<float> numbers(bytes.begin(), bytes.end());
    CHECK(net.logits(pixels_view::picture(order, numbers.data(), 20, 30)).data == expected.data);
  }
  std::vector<std::uint8_t> grey, as_rgb, planes(20 * 30 * 3);
  for (int p = 0; p < 20 * 30; ++p) {
    grey.push_back(static_cast<std::uint8_t>(p * p % 251));
    as_rgb.insert(as_rgb.end(), 3, grey.back());
    for (int c = 0; c < 3; ++c)
      planes[static_cast<std::size_t>(c * 600 + p)] = picture.pixels[static_cast<std::size_t>(p * 3 + c)];
  }
  const pixels_view twice =
      pixels_view::picture(pixel_order::grey, grey.data(), 10, 30, 0, 2);  // halves as a batch
  CHECK(twice.batch == 2);
  CHECK(twice.at(1, 2, 3, 1) == grey[12 * 30 + 3]);
  CHECK(net.logits(pixels_view::picture(pixel_order::grey, grey.data(), 20, 30)).data ==
        net.logits({as_rgb.data(), {20, 30, 3}}).data);
  CHECK(net.logits(pixels_view::planes(planes.data(), {20, 30, 3})).data == expected.data);
}

/// Networks of other numbers of channels: the fourth pair of factors serves all beyond it.
constexpr wire define_deep(wire image) {
  return image >> normalise{{1, 2, 3, 4}, {0.5F, 0, 0, -1}} >> in("logits", pointwise{.out = 3});
}
inline constexpr network four{define_deep, {5, 6, 4}};
inline constexpr network seven{define_deep, {5, 6, 7}};
inline constexpr network single{define_deep, {5, 6, 1}};

template <const network& Net>
void check_channels() {
  const tensor_set weights = rule_weights::make(graph_of<Net>);
  const int channels = Net.image.channels;
  const image picture = made_picture(9, 4, channels);
  const tensor<float> found = model<Net, openmp>(weights).logits(all_of(picture));
  CHECK(relative_error(found, model<Net, reference>(weights).logits(all_of(picture))) < 1e-6);
  std::vector<float> kernel(static_cast<std::size_t>(channels) * 3);
  read_floats(*weights.find("logits/weights"), kernel);
  double first = 0;
  for (int c = 0; c < channels; ++c) {
    const float factor = c < 3 ? static_cast<float>(c + 1) : 4.0F, offset = c == 0  ? 0.5F
                                                                            : c < 3 ? 0.0F
                                                                                    : -1.0F;
    first += (picture.pixels[static_cast<std::size_t>(c)] * factor + offset) *
             kernel[static_cast<std::size_t>(c) * 3];
  }
  CHECK(found.data[0] == doctest::Approx(first).epsilon(1e-5));
}

template <class P>
void check_probabilities(int height, int width) {
  const auto net = made<P>();
  const image picture = made_picture(height, width);
  workspace<P> w(2);
  const tensor<float> p = net.probabilities(all_of(picture), w);
  const tensor<std::uint8_t> labels = net.labels(all_of(picture), w);
  REQUIRE(p.extent == shape{height, width, 5});
  for (std::int64_t i = 0; i < labels.view().pixels(); ++i) {
    const float* here = p.view().at(i);
    float sum = 0;
    for (int c = 0; c < 5; ++c) sum += here[c];
    REQUIRE(sum == doctest::Approx(1).epsilon(1e-5));
    REQUIRE(here[*labels.view().at(i)] >= *std::max_element(here, here + 5) * (1 - 1e-5F));
  }
  w.threads = 1;
  CHECK(net.probabilities(all_of(picture), w).data == p.data);
}

}  // namespace

TEST_CASE("a picture in any order of channels gives what its RGB form gives") {
  check_orders<reference>();
  check_orders<openmp>();
}

TEST_CASE("images of one, four and seven channels") {
  check_channels<single>();
  check_channels<four>();
  check_channels<seven>();
}

TEST_CASE("regions and mirrored images are seen where they lie") {
  const auto net = made<openmp>();
  const image picture = made_picture(40, 50);
  const pixels_view part = all_of(picture).region(3, 7, 20, 30);
  image cut{20, 30, 3, {}}, mirrored{20, 30, 3, {}};
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 30; ++j)
      for (int c = 0; c < 3; ++c) {
        const auto at = [&](int column) {
          return picture.pixels[static_cast<std::size_t>(((i + 3) * 50 + column + 7) * 3 + c)];
        };
        cut.pixels.push_back(at(j));
        mirrored.pixels.push_back(at(29 - j));
      }
  CHECK(net.logits(part).data == net.logits(all_of(cut)).data);
  CHECK(net.logits(part.mirrored()).data == net.logits(all_of(mirrored)).data);
  CHECK(net.logits(part.mirrored().mirrored()).data == net.logits(part).data);
  CHECK_THROWS_WITH_AS(all_of(picture).region(21, 0, 20, 30),
                       "a region of 20x30 at row 21, column 0 is not in an image of 40x50",
                       std::invalid_argument);
  CHECK_THROWS_AS(all_of(picture).region(0, -1, 20, 30), std::invalid_argument);
  CHECK_THROWS_AS(all_of(picture).region(0, 0, 0, 30), std::invalid_argument);
  CHECK_THROWS_AS(all_of(picture).region(0, 0, 20, 2147483647), std::invalid_argument);
}

TEST_CASE("probabilities sum to one, and the largest is that of the label") {
  check_probabilities<reference>(21, 30);
  check_probabilities<openmp>(21, 30);
  check_probabilities<openmp>(1, 1);
  check_probabilities<openmp>(130, 197);
}

TEST_CASE("probabilities of scores far apart, and of more classes than labels can name") {
  constexpr auto define = [](wire x) {
    return x >> in("logits", pointwise{.out = 304, .bias = true}) >> resize{7, 9};
  };
  static constexpr network many{define, {4, 5, 3}};
  const tensor_set weights = rule_weights::make(graph_of<many>);
  const image picture = made_picture(4, 5);
  const tensor<float> found = model<many, openmp>(weights).probabilities(all_of(picture)),
                      expected = model<many, reference>(weights).probabilities(all_of(picture));
  CHECK(*std::max_element(expected.data.begin(), expected.data.end()) > 0.99F);  // logits are hundreds apart
  CHECK(relative_error(found, expected) < 1e-4);
  CHECK_THROWS_WITH_AS((model<many, openmp>(weights).labels(all_of(picture))),
                       doctest::Contains("at most 256 classes"), std::invalid_argument);
}

TEST_CASE("results go into the user's memory, whatever its stride, and nothing beside it") {
  const auto net = made<openmp>();
  const image picture = made_picture(33, 47);
  workspace<openmp> w(2);
  const tensor<float> expected = net.probabilities(all_of(picture), w);
  std::vector<float> memory(33 * 47 * 8, -7.0F);
  net.run(all_of(picture), {.probabilities = {memory.data(), 1, {33, 47, 5}, 8}}, w);
  for (std::size_t p = 0; p < 33 * 47; ++p) {
    REQUIRE(std::memcmp(&memory[p * 8], &expected.data[p * 5], 5 * sizeof(float)) == 0);
    for (std::size_t c = 5; c < 8; ++c) REQUIRE(memory[p * 8 + c] == -7.0F);
  }
  tensor<float> small(1, {33, 46, 5});
  CHECK_THROWS_WITH_AS(net.run(all_of(picture), {.probabilities = small.view()}, w),
                       "probabilities: room for 1 of 33x46x5, the network gives 1 of 33x47x5",
                       std::invalid_argument);
}

TEST_CASE("every step is reported, and a run can be ended between two") {
  const auto net = made<openmp>();
  const image picture = made_picture(33, 47);
  workspace<openmp> w;
  const tensor<std::uint8_t> expected = net.labels(all_of(picture), w);
  int calls = 0, last = -1, all = 0;
  w.on_step = [&](int done, int total) {
    CHECK(done == last + 1);
    ++calls, last = done, all = total;
    return true;
  };
  CHECK(net.labels(all_of(picture), w).data == expected.data);
  CHECK(last == all);
  CHECK(calls == all + 1);
  CHECK(all == static_cast<int>(net.prepare(w, 33, 47).steps.size()) - 1);  // no probabilities
  for (int stop = 0; stop < all; ++stop) {
    w.on_step = [&](int done, int) { return done < stop; };
    CHECK_THROWS_AS(net.labels(all_of(picture), w), cancelled);
    CHECK_THROWS_WITH_AS(net.runner().value_of(0, w), doctest::Contains("holds no run"),
                         std::invalid_argument);
  }
  w.on_step = {};
  CHECK(net.labels(all_of(picture), w).data == expected.data);
}

TEST_CASE("another thread ends a run") {
  const auto net = made<reference>();
  const image picture = made_picture(129, 129);
  std::atomic<bool> started{false}, stop{false};
  workspace<reference> w;
  w.on_step = [&](int, int) { return started = true, !stop; };
  std::thread other([&] {
    while (!started) std::this_thread::yield();
    stop = true;
  });
  const auto run_on = [&] {
    for (;;) net.labels(all_of(picture), w);
  };
  CHECK_THROWS_AS(run_on(), cancelled);
  other.join();
}
