// SPDX-License-Identifier: MIT
// Writes networks as ONNX models, for every runtime that reads them.
#include <cstdint>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/data/label_metadata.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/print.hpp>
#include <atrous/weights/onnx.hpp>
#include <atrous/weights/read_weights.hpp>

#include "made_up_weights.hpp"
#include "runtime/outputs.hpp"
#include "runtime/program.hpp"
#include "runtime/weights.hpp"

namespace {

struct settings {
  std::string network, weights, output;
  bool argmax = false, external = false, strict = false;
  int classes = 0;  // 0: not given
};

constexpr const char* help =
    "The model takes any height, width and batch. Input: image, float32 (batch, 3, height, width), pixels "
    "from 0\n"
    "to 255 in the order red, green, blue; what the network does to them first is part of the model. "
    "Output:\n"
    "logits, float32 (batch, classes, height, width), or with --argmax labels, uint8 (batch, height, "
    "width).\n"
    "Batch norm is folded. Names and colours of the classes are in the model's metadata: class_names, "
    "palette.\n\n"
    "Without --weights the numbers are random: enough to measure a runtime, not to recognise anything.\n\n";
constexpr const char* example =
    "\nExample:\n  export --network deeplabv3plus_xception65_os8 --weights xception65.safetensors --argmax "
    "--output xception65.onnx\n";

void add_options(CLI::App& app, settings& s) {
  app.add_option("--network", s.network, "Name of the network, see below; default: told by the weights")
      ->type_name("NAME");
  app.add_option(
         "--weights", s.weights,
         "Weights: safetensors, a PyTorch file, a TensorFlow checkpoint or frozen graph; default: random")
      ->check(programs::not_empty())
      ->type_name("FILE");
  app.add_option("--output", s.output, "The model to write")
      ->required()
      ->check(programs::not_empty())
      ->type_name("OUT.onnx");
  app.add_flag("--argmax", s.argmax, "The class of every pixel instead of its scores");
  app.add_flag("--external", s.external,
               "Large tensors in OUT.onnx.data beside the model, as above 2 GB anyway");
  app.add_flag("--strict", s.strict, "Refuse weights whose tensors fit several networks");
  app.add_option("--classes", s.classes, "Number of classes; default: the weights', else the network's own")
      ->check(programs::from(1, 65536))
      ->type_name("N");
}

constexpr atrous::shape any_image{513, 513, 3};

/// The network with the weights of the file, or with random ones. Refuses results that would take the place of the file.
programs::fitted fitted_for(const settings& s) {
  std::vector<std::string> inputs;
  std::optional<atrous::tensor_set> file;
  if (!s.weights.empty()) {
    file = atrous::read_weights(s.weights);
    inputs = programs::files_of(*file, s.weights);
  }
  for (const char* end : {"", ".data"}) programs::check_output(s.output + end, inputs);
  if (file) return programs::fit(*file, {s.network, s.classes, s.strict});
  if (s.network.empty()) throw std::invalid_argument("expected --network or --weights");
  programs::fitted made;
  made.name = s.network;
  made.network = programs::network_without_weights(s.network, s.classes);
  made.weights = made_up_weights(atrous::recorded(made.network, any_image));
  return made;
}

void work(const settings& s) {
  const programs::fitted net = fitted_for(s);
  atrous::onnx_options options{
      .name = atrous::printable(net.name), .argmax = s.argmax, .external = s.external};
  options.metadata = atrous::metadata_of(atrous::labels_in(net.weights, net.network.classes));
  options.metadata.insert(net.weights.metadata.begin(), net.weights.metadata.end());
  options.metadata["network"] = options.name;
  const auto define = [&](atrous::wire x) { return atrous::build(x, net.network); };
  const atrous::onnx_summary made = atrous::write_onnx(s.output, define, any_image, net.weights, options);
  std::cout << atrous::printable_path(s.output) << ": " << made.nodes << " nodes, "
            << atrous::with_separators(static_cast<std::int64_t>(made.bytes + made.data_bytes)) << " bytes"
            << (made.data_bytes > 0 ? ", most of them in the .data file beside it" : "") << "; " << made.input
            << " -> " << made.output << '\n';
  if (s.weights.empty()) std::cout << "the weights are random: no --weights\n";
  if (!net.note.empty()) std::cerr << "export: " << net.note << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  programs::command_line line("export", "Writes a DeepLab network as an ONNX model.",
                              programs::with_network_names(help, example));
  settings s;
  add_options(line.app, s);
  return line.run(argc, argv, [&] { work(s); });
}
