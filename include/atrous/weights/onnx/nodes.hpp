// SPDX-License-Identifier: MIT
#pragma once
// What every layer is in ONNX's operators: one row of `rows` below per kind of layer. Feature maps are (batch, channels,
// height, width) there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <atrous/weights/onnx/extents.hpp>
#include <atrous/weights/onnx/graph.hpp>
#include <atrous/weights/onnx/layer_tensors.hpp>

namespace atrous {

/// An activation as one operator: Clip with limits, which are inputs, HardSigmoid with alpha, an attribute.
struct onnx_activation {
  activation which;
  const char* type;
  float lowest = 0, highest = 0, alpha = 0;
};
inline constexpr onnx_activation onnx_activations[] = {
    {activation::none, "Identity"},
    {activation::relu, "Relu"},
    {activation::relu6, "Clip", 0, 6},
    {activation::hard_sigmoid, "HardSigmoid", 0, 0, 1 / 6.0F},
    {activation::hard_swish, "HardSwish"}};

/// Turns a network into the nodes and initialisers of an ONNX graph.
class onnx_mapper {
 public:
  /// All of it must outlive what `run` makes.
  onnx_mapper(const recordings& network, const binding& b)
      : network_(network),
        g_(network.first()),
        weights_(std::make_shared<layer_tensors>(g_, b)),
        readers_(g_.nodes.size(), 0),
        values_(g_.nodes.size()),
        extents_(g_.nodes.size()) {
    for (const int from : g_.edges) ++readers_[index(from)];
    ++readers_[index(g_.output)];
  }

  /// The graph from value `image` to value `logits`, inputs and outputs still without types. Throws std::invalid_argument,
  /// naming the layer, for what has no form in ONNX.
  onnx_builder run() {
    for (const char* name : {"image", "logits", "labels"}) build_.unique(name);  // theirs alone
    for (int i = 0; i < g_.size(); ++i) {
      if (values_[index(i)].empty()) map(i);  // else folded into the layer before it
    }
    if (g_.output == 0) values_[0] = build_.add("", "Identity", {values_[0]});
    build_.rename(values_[index(g_.output)], "logits");
    return std::move(build_);
  }

 private:
  using numbers = std::vector<std::int64_t>;
  using attributes = std::vector<onnx_attribute>;
  struct row {
    op_kind kind;
    void (onnx_mapper::*map)(int);
  };

  void map(int i) {
    static constexpr row rows[] = {{op_kind::input, &onnx_mapper::input},
                                   {op_kind::normalise, &onnx_mapper::affine},
                                   {op_kind::convolution, &onnx_mapper::convolution},
                                   {op_kind::depthwise, &onnx_mapper::convolution},
                                   {op_kind::batch_norm, &onnx_mapper::affine},
                                   {op_kind::activate, &onnx_mapper::activate},
                                   {op_kind::max_pool, &onnx_mapper::max_pool},
                                   {op_kind::average_pool, &onnx_mapper::average_pool},
                                   {op_kind::resize, &onnx_mapper::resize},
                                   {op_kind::add, &onnx_mapper::add},
                                   {op_kind::scale, &onnx_mapper::scale},
                                   {op_kind::concat, &onnx_mapper::concat}};
    const auto found = std::find_if(std::begin(rows), std::end(rows),
                                    [&](const row& r) { return r.kind == g_[i].what.kind; });
    if (found == std::end(rows)) {
      const bool own = g_[i].what.kind >= op_kind::own;
      refuse(i, (own ? "a primitive of one's own (kind " : "a primitive (kind ") +
                    std::to_string(static_cast<int>(g_[i].what.kind)) +
                    ") has no form in ONNX; expected layers of the library");
    }
    (this->*found->map)(i);
  }

  // ---- layers

  void input(int i) { values_[index(i)] = "image"; }

  /// x * scale + shift: normalisation, and a batch norm that no convolution takes up.
  void affine(int i) {
    const bool norm = g_[i].what.kind == op_kind::batch_norm;
    const source from{norm ? -1 : i, norm ? i : -1};
    const numbers shape{1, g_[i].out.channels, 1, 1};
    const std::string factor = tensor(i, norm ? "scale" : "factors", from, layer_part::kernel, shape);
    const std::string offset = tensor(i, norm ? "shift" : "offsets", from, layer_part::bias, shape);
    values_[index(i)] = node(i, "Add", {node(i, "Mul", {x(i), factor}), offset});
  }

  /// Dense and depthwise, with the batch norm behind it if nobody else reads what lies between.
  void convolution(int i) {
    const op& o = g_[i].what;
    const bool dense = o.kind == op_kind::convolution, border = o.pad.outside == padding::border::per_channel;
    const int norm = norm_behind(i), channels = g_[g_.input(i)].out.channels;
    const source from{i, norm};
    const numbers shape{g_[i].out.channels, dense ? channels : 1, o.kernel, o.kernel};
    std::string in = x(i);
    if (border) in = node(i, "Sub", {in, tensor(i, "border", from, layer_part::border, {1, channels, 1, 1})});
    std::vector<std::string> inputs{
        in, tensor(i, dense ? "weights" : "depthwise_weights", from, layer_part::kernel, shape)};
    if (o.bias || norm >= 0 || border)
      inputs.push_back(tensor(i, "biases", from, layer_part::bias, {g_[i].out.channels}));
    attributes window = window_of(o);
    if (o.rate > 1) window.push_back({"dilations", numbers{o.rate, o.rate}});
    if (!dense) window.push_back({"group", std::int64_t{channels}});
    values_[index(i)] = node(i, "Conv", inputs, window);
    if (norm >= 0) values_[index(norm)] = values_[index(i)];
  }

  void activate(int i) {
    const auto found = std::find_if(std::begin(onnx_activations), std::end(onnx_activations),
                                    [&](const onnx_activation& a) { return a.which == g_[i].what.act; });
    if (found == std::end(onnx_activations)) {
      refuse(i, "an activation (number " + std::to_string(static_cast<int>(g_[i].what.act)) +
                    ") has no form in ONNX; expected one of the library");
    }
    std::vector<std::string> inputs{x(i)};
    if (found->lowest < found->highest)
      inputs.insert(inputs.end(), {limit_of_clip(found->lowest), limit_of_clip(found->highest)});
    attributes with;
    if (found->alpha != 0) with.push_back({"alpha", found->alpha});
    values_[index(i)] = node(i, found->type, inputs, with);
  }

  void max_pool(int i) { values_[index(i)] = node(i, "MaxPool", {x(i)}, window_of(g_[i].what)); }

  void average_pool(int i) {
    const op& o = g_[i].what;
    if (network_.sees_whole(i)) {
      values_[index(i)] = node(i, "GlobalAveragePool", {x(i)});
      return;
    }
    if (!network_.same_window(i))
      refuse(i, "the pooling window depends on the image's extents; expected a fixed one or the whole input");
    values_[index(i)] = node(i, "AveragePool", {x(i)},
                             {{"kernel_shape", numbers{o.window_height, o.window_width}},
                              {"strides", numbers{o.stride, o.stride}}});
  }

  void resize(int i) {
    const auto rule = network_.extents_of(i);
    if (!rule)
      refuse(i, "its extents (" + text_of(g_[i].out) +
                    ") follow no layer before it; expected those of a layer, a multiple of its input's, or "
                    "two fixed numbers");
    const attributes how{{"mode", std::string("linear")},
                         {"coordinate_transformation_mode", std::string(mode_of(g_[i].what.corner))}};
    if (rule->by == extent_rule::of::input) {
      const std::vector<float> factors{1, 1, static_cast<float>(rule->rows),
                                       static_cast<float>(rule->columns)};
      const std::string scales = build_.add_constant(within(i, "scales"), factors);
      values_[index(i)] = node(i, "Resize", {x(i), "", scales}, how);
      return;
    }
    const std::string extents =
        rule->by == extent_rule::of::node
            ? extents_like(rule->node)
            : build_.add_constant(within(i, "extents"), numbers{rule->rows, rule->columns});
    const std::string kept = node(i, "Shape", {x(i)}, {{"start", std::int64_t{0}}, {"end", std::int64_t{2}}});
    const std::string sizes = node(i, "Concat", {kept, extents}, {{"axis", std::int64_t{0}}});
    values_[index(i)] = node(i, "Resize", {x(i), "", "", sizes}, how);
  }

  void add(int i) { values_[index(i)] = node(i, "Add", inputs_of(i)); }
  void scale(int i) { values_[index(i)] = node(i, "Mul", inputs_of(i)); }
  void concat(int i) { values_[index(i)] = node(i, "Concat", inputs_of(i), {{"axis", std::int64_t{1}}}); }

  // ---- their parts

  /// Windows of convolutions and max poolings. Kernels are odd, so that only a stride makes SAME depend on the extents.
  static attributes window_of(const op& o) {
    attributes made{{"kernel_shape", numbers{o.kernel, o.kernel}}, {"strides", numbers{o.stride, o.stride}}};
    const padding& p = o.pad;
    const std::int64_t half = std::int64_t{o.kernel - 1} * o.rate / 2;
    if (p.by == padding::rule::given)
      made.push_back({"pads", numbers{p.top, p.left, p.bottom, p.right}});
    else if (p.by == padding::rule::same && o.stride > 1 && o.kernel > 1)
      made.push_back({"auto_pad", std::string("SAME_UPPER")});
    else
      made.push_back({"pads", numbers{half, half, half, half}});
    return made;
  }

  static const char* mode_of(corners corner) {
    return corner == corners::aligned      ? "align_corners"
           : corner == corners::half_pixel ? "half_pixel"
                                           : "asymmetric";
  }

  /// The batch norm that takes up what layer i makes, as the planner folds it; -1 for none.
  int norm_behind(int i) const {
    if (readers_[index(i)] != 1) return -1;
    for (int k = i + 1; k < g_.size(); ++k) {
      if (g_[k].what.kind == op_kind::batch_norm && g_.input(k) == i) return k;
    }
    return -1;
  }

  /// Height and width of what node k makes, as a value of the graph.
  std::string extents_like(int k) {
    std::string& made = extents_[index(k)];
    if (made.empty())
      made = node(k, "Shape", {values_[index(k)]}, {{"start", std::int64_t{2}}, {"end", std::int64_t{4}}});
    return made;
  }

  std::string limit_of_clip(float limit) {
    std::string& made = limits_[limit];
    if (made.empty())
      made = build_.add_constant("clip/" + std::to_string(static_cast<int>(limit)), std::vector<float>{limit},
                                 true);
    return made;
  }

  std::string tensor(int i, const char* leaf, source from, layer_part part, numbers shape) {
    return build_.add_tensor(within(i, leaf), std::move(shape), [weights = weights_, from, part] {
      return std::as_bytes(weights->part(from, part));
    });
  }

  std::string node(int i, const char* type, std::vector<std::string> inputs, attributes with = {}) {
    return build_.add(scope_of(i), type, std::move(inputs), std::move(with));
  }
  std::string scope_of(int i) const { return g_.scope_name(g_[i].scope); }
  std::string within(int i, const char* leaf) const { return onnx_builder::within(scope_of(i), leaf); }

  const std::string& x(int i) const { return values_[index(g_.input(i))]; }
  std::vector<std::string> inputs_of(int i) const {
    std::vector<std::string> all;
    for (const int from : g_.inputs(i)) all.push_back(values_[index(from)]);
    return all;
  }

  [[noreturn]] void refuse(int i, const std::string& why) const {
    const std::string scope = scope_of(i);
    throw std::invalid_argument("ONNX: layer " + std::to_string(i) +
                                (scope.empty() ? "" : ", " + printable(scope)) + ": " + why);
  }

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }

  const recordings& network_;
  graph_view g_;
  std::shared_ptr<layer_tensors> weights_;
  std::vector<int> readers_;
  std::vector<std::string> values_;   // that nodes of the network make; "" before
  std::vector<std::string> extents_;  // of them, where a resize asked for them
  std::map<float, std::string> limits_;
  onnx_builder build_;
};

}  // namespace atrous
