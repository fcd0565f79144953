// Weights for networks that are not quite the file's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <atrous/weights/surgery.hpp>

#include "../support/rule_weights.hpp"

namespace {

using namespace atrous;

std::vector<float> numbers_of(const tensor_set& s, std::string_view name) {
  REQUIRE(s.find(name) != nullptr);
  std::vector<float> all(s.find(name)->elements());
  read_floats(*s.find(name), all);
  return all;
}

std::string refusal(std::string_view network, const deeplab_options& o, const tensor_set& file,
                    const surgery& how) {
  try {
    operate(network, o, file, how);
  } catch (const weights_mismatch& e) {
    return e.report.summary();
  }
  return "";
}

}  // namespace

TEST_CASE("another number of classes, where it is asked for") {
  const std::string name = "deeplabv3_mobilenet_v2";
  tensor_set file = rule_weights::make(recorded(network_named(name)));
  file.metadata["class_names"] = "[]";
  deeplab_options o = network_named(name);
  o.classes = 5;
  CHECK(refusal(name, o, file, {}).find("logits/semantic/weights (expected 1x1x256x5, found 1x1x256x21)") !=
        std::string::npos);
  const operated made = operate(name, o, file, {.new_classifier = true});
  CHECK(made.left_out == std::vector<std::string>{"logits/semantic/weights", "logits/semantic/biases"});
  CHECK(made.made_up == made.left_out);
  CHECK(!made.weights.metadata.contains("class_names"));
  CHECK(operate(name, network_named(name), file, {.input = new_channels::mean})
            .weights.metadata.contains("class_names"));
  CHECK(made.text() ==
        "left out 2: logits/semantic/weights, logits/semantic/biases\n"
        "made up 2: logits/semantic/weights, logits/semantic/biases");
  CHECK(compare(recorded(o), made.weights).fits());
  CHECK(numbers_of(made.weights, "aspp0/weights") == numbers_of(file, "aspp0/weights"));
  const std::vector<float> fresh = numbers_of(made.weights, "logits/semantic/weights");
  double squares = 0;
  for (const float x : fresh) squares += double{x} * x;
  CHECK(std::sqrt(squares / static_cast<double>(fresh.size())) == doctest::Approx(0.0088).epsilon(0.1));
  const operated other = operate(name, o, file, {.new_classifier = true, .seed = 2});
  CHECK(numbers_of(other.weights, "logits/semantic/weights") != fresh);
}

TEST_CASE("other input channels: kernels keep their sum") {
  const std::string name = "smp_v3plus_mobilenet_v2_os16";
  const deeplab_options o = network_named(name);
  const tensor_set file = rule_weights::make(recorded(o), dialect_of(*torch_network_named(name)));
  CHECK(refusal(name, o, file, {.input_channels = 1}).find("encoder.features.0.0.weight") ==
        std::string::npos);
  CHECK(refusal(name, o, file, {.input_channels = 1}).find("MobilenetV2/Conv/weights (expected 3x3x1x32") !=
        std::string::npos);
  const std::vector<float> colours = numbers_of(in_our_words(name, o, file), "MobilenetV2/Conv/weights");
  for (const new_channels input : {new_channels::mean, new_channels::repeated}) {
    for (const int channels : {1, 2, 4, 6}) {
      const operated made = operate(name, o, file, {.input_channels = channels, .input = input});
      CHECK(made.changed.size() == 1);
      const std::vector<float> kernel = numbers_of(made.weights, "MobilenetV2/Conv/weights");
      REQUIRE(kernel.size() == static_cast<std::size_t>(9 * channels * 32));
      const bool even = input == new_channels::mean || channels % 3 == 0;
      for (std::size_t tap = 0; tap < 9 && even; ++tap) {
        float before = 0, after = 0;
        for (std::size_t c = 0; c < 3; ++c) before += colours[(tap * 3 + c) * 32];
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
          after += kernel[(tap * static_cast<std::size_t>(channels) + c) * 32];
        CHECK(after == doctest::Approx(before).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("a backbone alone, as ImageNet files have it") {
  const std::string name = "torchvision_v3_resnet50";
  const deeplab_options o = network_named(name);
  tensor_set whole = rule_weights::make(recorded(o), dialect_of(*torch_network_named(name)));
  tensor_set imagenet = whole;
  imagenet.tensors.clear();
  for (stored_tensor t : whole.tensors) {
    if (!t.name.starts_with("backbone.")) continue;
    t.name = t.name.substr(9);
    imagenet.tensors.push_back(t);
  }
  stored_tensor classifier = whole.tensors[0];
  classifier.name = "fc.weight";
  imagenet.tensors.push_back(classifier);
  sort_by_name(imagenet);
  CHECK(!refusal(name, o, imagenet, {}).empty());
  const operated made = operate(name, o, imagenet, {.backbone_only = true});
  CHECK(made.left_out == std::vector<std::string>{"fc.weight"});
  CHECK(std::all_of(made.made_up.begin(), made.made_up.end(),
                    [](const std::string& n) { return !n.starts_with("resnet_v1b_50/"); }));
  CHECK(compare(recorded(o), made.weights).fits());
  const std::string conv = "resnet_v1b_50/conv1/weights";
  CHECK(numbers_of(made.weights, conv) == numbers_of(in_our_words(name, o, whole), conv));
  imagenet.tensors.erase(imagenet.tensors.begin() + 3);
  CHECK(!refusal(name, o, imagenet, {.backbone_only = true}).empty());
}

TEST_CASE("backbones of ImageNet begin networks of several implementations") {
  struct trial {
    const char *network, *named_like;  // the second's words for the file
    std::string_view prefix;           // that the file does without
    std::string begin;                 // with which its names begin instead
  };
  for (const trial& t : {trial{"torchvision_v3_mobilenet_v3_large", "torchvision_v3_mobilenet_v3_large",
                               "backbone.", "features."},
                         trial{"vainf_v3plus_mobilenet_os16", "smp_v3plus_mobilenet_v2_os16", "encoder.", ""},
                         trial{"bubbliiiing_mobilenet_os16", "smp_v3plus_mobilenet_v2_os16", "encoder.", ""},
                         trial{"jfzhang95_mobilenet_os16", "jfzhang95_mobilenet_os16", "backbone.", ""},
                         trial{"vainf_v3_resnet50_os8", "torchvision_v3_resnet50", "backbone.", ""}}) {
    CAPTURE(t.network);
    const graph g = recorded(network_named(t.named_like));
    const tensor_set whole = rule_weights::make(g, dialect_of(*torch_network_named(t.named_like)));
    tensor_set imagenet = whole;
    imagenet.tensors.clear();
    for (stored_tensor tensor : whole.tensors) {
      if (!tensor.name.starts_with(t.prefix)) continue;
      tensor.name = t.begin + tensor.name.substr(t.prefix.size());
      imagenet.tensors.push_back(tensor);
    }
    sort_by_name(imagenet);
    const deeplab_options o = network_named(t.network);
    const operated made = operate(t.network, o, imagenet, {.backbone_only = true});
    CHECK(compare(recorded(o), made.weights).fits());
    const tensor_set ours = in_our_words(t.named_like, network_named(t.named_like), whole);
    int same = 0;
    for (const stored_tensor& tensor : made.weights.tensors) {
      if (std::find(made.made_up.begin(), made.made_up.end(), tensor.name) != made.made_up.end()) continue;
      if (tensor.name.ends_with("/border")) continue;
      CAPTURE(tensor.name);
      CHECK(numbers_of(made.weights, tensor.name) == numbers_of(ours, tensor.name));
      ++same;
    }
    CHECK(same > 100);
  }
}

TEST_CASE("a self-test stays behind, and a batch norm of another length is no border") {
  const std::string name = "vainf_v3plus_mobilenet_os16";
  deeplab_options o = network_named(name);
  tensor_set file = rule_weights::make(recorded(o), dialect_of(*torch_network_named(name)));
  stored_tensor image;
  image.name = "self_test/image";
  image.type = element_type::u8;
  image.shape = {0};
  file.tensors.push_back(image);
  sort_by_name(file);
  o.classes = 5;
  CHECK(operate(name, o, file, {.new_classifier = true}).left_out.size() == 2);
  const auto mean = std::find_if(file.tensors.begin(), file.tensors.end(), [](const stored_tensor& t) {
    return t.name == "backbone.low_level_features.2.conv.0.1.running_mean";
  });
  REQUIRE(mean != file.tensors.end());
  mean->shape = {1};
  mean->bytes = mean->bytes.first(4);
  const std::string said = refusal(name, o, file, {.new_classifier = true});
  CHECK(said.find("expand/BatchNorm/moving_mean (expected 96, found 1)") != std::string::npos);
  CHECK(said.find("missing MobilenetV2/expanded_conv_1/depthwise/border") != std::string::npos);
}
