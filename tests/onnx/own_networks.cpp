// Writes networks that no program knows as ONNX models, with pictures and the logits that `reference` makes of them:
// own_networks FOLDER [NAME...], the NAMEs of published networks besides. check.py has ONNX Runtime make the same.
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <atrous/backend/reference.hpp>
#include <atrous/model/runtime_model.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/onnx.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

#define main main_of_the_example
#include "../../examples/own_backbone.cpp"
#undef main

namespace {

constexpr padding per_channel{.outside = padding::border::per_channel};
constexpr normalise scaled = normalise::to_unit_range();
constexpr normed after{}, linear{.act = activation::none};

/// Batch norm that nothing takes up or that several read, borders with values, biases of a layer's own.
wire norms(wire image) {
  const wire x = image >> scaled >> in("alone", batch_norm{.epsilon = 1e-2F});
  const wire y = x >>
                 in("dense", convolution{.out = 5, .kernel = 3, .bias = true, .pad = per_channel} >> after) >>
                 in("apart", depthwise{.rate = 2, .pad = per_channel} >> linear);
  const wire sum = y + (x >> in("shortcut", pointwise{.out = 5} >> after));
  const wire shared = sum >> in("shared", pointwise{.out = 5});
  return (shared >> in("after", batch_norm{})) + shared;
}

/// Every rule of padding, odd strides, large kernels, poolings.
wire windows_of_all_kinds(wire image) {
  constexpr padding same = padding::same();
  wire x =
      image >> scaled >> in("five", convolution{.out = 6, .kernel = 5, .stride = 2, .pad = same} >> after);
  x = x >> in("seven", convolution{.out = 6, .kernel = 7, .bias = true, .pad = padding::given(1, 4, 3, 0)});
  x = x >> in("wide", depthwise{.kernel = 3, .rate = 3, .pad = same} >> after) >> max_pool{};
  x = x >> in("third", convolution{.out = 8, .kernel = 3, .stride = 3, .pad = same} >> after);
  x = x >> max_pool{.kernel = 3, .stride = 1, .pad = {}} >> max_pool{.kernel = 1, .stride = 2};
  const wire window = x >> average_pool{.height = 2, .width = 3} >> in("window", pointwise{.out = 8});
  const wire stride = x >> average_pool{.height = 1, .width = 2, .stride = 2} >> resize_to(x.shape());
  return x + (window >> resize_to(x.shape())) + stride;
}

/// Every rule of corners, up and down, to the extents of layers, to fixed ones, by factors, from a single pixel.
wire resizes(wire image) {
  const wire x = image >> scaled >> in("root", convolution{.out = 6, .kernel = 3, .stride = 2} >> after);
  const wire small = x >> in("small", depthwise{.stride = 2});
  std::vector<wire> parts{x};
  for (const corners corner : {corners::aligned, corners::half_pixel, corners::asymmetric}) {
    parts.push_back(small >> resize_to(x.shape(), corner));
    parts.push_back(image >> scaled >> resize_to(x.shape(), corner));
    parts.push_back(x >> average_pool{} >> resize_to(x.shape(), corner));
    parts.push_back(small >> resize{7, 5, corner} >> resize_to(x.shape(), corner));
    parts.push_back(small >> resize{2 * small.shape().height, 3 * small.shape().width, corner} >>
                    resize_to(x.shape(), corner));
  }
  return concat(parts) >> in("mixed", pointwise{.out = 4}) >> resize_to(image.shape(), corners::half_pixel);
}

/// Squeeze and excitation; five channels, those beyond the fourth normalised as the fourth; no batch norm at all.
wire excited(wire image) {
  const normalise five{{1 / 255.0F, 1 / 200.0F, 1 / 100.0F, 0.01F}, {-0.5F, 0.25F, 0, -1}};
  const wire x = image >> five >> in("root", convolution{.out = 8, .kernel = 3, .bias = true}) >> relu6{};
  const wire gates = x >> average_pool{} >> in("squeeze", pointwise{.out = 2, .bias = true}) >> relu{} >>
                     in("excite", pointwise{.out = 8, .bias = true}) >> hard_sigmoid{};
  return scale(x, gates) >> hard_swish{} >> in("classes", pointwise{.out = 3});
}

/// Halves and doubles as networks do that take multiples of 32 only.
wire multiples(wire image) {
  wire x = image >> scaled;
  std::vector<wire> skips;
  for (int k = 0; k < 5; ++k) {
    skips.push_back(x);
    x = x >> separable{.name = {"down", k}, .out = 4 + k, .stride = 2, .pad = padding::same()};
  }
  for (int k = 5; k-- > 0;) {
    const shape s = x.shape();
    const wire doubled = x >> resize{2 * s.height, 2 * s.width, corners::half_pixel};
    x = concat(doubled, skips[static_cast<std::size_t>(k)]) >>
        in({"up", k}, convolution{.out = 4, .kernel = 3} >> after);
  }
  return x;
}

struct own_network {
  std::string name;
  std::function<wire(wire)> define;
  shape image;
  std::vector<std::array<int, 2>> sizes{{65, 65}, {97, 129}, {64, 80}};
};

void write(const std::filesystem::path& folder, const own_network& net) {
  const graph g = record(net.define, net.image);
  const tensor_set weights = rule_weights::make(g);
  write_onnx(folder / (net.name + ".onnx"), net.define, net.image, weights, {.name = net.name});
  const runtime_model<reference> model(net.define, net.image, weights);
  for (const auto& [height, width] : net.sizes) {
    const image picture = made_picture(height, width, net.image.channels);
    const tensor<float> logits = model.logits({picture.pixels.data(), {height, width, net.image.channels}});
    const std::vector<float> pixels(picture.pixels.begin(), picture.pixels.end());
    const auto stored = [](const char* name, shape s, const std::vector<float>& numbers) {
      return stored_tensor{
          name, element_type::f32, {s.height, s.width, s.channels}, std::as_bytes(std::span(numbers))};
    };
    const std::array tensors{stored("image", {height, width, net.image.channels}, pixels),
                             stored("logits", logits.extent, logits.data)};
    const std::string size = std::to_string(height) + "x" + std::to_string(width);
    write_safetensors(folder / (net.name + "." + size + ".safetensors"), tensors);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: own_networks FOLDER [NAME...]\n", stderr), 1;
  std::vector<own_network> networks{
      {"own_backbone", phone.define, phone.image},
      {"tiny", tiny::plus, tiny::deeplab.image},
      {"norms", norms, {33, 47, 3}},
      {"windows", windows_of_all_kinds, {95, 120, 3}},
      {"resizes", resizes, {33, 47, 3}, {{65, 65}, {97, 129}, {64, 80}, {3, 4}, {1, 1}}},
      {"excited", excited, {33, 47, 5}},
      {"multiples", multiples, {64, 96, 3}, {{64, 96}, {32, 32}, {160, 64}}},
      {"nothing", [](wire image) { return image; }, {8, 9, 3}}};
  for (const std::string name : std::span(argv + 2, argv + argc)) {
    const deeplab_options o = network_named(name);
    networks.push_back({name, [o](wire image) { return build(image, o); }, {65, 65, 3}});
  }
  for (const own_network& net : networks) write(argv[1], net);
}
