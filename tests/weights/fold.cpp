// Folding batch norm changes no result: folded by the library, folded in the file, or run as it stands. Numbers
// that cannot be are named.
#include <doctest/doctest.h>

#include <limits>

#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/scratch.hpp"
#include "../support/tensors.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;
using tiny_model = model<tiny::deeplab, reference>;

// One batch norm that nothing takes up, one in a dense and one in a depthwise convolution with its own bias or border.
constexpr padding per_channel{.outside = padding::border::per_channel};
constexpr wire of_every_kind(wire x) {
  const wire y =
      x >> in("alone", batch_norm{.epsilon = 1e-2F}) >>
      in("dense", convolution{.out = 5, .kernel = 3, .bias = true, .pad = per_channel} >> normed{}) >>
      in("apart", depthwise{.pad = per_channel} >> normed{.act = activation::none});
  return y + (x >> in("shortcut", pointwise{.out = 5} >> normed{}));
}
inline constexpr network kinds{of_every_kind, {9, 11, 3}};

/// The same numbers with every batch norm folded into the layer that stands before it, as some checkpoints come.
changeable_tensors folded(graph_view g, const tensor_set& set) {
  changeable_tensors made(set);
  for (int i = 0; i < g.size(); ++i) {
    if (g[i].what.kind != op_kind::batch_norm) continue;
    const std::string scope = g.scope_name(g[i].scope), layer = scope.substr(0, scope.rfind('/'));
    const auto of = [&](const char* leaf) { return made.numbers(scope + "/" + leaf); };
    const std::vector<float> gamma = of("gamma"), beta = of("beta"), mean = of("moving_mean"),
                             variance = of("moving_variance");
    const bool dense = g[g.input(i)].what.kind == op_kind::convolution;
    const std::string kernel = layer + (dense ? "/weights" : "/depthwise_weights");
    std::vector<float> numbers = made.numbers(kernel), biases;
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const std::size_t c = k % gamma.size();
      numbers[k] =
          static_cast<float>(numbers[k] * (gamma[c] / std::sqrt(double{variance[c]} + g[i].what.epsilon)));
    }
    for (std::size_t c = 0; c < gamma.size(); ++c)
      biases.push_back(static_cast<float>(
          beta[c] - mean[c] * (gamma[c] / std::sqrt(double{variance[c]} + g[i].what.epsilon))));
    made.put(kernel, made.shape(kernel), numbers);
    for (const char* leaf : {"gamma", "beta", "moving_mean", "moving_variance"})
      made.remove(scope + "/" + leaf);
    made.put(layer + "/biases", {static_cast<std::int64_t>(biases.size())}, biases);
  }
  return made;
}

template <const network& Net>
constexpr std::vector<structure> unfused_structures() {
  return distinct_structures(make_plan(graph_of<Net>, 1, plan_options::keep_everything()));
}

template <const network& Net>
inline constexpr std::size_t unfused_count = [] { return unfused_structures<Net>().size(); }();

/// The kernels of a plan in which nothing is folded or fused: the definition.
template <const network& Net>
struct as_it_stands {
  static constexpr plan_options options = plan_options::keep_everything();
  static constexpr auto structures = frozen<unfused_count<Net>>(unfused_structures<Net>());

  template <std::size_t... I>
  static constexpr auto kernels_of(std::index_sequence<I...>) {
    return std::array{kernel_for<reference, structures[I]>()...};
  }
  static constexpr auto kernels = kernels_of(std::make_index_sequence<structures.size()>{});

  static tensor<float> logits(const tensor_set& weights, const image& picture) {
    const engine<reference> run([](shape s) { return record(Net.define, s); }, Net.image,
                                {structures, kernels}, weights, options);
    workspace<reference> w;
    const plan& p = run.prepare_for(all_of(picture), w);
    tensor<float> made(1, p.values[static_cast<std::size_t>(p.logits)].extent);
    run.run(all_of(picture), {.logits = made.view()}, w);
    return made;
  }
};

std::string refusal(changeable_tensors& file) {
  return message_of<std::invalid_argument>([&] { tiny_model net(file.set()); });
}

}  // namespace

TEST_CASE("folded by the library and not folded at all") {
  const image picture = made_picture(33, 47);
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  CHECK(relative_error(tiny_model(weights).logits(all_of(picture)),
                       as_it_stands<tiny::deeplab>::logits(weights, picture)) <= 1e-5);
  const tensor_set others = rule_weights::make(graph_of<kinds>);
  const model<kinds, reference> net(others);
  CHECK(relative_error(net.logits(all_of(picture)), as_it_stands<kinds>::logits(others, picture)) <= 1e-5);
}

TEST_CASE("folded in the file") {
  const image picture = made_picture(33, 47);
  const tensor_set weights = rule_weights::make(graph_of<tiny::deeplab>);
  const changeable_tensors file = folded(graph_of<tiny::deeplab>, weights);
  CHECK(compare(graph_of<tiny::deeplab>, file.set()).folded);
  const tensor<float> expected = tiny_model(weights).logits(all_of(picture));
  CHECK(relative_error(tiny_model(file.set()).logits(all_of(picture)), expected) <= 1e-5);
  CHECK(relative_error(as_it_stands<tiny::deeplab>::logits(file.set(), picture), expected) <= 1e-5);
}

TEST_CASE("one layer folded by hand") {
  constexpr auto define = [](wire x) {
    return x >> in("c", pointwise{.out = 2, .bias = true} >> normed{.epsilon = 0.25F});
  };
  const graph g = record(define, {1, 1, 1});
  changeable_tensors file(rule_weights::make(g));
  file.put("c/weights", {1, 1, 1, 2}, {3, -2});
  file.put("c/biases", {2}, {1, 0.5F});
  file.put("c/BatchNorm/gamma", {2}, {4, 1});
  file.put("c/BatchNorm/beta", {2}, {10, 20});
  file.put("c/BatchNorm/moving_mean", {2}, {2, -1});
  file.put("c/BatchNorm/moving_variance", {2}, {3.75F, 0});  // standard deviations 2 and 0.5
  const tensor_set set = file.set();
  const binding b = bind(g, set);
  const folded_layer f = folder(g, b)({1, 2});
  CHECK(f.kernel == std::vector<float>{6, -4});
  CHECK(f.bias == std::vector<float>{2 + 10 - 4, 1 + 20 + 2});
  CHECK(f.border.empty());
}

TEST_CASE("some input channels of a layer are those rows of it") {
  const graph g =
      record([](wire x) { return x >> in("c", pointwise{.out = 2, .bias = true} >> normed{}); }, {1, 1, 5});
  const tensor_set set = rule_weights::make(g);
  const binding b = bind(g, set);
  const folded_layer whole = folder(g, b)({1, 2});
  for (int first = 0; first < 5; ++first) {
    for (int channels = 1; first + channels <= 5; ++channels) {
      const folded_layer some = folder(g, b)({1, 2, first, channels});
      const auto begin = whole.kernel.begin() + 2 * first;
      CHECK(some.kernel == std::vector<float>(begin, begin + 2 * channels));
      CHECK(some.bias == whole.bias);
    }
  }
}

TEST_CASE("a model keeps nothing of the file") {
  const image picture = made_picture(20, 20);
  auto file = std::make_unique<changeable_tensors>(rule_weights::make(graph_of<tiny::deeplab>));
  const tensor_set set = file->set();
  const tiny_model net(set);
  const tensor<float> expected = net.logits(all_of(picture));
  for (const stored_tensor& t : set.tensors)
    file->number(t.name, 0) = std::numeric_limits<float>::quiet_NaN();
  file.reset();
  CHECK(net.logits(all_of(picture)).data == expected.data);
}

TEST_CASE("numbers that are not finite are named") {
  changeable_tensors file(rule_weights::make(graph_of<tiny::deeplab>));
  file.number("root/weights", 7) = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal(file) ==
        "made.safetensors: tensor root/weights: element 7 of 216 is nan, expected a finite number");
  file.number("root/weights", 7) = -std::numeric_limits<float>::infinity();
  CHECK(refusal(file) ==
        "made.safetensors: tensor root/weights: element 7 of 216 is -inf, expected a finite number");
  file.number("root/weights", 7) = 0;
  file.number("root/BatchNorm/moving_mean", 0) = std::numeric_limits<float>::infinity();
  CHECK(is_plain_line(refusal(file)));
  CHECK(says(refusal(file), "tensor root/BatchNorm/moving_mean: element 0 of 8 is inf"));
}

TEST_CASE("a variance below -epsilon is named") {
  changeable_tensors file(rule_weights::make(graph_of<tiny::deeplab>));
  file.number("root/BatchNorm/moving_variance", 3) = -0.5F;
  CHECK(refusal(file) ==
        "made.safetensors: root/BatchNorm: moving_variance of channel 3 is -0.500000, expected more than "
        "-epsilon");
  file.number("root/BatchNorm/moving_variance", 3) = 0;
  CHECK(refusal(file) == "nothing thrown");
}
