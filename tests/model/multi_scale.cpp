// Several scales and mirrored images against what the authors' TensorFlow code computed (parity/README.md).
#include <doctest/doctest.h>

#include <cmath>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/multi_scale.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/shared.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

/// The network, the picture and the recorded values.
struct recorded {
  inference<openmp> net;
  image street;
  tensor_set expected;

  static std::optional<recorded> find() {
    const auto file = shared("parity/tensorflow/multi_scale_mobilenet_v2.safetensors"),
               photo = shared("photos/street.png");
    if (!file || !photo) return std::nullopt;
    const deeplab_options o = network_named("deeplabv3plus_mobilenet_v2");
    const graph g = record([&](wire x) { return build(x, o); }, {97, 129, 3});
    return recorded{runtime<openmp>(o, rule_weights::make(g)), read_image(*photo), read_safetensors(*file)};
  }
  pixels_view picture() const { return crop(97, 129, 200, 150).of(street); }
  const stored_tensor& operator[](const char* name) const {
    const stored_tensor* t = expected.find(name);
    REQUIRE(t != nullptr);
    return *t;
  }
};

/// Every k-th row and column.
tensor<float> thinned(const tensor<float>& all, int k) {
  tensor<float> some(1,
                     {(all.extent.height + k - 1) / k, (all.extent.width + k - 1) / k, all.extent.channels});
  for (int i = 0; i < some.extent.height; ++i)
    for (int j = 0; j < some.extent.width; ++j)
      std::copy_n(all.view().at(0, i * k, j * k), all.extent.channels, some.view().at(0, i, j));
  return some;
}

/// The largest margin between the two best classes at a pixel whose label is not the recorded one.
double worst_margin(const tensor<std::uint8_t>& labels, const stored_tensor& expected,
                    const tensor<float>& probabilities) {
  REQUIRE(expected.bytes.size() == labels.data.size());
  double worst = 0;
  for (std::size_t p = 0; p < labels.data.size(); ++p) {
    const auto other = std::to_integer<std::size_t>(expected.bytes[p]);
    if (labels.data[p] == other) continue;
    const float* here = probabilities.view().at(static_cast<std::int64_t>(p));
    worst = std::max(worst, double(here[labels.data[p]]) - here[other]);
  }
  return worst;
}

/// The formula itself, in double: softmax of bilinearly resized logits.
std::vector<double> softmax_at(const view<const float>& logits, double row, double column) {
  row = std::max(row, 0.0), column = std::max(column, 0.0);
  const int i = std::min(static_cast<int>(row), logits.height - 1),
            j = std::min(static_cast<int>(column), logits.width - 1);
  const int below = std::min(i + 1, logits.height - 1), right = std::min(j + 1, logits.width - 1);
  std::vector<double> p;
  double sum = 0;
  for (int c = 0; c < logits.channels; ++c) {
    const auto at = [&](int r, int k) { return double(logits.at(0, r, k)[c]); };
    const double upper = at(i, j) + (at(i, right) - at(i, j)) * (column - j),
                 lower = at(below, j) + (at(below, right) - at(below, j)) * (column - j);
    p.push_back(std::exp(upper + (lower - upper) * (row - i)));
    sum += p.back();
  }
  for (double& each : p) each /= sum;
  return p;
}

}  // namespace

TEST_CASE("labels and probabilities of several scales are those of the published code") {
  const auto r = recorded::find();
  if (!r) return;
  for (bool flip : {false, true}) {
    const std::string name = flip ? "flip/" : "noflip/";
    const multi_scale<openmp> slow(r->net, {.flip = flip});
    workspace<openmp> w(2);
    const tensor<float> probabilities = slow.probabilities(r->picture(), w);
    const double error = relative_error(thinned(probabilities, 4), (*r)[(name + "probabilities").c_str()]);
    CHECK_MESSAGE(error <= 2e-5, name, "probabilities off by ", error);
    const double margin =
        worst_margin(slow.labels(r->picture(), w), (*r)[(name + "labels").c_str()], probabilities);
    CHECK_MESSAGE(margin <= 1e-4, name, "labels differ where they lead by ", margin);
  }
}

TEST_CASE("logits of a scale are those of the published code") {
  const auto r = recorded::find();
  if (!r) return;
  workspace<openmp> w(2);
  const pixels_view picture = r->picture();
  const shape grid = r->net.runner().logits_for(97, 129);
  const auto check = [&](const char* name, const pixels_view& seen, double scale) {
    tensor<float> logits = logits_at_scale(r->net, seen, scale, w);
    if (scale < 1) logits = logits_on_grid(r->net, logits, grid, w);
    const double error = relative_error(logits, (*r)[name]);
    CHECK_MESSAGE(error <= 2e-5, name, " off by ", error);
  };
  check("logits_0.5", picture, 0.5);
  check("logits_1.75", picture, 1.75);
  check("logits_0.5_flipped_input", picture.mirrored(), 0.5);
  check("logits_1.75_flipped_input", picture.mirrored(), 1.75);
}

TEST_CASE("an image pyramid merges as the published code does") {
  const auto r = recorded::find();
  if (!r) return;
  const double scales[] = {0.5, 1.0, 1.5};
  workspace<openmp> w(2);
  const double maximum =
      relative_error(thinned(pyramid_logits(r->net, r->picture(), scales, merge_method::maximum, w), 2),
                     (*r)["pyramid_max/merged_logits"]);
  CHECK(maximum <= 2e-5);
  const double average =
      relative_error(thinned(pyramid_logits(r->net, r->picture(), scales, merge_method::average, w), 2),
                     (*r)["pyramid_avg/merged_logits"]);
  CHECK(average <= 2e-5);
}

TEST_CASE("single-scale labels are those of the published code") {
  const auto r = recorded::find();
  if (!r) return;
  const double margin = worst_margin(r->net.labels(r->picture()), (*r)["single_upsampled_logits/labels"],
                                     r->net.probabilities(r->picture()));
  CHECK(margin <= 1e-4);
}

TEST_CASE("a picture padded to 513x513 is labelled as by the published frozen graph") {
  const auto file = shared("parity/tensorflow/frozen_bird_333x400.safetensors"),
             photo = shared("photos/bird.png"),
             weights = shared("models/deeplabv3_mobilenet_v2_pascal.safetensors");
  if (!file || !photo || !weights) return;
  const image bird = read_image(*photo);
  const inference<openmp> net =
      runtime<openmp>(network_named("deeplabv3_mobilenet_v2_pascal"), read_safetensors(*weights));
  const std::vector<float> mean = mean_pixel(net.runner().network());
  REQUIRE(mean.size() == 3);
  for (float each : mean) CHECK(each == doctest::Approx(127.5));
  const tensor<float> picture = padded(crop(333, 400).of(bird), 513, 513, mean);
  workspace<openmp> w(2);
  const tensor<std::uint8_t> labels = net.labels(pixels_of(picture), w);
  const tensor_set expected = read_safetensors(*file);
  const std::span<const std::byte> wanted = expected.find("labels")->bytes;
  int different = 0;
  for (int i = 0; i < 333; ++i)
    for (int j = 0; j < 400; ++j)
      different +=
          *labels.view().at(0, i, j) != std::to_integer<int>(wanted[static_cast<std::size_t>(i * 400 + j)]);
  CHECK(different <= 13);  // of 133,200
}

template <corners Corner>
constexpr wire plain_define(wire x) {
  return x >> normalise::to_unit_range() >>
         in("a", convolution{.out = 5, .kernel = 3, .stride = 2} >> normed{}) >>
         in("b", convolution{.out = 5, .kernel = 3, .stride = 2, .bias = true}) >>
         resize_to(x.shape(), Corner);
}
inline constexpr network aligned{plain_define<corners::aligned>, {21, 30, 3}};
inline constexpr network half_pixel{plain_define<corners::half_pixel>, {21, 30, 3}};

/// The largest difference from the mean by the formula; `place` says where output sample i of `out` lies among `in`.
template <const network& Net, class Place>
double worst_of_formula(const Place& place) {
  const model<Net, reference> net(rule_weights::make(graph_of<Net>));
  constexpr corners corner = graph_of<Net>.nodes.back().what.corner;
  const image one = made_picture(21, 30);
  workspace<reference> w(2);
  const tensor<float> found =
      multi_scale<reference>(net, {.scales = {0.7, 1, 1.3}, .flip = true}).probabilities(all_of(one), w);
  std::vector<double> mean(found.data.size(), 0.0);
  for (double scale : {0.7, 1.0, 1.3}) {
    for (bool mirrored : {false, true}) {
      const int height = static_cast<int>(20 * scale + 1), width = static_cast<int>(29 * scale + 1);
      const tensor<float> seen =
          resized(mirrored ? all_of(one).mirrored() : all_of(one), height, width, corner);
      tensor<float> logits = net.logits(pixels_of(seen), w);
      if (scale < 1) logits = resized(pixels_of(logits), 6, 8, corner);
      for (int i = 0; i < 21; ++i)
        for (int j = 0; j < 30; ++j) {
          const std::vector<double> p = softmax_at(logits.view(), place(i, logits.extent.height, 21),
                                                   place(j, logits.extent.width, 30));
          for (std::size_t c = 0; c < 5; ++c)
            mean[static_cast<std::size_t>(i * 30 + (mirrored ? 29 - j : j)) * 5 + c] += p[c] / 6;
        }
    }
  }
  double worst = 0;
  for (std::size_t k = 0; k < mean.size(); ++k) worst = std::max(worst, std::abs(mean[k] - found.data[k]));
  return worst;
}

TEST_CASE("the mean of the probabilities of all passes, by the formula and the network's own corners") {
  CHECK(worst_of_formula<aligned>([](int i, int in, int out) { return i * (in - 1) / (out - 1.0); }) <= 2e-6);
  CHECK(worst_of_formula<half_pixel>([](int i, int in, int out) { return (i + 0.5) * in / out - 0.5; }) <=
        2e-6);
}

TEST_CASE("batches, results asked for together, and what is refused") {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image first = made_picture(33, 47, 3, 1), second = made_picture(33, 47, 3, 2);
  std::vector<std::uint8_t> both = first.pixels;
  both.insert(both.end(), second.pixels.begin(), second.pixels.end());
  const pixels_view batch(both.data(), {33, 47, 3}, 2);
  const multi_scale<openmp> slow(net, {.scales = {0.75, 1.25}, .flip = true});
  workspace<openmp> w(2), one(1);
  tensor<std::uint8_t> labels(2, {33, 47, 1});
  tensor<float> probabilities(2, {33, 47, 5});
  slow.run(batch, {.labels = labels.view(), .probabilities = probabilities.view()}, w);
  std::vector<float> apart = slow.probabilities(all_of(first), one).data;
  const std::vector<float> more = slow.probabilities(all_of(second), one).data;
  apart.insert(apart.end(), more.begin(), more.end());
  CHECK(probabilities.data == apart);
  for (std::int64_t p = 0; p < labels.view().pixels(); ++p) {
    const float* here = probabilities.view().at(p);
    REQUIRE(*labels.view().at(p) == std::max_element(here, here + 5) - here);
  }
  tensor<float> logits(2, {9, 12, 5});
  CHECK_THROWS_WITH_AS(slow.run(batch, {.logits = logits.view()}, w),
                       doctest::Contains("found memory for logits"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(multi_scale<openmp>(net, {.scales = {}}), doctest::Contains("found none"),
                       std::invalid_argument);
  for (double scale : {0.0, -1.0, 1e9, std::nan("")}) {
    CHECK_THROWS_WITH_AS(multi_scale<openmp>(net, {.scales = {scale}}).labels(batch, w),
                         doctest::Contains("expected a scale"), std::invalid_argument);
  }
  const pixels_view nothing(static_cast<const std::uint8_t*>(nullptr), {33, 47, 3});
  CHECK_THROWS_WITH_AS(logits_at_scale(net, nothing, 0.5, w), doctest::Contains("must not be empty"),
                       std::invalid_argument);
  const double half[] = {0.5};
  CHECK_THROWS_AS(pyramid_logits(net, nothing, half, merge_method::average, w), std::invalid_argument);
  w.threads = 1 << 20;
  CHECK_THROWS_WITH_AS(slow.labels(batch, w), doctest::Contains("threads: expected"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(resized(batch, 0, 5), doctest::Contains("0x5"), std::invalid_argument);
  CHECK_THROWS_AS(resized(pixels_view(both.data(), {0, 47, 3}), 5, 5), std::invalid_argument);
}

TEST_CASE("passes are counted and can be ended") {
  const model<tiny::deeplab, openmp> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(33, 47);
  workspace<openmp> w;
  std::vector<int> seen;
  const auto listen = [&](int done, int total) {
    CHECK(total == 4);
    seen.push_back(done);
    return done < 3;
  };
  const multi_scale<openmp> slow(net, {.scales = {0.5, 1}, .flip = true, .on_pass = listen});
  CHECK_THROWS_AS(slow.labels(all_of(picture), w), cancelled);
  CHECK(seen == std::vector<int>{0, 1, 2, 3});
  CHECK(net.labels(all_of(picture), w).data == net.labels(all_of(picture)).data);
}
