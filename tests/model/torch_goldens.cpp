// Networks of PyTorch's implementations with the rule's weights against what these computed (parity/torch/README.md).
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include <atrous/backend/openmp.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/weights/identify.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/shared.hpp"

namespace {

using namespace atrous;

constexpr double allowed = 1e-4;

/// The named network behind a picture whose normalised numbers are multiplied.
deeplab_options with_gain(const std::string& name, const tensor_set& file, float gain) {
  deeplab_options o = network_for(name, file);
  if (auto* body = std::get_if<mobilenet_v2>(&o.backbone); body != nullptr && gain != 1) {
    for (float& factor : body->input.factors) factor *= gain;
    for (float& offset : body->input.offsets) offset *= gain;
  }
  return o;
}

/// Some classes of feature maps, classes first, as PyTorch lays them out.
std::vector<float> classes_first(const tensor<float>& maps, const std::vector<int>& classes) {
  const auto pixels =
      static_cast<std::size_t>(maps.extent.height) * static_cast<std::size_t>(maps.extent.width);
  const auto channels = static_cast<std::size_t>(maps.extent.channels);
  std::vector<float> all;
  for (const int k : classes)
    for (std::size_t p = 0; p < pixels; ++p)
      all.push_back(maps.data[p * channels + static_cast<std::size_t>(k)]);
  return all;
}

double error_of(const std::vector<float>& found, const stored_tensor& expected) {
  std::vector<float> numbers(expected.elements());
  read_floats(expected, numbers);
  tensor<float> as_maps;
  as_maps.data = found;
  return relative_error(as_maps, std::span<const float>(numbers));
}

/// The classes whose logits were recorded.
std::vector<int> recorded_classes(const nlohmann::json& told, int classes) {
  if (told["logits_classes"].is_array()) return told["logits_classes"].get<std::vector<int>>();
  std::vector<int> all(static_cast<std::size_t>(classes));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

template <class P>
void check(const nlohmann::json& golden, const image& street, std::size_t most) {
  const auto name = golden["id"].get<std::string>();
  const auto file = shared("parity/torch/" + golden["file"].get<std::string>());
  if (!file) return;
  const tensor_set expected = read_safetensors(*file);
  const dialect words = dialect_of(*torch_network_named(name));
  const tensor_set weights = rule_weights::make(recorded(network_named(name)), words);
  const deeplab_options o = with_gain(name, weights, golden.value("input_gain", 1.0F));
  const inference<P> net =
      runtime<P>([&o](wire image) { return build(image, o); }, {257, 257, 3}, in_our_words(name, o, weights));
  workspace<P> w(2);
  for (const auto& item : golden["crops"].items()) {
    if (most-- == 0) return;
    const std::string size = item.key();
    const tensor<float> logits = net.logits(crop(size).of(street), w);
    const double error = error_of(classes_first(logits, recorded_classes(item.value(), o.classes)),
                                  *expected.find(size + ".logits"));
    CHECK_MESSAGE(error <= allowed, name, " ", size, " ", P::name, ": ", error);
    WARN_MESSAGE(error <= 2e-5, name, " ", size, " ", P::name, ": ", error);
  }
}

template <class P>
void check_all(std::size_t most_crops, bool small) {
  const auto list = shared("parity/torch/goldens.json"), photo = shared("photos/street.png");
  if (!list || !photo) return;
  const image street = read_image(*photo);
  std::ifstream in(*list);
  int checked = 0;
  const nlohmann::json list_of_all = nlohmann::json::parse(in);
  for (const nlohmann::json& golden : list_of_all["goldens"]) {
    const bool mobile = golden["id"].get<std::string>().find("mobilenet") != std::string::npos;
    if (small != mobile) continue;
    check<P>(golden, street, most_crops);
    ++checked;
  }
  CHECK(checked > 0);
}

}  // namespace

TEST_CASE("MobileNets of PyTorch's implementations compute what these compute") {
  check_all<openmp>(1, true);
}

TEST_CASE("all of them do, at every size recorded, by both policies (long)") {
  check_all<openmp>(1000, true);
  check_all<reference>(1, true);
  check_all<openmp>(1000, false);
}
