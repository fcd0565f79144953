// What PyTorch's implementations call their tensors, against the lists of their own state dicts.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include <atrous/weights/identify.hpp>

#include "../support/rule_weights.hpp"
#include "../support/shared.hpp"

namespace {

using namespace atrous;

/// A state dict without numbers: lines of name, shape and type with tabs between.
tensor_set listed(const std::filesystem::path& path) {
  tensor_set made;
  made.source = path.filename().string();
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, shape, type;
    std::getline(fields, name, '\t'), std::getline(fields, shape, '\t'), std::getline(fields, type);
    stored_tensor t;
    t.name = name;
    t.type = type == "int64" ? element_type::i64 : element_type::f32;
    std::istringstream extents(shape);
    for (std::string extent; std::getline(extents, extent, 'x');) t.shape.push_back(std::stoll(extent));
    made.tensors.push_back(t);
  }
  sort_by_name(made);
  return made;
}

}  // namespace

TEST_CASE("names with numbers in them") {
  const auto numbers = matched("block#/unit_#/conv#", "block4/unit_23/conv1");
  REQUIRE(numbers.has_value());
  CHECK(filled_in("layer{1}.{2-1}.conv{3}", *numbers, 0) == "layer4.22.conv1");
  CHECK(filled_in("a{2*3-2}.b{m+4}", *numbers, 16) == "a67.b20");
  CHECK(!matched("aspp#", "aspp"));
  CHECK(!matched("aspp#", "aspp1_depthwise"));
  CHECK(!matched("aspp#_depthwise", "aspp1"));
}

TEST_CASE("every network of an implementation has the tensors of its state dict, and is told by them") {
  const auto goldens = shared("parity/torch/goldens.json"), lists = shared("weights/torch");
  if (!goldens || !lists) return;
  std::ifstream in(*goldens);
  const nlohmann::json list_of_all = nlohmann::json::parse(in);
  for (const nlohmann::json& golden : list_of_all["goldens"]) {
    const auto name = golden["id"].get<std::string>();
    const tensor_set file = listed(*lists / golden["keys"].get<std::string>());
    const weights_report report = compare(name, network_for(name, file), file);
    CHECK_MESSAGE(report.fits(), name, ": ", report.text());
    int told = 0;
    for (const candidate& c : compare_with_all(file)) {
      if (!c.fits()) continue;
      told += c.network == name || std::count(c.others.begin(), c.others.end(), name) > 0 ? 1 : 0;
    }
    CHECK_MESSAGE(told == 1, name);
  }
}

TEST_CASE("other lists: ResNets of basic units") {
  const auto list = shared("weights/torch/smp_deeplabv3plus_resnet34.tsv");
  if (!list) return;
  const tensor_set file = listed(*list);
  CHECK(compare("smp_v3plus_resnet34_os16", network_named("smp_v3plus_resnet34_os16"), file).fits());
  CHECK(compare_with_all(file)[0].network == "smp_v3plus_resnet34_os16");
}

TEST_CASE("segmentation_models_pytorch before 0.6 had its decoder as a sequence") {
  const auto list = shared("weights/torch/smp_deeplabv3_resnet101.tsv");
  if (!list) return;
  tensor_set file = listed(*list);
  for (stored_tensor& t : file.tensors) {
    for (const auto& [now, then] :
         {std::pair("decoder.aspp.", "decoder.0."), std::pair("decoder.conv.", "decoder.1."),
          std::pair("decoder.bn.", "decoder.2.")})
      if (t.name.starts_with(now)) t.name = then + t.name.substr(std::string_view(now).size());
  }
  sort_by_name(file);
  CHECK(compare_with_all(file)[0].network == "smp_v3_resnet101_os8");
  CHECK(compare_with_all(file)[0].fits());
}

TEST_CASE("a published width is told by the stem, and the published model is the first of its likes") {
  const auto told = [](const std::string& name) {
    return compare_with_all(rule_weights::make(recorded(network_named(name))))[0];
  };
  CHECK(told("deeplabv3_mobilenet_v2_dm14").network == "deeplabv3_mobilenet_v2_dm14");
  CHECK(told("deeplabv3plus_mobilenet_v2_dm025").fits());
  CHECK(told("deeplabv3_mobilenet_v2").network == "deeplabv3_mobilenet_v2_pascal");
  CHECK(told("deeplabv3plus_xception65_os8").network == "deeplabv3plus_xception65");
}

TEST_CASE("a network that is known and not here is refused by name") {
  const auto list = shared("weights/torch/hf_apple_deeplabv3-mobilevit-small.tsv");
  if (!list) return;
  CHECK_THROWS_WITH(compare_with_all(listed(*list)),
                    "hf_apple_deeplabv3-mobilevit-small.tsv: expected a DeepLab network that is here, found "
                    "MobileViT of transformers");
}

TEST_CASE("what does not fit is told in the words of the file") {
  const std::string name = "vainf_v3plus_resnet50_os16";
  const deeplab_options o = network_named(name);
  tensor_set file = rule_weights::make(recorded(o), dialect_of(*torch_network_named(name)));
  const auto at = [&](const std::string& tensor) {
    return std::find_if(file.tensors.begin(), file.tensors.end(),
                        [&](const auto& t) { return t.name == tensor; });
  };
  at("backbone.conv1.weight")->shape = {64, 3, 3, 3};
  file.tensors.erase(at("classifier.project.0.weight"));
  std::string said;
  try {
    in_our_words(name, o, file);
  } catch (const weights_mismatch& e) {
    said = e.report.summary();
  }
  CHECK(said ==
        "the weight rule: does not fit the network: 1 missing, 0 unexpected, 1 of another shape or type: "
        "backbone.conv1.weight (expected 64x3x7x7, found 64x3x3x3); missing classifier.project.0.weight");
}

TEST_CASE("numbers change places as extents do") {
  const std::string name = "smp_v3plus_mobilenet_v2_os16";
  const deeplab_options o = network_named(name);
  const graph g = recorded(o);
  const tensor_set theirs = rule_weights::make(g, dialect_of(*torch_network_named(name))),
                   ours = in_our_words(name, o, theirs);
  std::vector<float> from(64 * 24), to(64 * 24), filter(96 * 9), filter_to(96 * 9);
  const auto read = [](const tensor_set& s, const char* tensor, std::vector<float>& into) {
    into.resize(s.find(tensor)->elements());
    read_floats(*s.find(tensor), into);
  };
  read(theirs, "encoder.features.4.conv.2.weight", from);
  read(ours, "MobilenetV2/expanded_conv_3/project/weights", to);
  CHECK(ours.find("MobilenetV2/expanded_conv_3/project/weights")->shape ==
        std::vector<std::int64_t>{1, 1, 144, 32});
  for (std::size_t in = 0; in < 144; ++in)
    for (std::size_t out = 0; out < 32; ++out) CHECK(to[in * 32 + out] == from[out * 144 + in]);
  read(theirs, "encoder.features.2.conv.1.0.weight", filter);
  read(ours, "MobilenetV2/expanded_conv_1/depthwise/depthwise_weights", filter_to);
  for (std::size_t c = 0; c < 96; ++c)
    for (std::size_t tap = 0; tap < 9; ++tap) CHECK(filter_to[tap * 96 + c] == filter[c * 9 + tap]);
}
