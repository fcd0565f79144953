// Networks with the rule's weights against what the authors' TensorFlow code computed for crops of a street
// (parity/README.md).
#include <doctest/doctest.h>

#include <atomic>
#include <future>

#include <atrous/backend/openmp.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/shared.hpp"

namespace {

using namespace atrous;

constexpr double allowed = 1e-4, usual = 2e-5;
constexpr double in_half = 5e-3;

struct golden {
  const char* file;
  deeplab_options network;
};

deeplab_options xception_with_multi_grid() {
  deeplab_options o = network_named("deeplabv3plus_xception65");
  std::get<xception>(o.backbone).multi_grid = {1, 2, 4};
  return o;
}

deeplab_options with_strides(int_list strides) {
  deeplab_options o = network_named("deeplabv3plus_mobilenet_v2");
  o.refine.strides = strides;
  return o;
}

deeplab_options without_image_pooling() {
  deeplab_options o = network_named("deeplabv3plus_mobilenet_v2");
  o.pyramid.image_pooling = false;
  return o;
}

deeplab_options with_pooling_window() {
  deeplab_options o = network_named("deeplabv3_mobilenet_v2");
  o.pooling_crop_height = o.pooling_crop_width = 65;
  return o;
}

std::vector<golden> small_ones() {
  return {{"mobilenet_v2_os16", network_named("deeplabv3_mobilenet_v2")},
          {"mobilenet_v2_os8", network_named("deeplabv3_mobilenet_v2_os8")},
          {"mobilenet_v2_os32", network_named("deeplabv3_mobilenet_v2_os32")},
          {"mobilenet_v2_os16_decoder", network_named("deeplabv3plus_mobilenet_v2")},
          {"mobilenet_v2_os16_decoder84", with_strides({8, 4})},
          {"mobilenet_v2_os16_nopool", without_image_pooling()},
          {"mobilenet_v2_os16_pool65", with_pooling_window()},
          {"mobilenet_v2_dm05_os16", network_named("deeplabv3_mobilenet_v2_dm05")},
          {"mobilenet_v2_dm05_os16_decoder", network_named("deeplabv3plus_mobilenet_v2_dm05")}};
}

std::vector<golden> big_ones() {
  return {{"xception_65_os16", network_named("deeplabv3plus_xception65")},
          {"xception_65_os8", network_named("deeplabv3plus_xception65_os8")},
          {"xception_65_os32", network_named("deeplabv3plus_xception65_os32")},
          {"xception_65_os16_dense", network_named("deeplabv3plus_xception65_dense")},
          {"xception_65_os16_nodecoder", network_named("deeplabv3_xception65")},
          {"xception_65_os16_multigrid", xception_with_multi_grid()},
          {"xception_41_os16", network_named("deeplabv3plus_xception41")},
          {"resnet_v1_101_beta_os16", network_named("deeplabv3plus_resnet101_separable")},
          {"resnet_v1_101_beta_os16_dense", network_named("deeplabv3plus_resnet101")},
          {"resnet_v1_101_beta_os8_dense_nodecoder", network_named("deeplabv3_resnet101_os8")},
          {"resnet_v1_50_os16", network_named("deeplabv3plus_resnet50_plain_separable")}};
}

tensor_set weights_for(const deeplab_options& o) {
  return rule_weights::make(record([&](wire x) { return build(x, o); }, {97, 129, 3}));
}

/// Compares the logits of at most `most` crops.
template <class P>
void check(const golden& g, const image& street, int most) {
  const auto file = shared(std::string("parity/tensorflow/") + g.file + ".safetensors");
  CHECK_MESSAGE(file.has_value(), g.file, " is not among the recorded ones");
  if (!file) return;
  const tensor_set expected = read_safetensors(*file);
  const inference<P> net = runtime<P>(g.network, weights_for(g.network));
  workspace<P> w;
  for (const stored_tensor& t : expected.tensors) {
    if (!t.name.ends_with("/logits") || most-- == 0) continue;
    const double error = relative_error(net.logits(crop(t.name).of(street), w), t);
    const bool rounded = std::is_same_v<typename P::element, half>;
    CHECK_MESSAGE(error <= (rounded ? in_half : allowed), g.file, " ", t.name, " ", P::name, ": ", error);
    if (!rounded) WARN_MESSAGE(error <= usual, g.file, " ", t.name, " ", P::name, ": ", error);
  }
}

/// Two networks at a time: the reference uses one processor.
template <class P>
void check(const std::vector<golden>& all, int most = 1000) {
  const auto photo = shared("photos/street.png");
  if (!photo) return;
  const image street = read_image(*photo);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t k = next++; k < all.size(); k = next++) check<P>(all[k], street, most);
  };
  auto other = std::async(std::launch::async, work);
  work();
  other.get();
}

/// The last node recorded in a scope or below it.
int last_node_in(graph_view g, const std::string& scope) {
  int last = -1;
  for (int i = 0; i < g.size(); ++i) {
    if ((g.scope_name(g[i].scope) + "/").starts_with(scope + "/")) last = i;
  }
  return last;
}

}  // namespace

TEST_CASE("the weight rule's own test vectors") {
  using namespace rule_weights;
  CHECK(fnv1a("") == 0xcbf29ce484222325U);
  CHECK(fnv1a("logits/semantic/biases") == 0xb78cc438ef6bd80aU);
  CHECK(splitmix64(0) == 0xe220a8397b1dcdafU);
  const auto biases = numbers("logits/semantic/biases", {"biases", role::bias, {21}});
  CHECK(biases.size() == 21);
  const std::array first{0.0293882601F, 0.00780628901F, 0.0269082189F, -0.0765265822F};
  CHECK(std::equal(first.begin(), first.end(), biases.begin()));
  const auto kernel = numbers("aspp0/weights", {"weights", role::kernel, {1, 1, 2048, 256}});
  const std::array second{0.0297393184F, 0.0325729772F, 0.0289049819F, 0.00474393787F};
  CHECK(std::equal(second.begin(), second.end(), kernel.begin()));
}

TEST_CASE("MobileNetV2 networks compute what the authors' code computes (long)") {
  check<openmp>(small_ones());
  check<reference>(small_ones());
}

TEST_CASE("Xception and ResNet networks compute what the authors' code computes, openmp (long)") {
  check<openmp>(big_ones());
}

TEST_CASE("all of them in half (long)") {
  check<openmp_half>(small_ones());
  check<openmp_half>(big_ones());
}

TEST_CASE("Xception and ResNet networks compute what the authors' code computes, reference (long)") {
  check<reference>(big_ones(), 1);
}

TEST_CASE("every end point of Xception-65") {
  const auto photo = shared("photos/street.png"),
             file = shared("parity/tensorflow/xception_65_os16.safetensors");
  if (!photo || !file) return;
  const image street = read_image(*photo);
  const tensor_set expected = read_safetensors(*file);
  const deeplab_options o = network_named("deeplabv3plus_xception65");
  const inference<openmp> net = runtime<openmp>(o, weights_for(o), plan_options::keep_everything());
  const std::string key = "97x129+200+150";
  workspace<openmp> w(2);
  const tensor<float> logits = net.logits(crop(key).of(street), w);
  CHECK(relative_error(logits, *expected.find(key + "/logits")) <= allowed);
  int compared = 0;
  for (const stored_tensor& t : expected.tensors) {
    if (!t.name.starts_with(key + "/") || t.name.ends_with("/logits")) continue;
    const std::string scope = t.name.substr(key.size() + 1);
    const bool head = scope.starts_with("aspp") || scope.starts_with("decoder") || scope == "image_pooling" ||
                      scope == "concat_projection";
    const graph_view g = net.runner().network();
    const int node = last_node_in(g, head ? scope : "xception_65/" + scope);
    REQUIRE_MESSAGE(node > 0, scope);
    const double error = relative_error(net.runner().value_of(node, w), t);
    CHECK_MESSAGE(error <= allowed, scope, ": ", error);
    ++compared;
  }
  CHECK(compared == 15);
}

TEST_CASE("the published weights at output stride 16") {
  const auto photo = shared("photos/bird.png"),
             weights = shared("models/deeplabv3_mobilenet_v2_pascal.safetensors"),
             file = shared("parity/tensorflow/bird_pascal_os16.safetensors");
  if (!photo || !weights || !file) return;
  const image bird = read_image(*photo);
  const tensor_set expected = read_safetensors(*file);
  std::vector<float> labels(expected.find("labels")->elements());
  read_floats(*expected.find("labels"), labels);
  const inference<openmp> net =
      runtime<openmp>(network_named("deeplabv3_mobilenet_v2"), read_safetensors(*weights));
  CHECK(relative_error(net.logits(all_of(bird)), *expected.find("logits")) <= allowed);
  const tensor<std::uint8_t> found = net.labels(all_of(bird));
  REQUIRE(found.data.size() == labels.size());
  int different = 0;
  for (std::size_t p = 0; p < labels.size(); ++p) different += static_cast<float>(found.data[p]) != labels[p];
  CHECK(different * 1000.0 <= static_cast<double>(labels.size()));
}
