// SPDX-License-Identifier: MIT
#pragma once
// Networks leave as ONNX models: any network, published or of one's own, with its weights, for any height, width and batch.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <atrous/graph/network.hpp>
#include <atrous/weights/binding.hpp>
#include <atrous/weights/onnx/extents.hpp>
#include <atrous/weights/onnx/file.hpp>
#include <atrous/weights/onnx/nodes.hpp>

namespace atrous {

/// How an ONNX model is written.
struct onnx_options {
  std::string name = "atrous";  // of the graph
  bool argmax = false;          // the class of every pixel instead of its scores
  bool external = false;        // large tensors in FILE.data even where one file could hold them
  std::map<std::string, std::string> metadata{};  // names and values that travel with the model
};

/// What was written.
struct onnx_summary {
  std::size_t nodes = 0;
  std::uint64_t bytes = 0, data_bytes = 0;  // of the model, and of the file beside it; 0: none
  std::string input, output;                // "image float32 (batch, 3, height, width)"
};

inline std::string text_of(const onnx_value& v) {
  std::string text = v.name + (v.type == onnx_type::f32  ? " float32 ("
                               : v.type == onnx_type::u8 ? " uint8 ("
                                                         : " int64 (");
  for (const onnx_extent& extent : v.shape) {
    const auto* number = std::get_if<std::int64_t>(&extent);
    text += (text.back() == '(' ? "" : ", ") +
            (number != nullptr ? std::to_string(*number) : std::get<std::string>(extent));
  }
  return text + ")";
}

/// The extents of a network's image or output: names where they follow the image's.
inline std::vector<onnx_extent> onnx_extents(const recordings& network, int node) {
  const shape here = network.first()[node].out;
  const auto rule = network.extents_of(node);
  if (!network.any_size() || (rule && rule->by == extent_rule::of::numbers))
    return {"batch", std::int64_t{here.channels}, std::int64_t{here.height}, std::int64_t{here.width}};
  const bool image = node == 0 || (rule && rule->by == extent_rule::of::node && rule->node == 0);
  return {"batch", std::int64_t{here.channels}, image ? "height" : "rows", image ? "width" : "columns"};
}

/// Puts the graph together: nodes, the argmax if it is wanted, types and words about input and output.
inline onnx_graph onnx_graph_of(const recordings& network, const binding& b, const onnx_options& options) {
  onnx_builder build = onnx_mapper(network, b).run();
  const int output = network.first().output, channels = network.first().image().channels;
  build.made.input = {"image", onnx_type::f32, onnx_extents(network, 0),
                      std::string("Pixels from 0 to 255") +
                          (channels == 3 ? ", channels in the order red, green, blue" : "") +
                          "; what the network does to them first is part of the graph."};
  build.made.output = {"logits", onnx_type::f32, onnx_extents(network, output),
                       "Scores of the classes; the largest wins."};
  if (options.argmax) {
    const bool bytes = network.first()[output].out.channels <= 256;
    const std::string classes =
        build.add("", "ArgMax", {"logits"}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
    const std::string made =
        bytes ? build.add("", "Cast", {classes}, {{"to", static_cast<std::int64_t>(onnx_type::u8)}})
              : classes;
    build.rename(made, "labels");
    onnx_value& out = build.made.output;
    out.name = "labels";
    out.type = bytes ? onnx_type::u8 : onnx_type::i64;
    out.shape.erase(out.shape.begin() + 1);
    out.doc = "The class of every pixel; of equal scores the first.";
  }
  build.made.name = options.name;
  build.made.doc = options.name + ", written by atrous " + text_of(version) + ". Input " +
                   text_of(build.made.input) + ": " + build.made.input.doc + " Output " +
                   text_of(build.made.output) + ": " + build.made.output.doc;
  return std::move(build.made);
}

/// Writes a network with its weights as an ONNX model (opset 17).
///
///   define   any callable from wire to wire; layers of one's own may be put together from the library's, a primitive of
///            one's own has no form in ONNX
///   image    the shape that it is checked for. The model takes every batch, height and width, unless the network itself
///            takes no other size
///   input    `image`, float32 (batch, channels, height, width), pixels from 0 to 255
///   output   `logits`, float32 (batch, classes, height, width); with `argmax` `labels`, (batch, height, width), uint8, or
///            int64 for more than 256 classes
///
/// Batch norm is folded into the convolution before it. Nodes have the names of the scopes, initialisers those of the
/// parameters. The same network and weights give the same bytes. Files appear whole or not at all.
///
/// Throws std::invalid_argument for a broken rule, for what has no form in ONNX and for numbers that are not finite, naming
/// the layer or tensor; weights_mismatch for weights that do not fit; std::runtime_error where the system refuses.
template <class Define>
onnx_summary write_onnx(const std::filesystem::path& path, const Define& define, shape image,
                        const tensor_set& weights, const onnx_options& options = {}) {
  const recordings network(define, image);
  const binding bound = bind(network.first(), weights);
  const onnx_graph made = onnx_graph_of(network, bound, options);
  const onnx_file file(path, made, options.metadata, options.external);
  file.write();
  return {made.nodes.size(), file.bytes(), file.data_bytes(), text_of(made.input), text_of(made.output)};
}

/// The same of a network with a name.
inline onnx_summary write_onnx(const std::filesystem::path& path, const network& net,
                               const tensor_set& weights, const onnx_options& options = {}) {
  return write_onnx(path, net.define, net.image, weights, options);
}

}  // namespace atrous
