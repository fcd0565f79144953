// SPDX-License-Identifier: MIT
// Writes weights of any implementation as a file that needs no word beside it: our names and layouts, and which network,
// which pixels, which classes.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/data/label_metadata.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/print.hpp>
#include <atrous/weights/identify.hpp>
#include <atrous/weights/read_weights.hpp>

#include "runtime/outputs.hpp"
#include "runtime/program.hpp"
#include "runtime/runner.hpp"
#include "runtime/sha256.hpp"
#include "runtime/weights.hpp"

namespace {

struct settings {
  std::string file, output, network, self_test, new_channels = "mean";
  int classes = 0;  // 0: not given
  bool strict = false;
  atrous::surgery how;
};

constexpr const char* help =
    "FILE is safetensors, a PyTorch file, a TensorFlow frozen graph or checkpoint. The result is "
    "safetensors: the\n"
    "tensors of the network in TensorFlow's names and layouts, with the numbers of FILE, and in the metadata "
    "what\n"
    "`segment` and `inspect` then need not be told:\n"
    "  network          its name\n"
    "  implementation   who made the files of this network: TensorFlow, VainF, torchvision, ...\n"
    "  preprocessing    JSON: what the network itself does to a pixel of 0 to 255, per channel: pixel * "
    "factor + offset\n"
    "  class_names, palette   JSON: of FILE, else of the data set with this number of classes\n"
    "  surgery          what --new-classifier, --backbone-only or --input-channels left out, changed and "
    "made up\n"
    "  source           the name of FILE\n"
    "  source_sha256    its SHA-256; of a checkpoint: of its index and its shards, in this order, as one "
    "file\n"
    "What is no weight of the network stays behind: the state of a training, other heads.\n\n";
constexpr const char* example =
    "\nExamples:\n"
    "  convert model.ckpt-30000 --output voc.safetensors\n"
    "  convert best_deeplabv3plus_mobilenet_voc_os16.pth --network vainf_v3plus_mobilenet_os16 --output "
    "voc.safetensors\n"
    "  convert voc.pth --output voc.safetensors --self-test street.png\n"
    "  segment --weights voc.safetensors --self-test street.png --overlay out.png\n"
    "  convert resnet50-imagenet.pth --network torchvision_v3_resnet50 --backbone-only --classes 11 --output "
    "start.safetensors\n";

void add_options(CLI::App& app, settings& s) {
  app.add_option("FILE", s.file, "The weights")->required()->check(programs::not_empty())->type_name("");
  app.add_option("--output", s.output, "The file to write")
      ->required()
      ->check(programs::not_empty())
      ->type_name("OUT.safetensors");
  app.add_option("--network", s.network, "Name of their network, see below; default: told by their tensors")
      ->type_name("NAME");
  app.add_option("--classes", s.classes, "Number of classes; the weights must have as many")
      ->check(programs::from(1, 65536))
      ->type_name("N");
  app.add_flag("--strict", s.strict, "Refuse weights whose tensors fit several networks");
  app.add_flag("--new-classifier", s.how.new_classifier,
               "Begin a training with --classes N: the classifier's numbers are made up, the rest is kept");
  app.add_flag("--backbone-only", s.how.backbone_only,
               "Begin one from a backbone, as ImageNet files have it: all else is made up");
  CLI::Option* const channels =
      app.add_option(
             "--input-channels", s.how.input_channels,
             "Begin one with other pictures than RGB: the first convolution is made for so many channels")
          ->check(programs::from(1, 1024))
          ->type_name("N");
  app.add_option(
         "--new-channels", s.new_channels,
         "What each of them takes: the mean of the three colours' kernels (mean), or those of red, green\n"
         "and blue in turn (repeated); both times 3 / N")
      ->check(CLI::IsMember({"mean", "repeated"}))
      ->needs(channels)
      ->capture_default_str();
  app.add_option("--self-test", s.self_test,
                 "Also write the middle of this image, at most 257x257, and its logits by policy openmp:\n"
                 "segment --self-test then checks that they come out again")
      ->check(programs::not_empty())
      ->type_name("IMAGE");
}

/// The surgery that was asked for.
atrous::surgery how_of(const settings& s) {
  atrous::surgery how = s.how;
  if (how.input_channels == 3) return how;
  if (!s.self_test.empty())
    throw std::invalid_argument("--self-test has a picture of 3 channels; no --input-channels");
  how.input = s.new_channels == "mean" ? atrous::new_channels::mean : atrous::new_channels::repeated;
  return how;
}

/// What the network does to its pixels.
std::string preprocessing_of(atrous::graph_view g) {
  const auto channels = static_cast<std::size_t>(g.image().channels);
  std::vector<float> factors(channels, 1), offsets(channels, 0);
  for (int i = 0; i < g.size(); ++i) {
    const atrous::op& o = g[i].what;
    if (o.kind != atrous::op_kind::normalise) continue;
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t pair = std::min<std::size_t>(c, 3);
      factors[c] = o.factors[pair], offsets[c] = o.offsets[pair];
    }
    break;
  }
  nlohmann::json made{{"factors", factors}, {"offsets", offsets}};
  if (channels == 3) made["channel_order"] = "RGB";
  return made.dump();
}

/// An image and its logits, in memory of their own.
struct sample {
  std::vector<std::uint8_t> pixels;
  atrous::tensor<float> logits;
  std::vector<atrous::stored_tensor> tensors;  // of the above
};

sample self_test_of(const std::string& picture, const programs::fitted& net, int threads) {
  constexpr int most = 257;
  const atrous::image photo = atrous::read_image(std::filesystem::path(picture));
  const int rows = std::min(photo.height, most), columns = std::min(photo.width, most);
  const int top = (photo.height - rows) / 2, left = (photo.width - columns) / 2;
  sample made;
  for (int i = top; i < top + rows; ++i) {
    const auto first = photo.pixels.begin() + (std::ptrdiff_t{i} * photo.width + left) * photo.channels;
    made.pixels.insert(made.pixels.end(), first, first + std::ptrdiff_t{columns} * photo.channels);
  }
  const atrous::shape extent{rows, columns, photo.channels};
  const auto runner = programs::make_runner("openmp", net.network, extent, net.weights, threads);
  runner->run({made.pixels.data(), extent}, {});
  made.logits = runner->logits();
  const auto& [height, width, classes] = made.logits.extent;
  made.tensors = {{std::string(atrous::self_test_image),
                   atrous::element_type::u8,
                   {rows, columns, photo.channels},
                   std::as_bytes(std::span(made.pixels))},
                  {std::string(atrous::self_test_logits),
                   atrous::element_type::f32,
                   {height, width, classes},
                   std::as_bytes(std::span(made.logits.data))}};
  return made;
}

/// The name of a file, or of a checkpoint, without its folders.
std::string name_of(const atrous::tensor_set& file) {
  return atrous::printable(std::filesystem::path(file.source).filename().string());
}

void work(const settings& s, int threads) {
  const atrous::tensor_set file = atrous::read_weights(s.file);
  const std::vector<std::string> sources = programs::files_of(file, s.file);
  std::vector<std::string> inputs = sources;
  if (!s.self_test.empty()) inputs.push_back(s.self_test);
  programs::check_output(s.output, inputs);
  atrous::verify_all(file);
  const programs::fitted net = programs::fit(file, {s.network, s.classes, s.strict, how_of(s)});

  if (!net.told.empty()) std::cout << net.told << '\n';
  const atrous::graph g = atrous::recorded(net.network, {257, 257, net.input_channels});
  std::vector<atrous::stored_tensor> tensors;
  for (const atrous::stored_tensor* t : atrous::bind(g, net.weights).tensors)
    if (t != nullptr) tensors.push_back(*t);
  std::size_t bytes = 0;
  for (const atrous::stored_tensor& t : tensors) bytes += t.elements() * atrous::size_of(t.type);
  const std::size_t count = tensors.size();

  const atrous::label_set classes = atrous::labels_in(net.weights, net.network.classes);
  std::map<std::string, std::string> metadata = atrous::metadata_of(classes);
  metadata["network"] = net.name;
  metadata["implementation"] = atrous::implementation_of(net.name);
  metadata["preprocessing"] = preprocessing_of(g);
  metadata["source"] = name_of(file);
  metadata["source_sha256"] = programs::sha256(sources);
  if (!net.told.empty()) metadata["surgery"] = net.told;

  sample test;
  if (!s.self_test.empty()) test = self_test_of(s.self_test, net, threads);
  tensors.insert(tensors.end(), test.tensors.begin(), test.tensors.end());
  atrous::write_safetensors(s.output, tensors, metadata);
  std::cout << atrous::printable_path(s.output) << ": " << net.name << " (" << metadata["implementation"]
            << "), " << atrous::with_separators(static_cast<std::int64_t>(count)) << " tensors, "
            << atrous::with_separators(static_cast<std::int64_t>(bytes)) << " bytes, " << net.network.classes
            << " classes (" << classes.name << ")";
  if (!test.tensors.empty()) std::cout << ", self-test of " << atrous::text_of(test.tensors[0].shape);
  std::cout << '\n';
  if (!net.note.empty()) std::cerr << "convert: " << net.note << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  programs::command_line line("convert", "Writes weights as a safetensors file that says all about itself.",
                              programs::with_network_names(help, example));
  settings s;
  add_options(line.app, s);
  return line.run(argc, argv, [&] { work(s, line.threads); });
}
