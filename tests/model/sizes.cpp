// Images of any extents, and what is said about those that do not fit.
#include <doctest/doctest.h>

#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/runtime.hpp"
#include "../support/scratch.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

using tiny_model = model<tiny::deeplab, reference>;

const tiny_model& tiny_net() {
  static const tiny_model net(rule_weights::make(graph_of<tiny::deeplab>));
  return net;
}

std::string refusal(const std::function<void()>& work) { return message_of<std::invalid_argument>(work); }

inference<reference> made(const std::function<wire(wire)>& define, shape image) {
  return runtime<reference>(define, image, rule_weights::make(record(define, image)));
}

}  // namespace

TEST_CASE("alternating sizes give what fresh workspaces give") {
  const image picture = made_picture(70, 70);
  workspace<reference> w;
  for (int k = 0; k < 2; ++k) {
    for (const crop& c : {crop(33, 47), crop(1, 1), crop(70, 70), crop(2, 3), crop(64, 17, 5, 5)}) {
      CHECK(tiny_net().logits(c.of(picture), w).data == tiny_net().logits(c.of(picture)).data);
      const tensor<std::uint8_t> labels = tiny_net().labels(c.of(picture), w);
      CHECK(labels.extent == shape{c.height, c.width, 1});
      CHECK(labels.data == tiny_net().labels(c.of(picture)).data);
    }
  }
}

TEST_CASE("an image of one pixel") {
  const image pixel = made_picture(1, 1);
  const tensor<float> logits = tiny_net().logits(all_of(pixel));
  CHECK(logits.extent == shape{1, 1, 5});
  for (float logit : logits.data) CHECK(std::isfinite(logit));
  const auto best = std::max_element(logits.data.begin(), logits.data.end()) - logits.data.begin();
  CHECK(tiny_net().labels(all_of(pixel)).data == std::vector<std::uint8_t>{static_cast<std::uint8_t>(best)});
}

TEST_CASE("images that do not fit are refused with what was found") {
  const image grey = made_picture(9, 9, 1), colour = made_picture(9, 9);
  CHECK(refusal([&] { tiny_net().labels(all_of(grey)); }) == "image has 1 channels, the network expects 3");
  CHECK(refusal([&] { tiny_net().labels(pixels_view()); }) == "image must not be empty: 1 of 0x0x3");
  pixels_view none = all_of(colour);
  none.height = 0;
  CHECK(refusal([&] { tiny_net().logits(none); }) == "image must not be empty: 1 of 0x9x3");
  none = all_of(colour);
  none.batch = 0;
  CHECK(refusal([&] { tiny_net().logits(none); }) == "image must not be empty: 0 of 9x9x3");
  none = all_of(colour);
  none.data = nullptr;
  CHECK(refusal([&] { tiny_net().logits(none); }) == "image must not be empty: 1 of 9x9x3");
  workspace<reference> w;
  CHECK(says(refusal([&] { tiny_net().prepare(w, 0, 9); }), "image must not be empty: 0x9x3"));
}

TEST_CASE("results of other extents are refused with both") {
  const image picture = made_picture(33, 47);
  workspace<reference> w;
  tensor<std::uint8_t> labels(1, {33, 46, 1});
  const auto run = [&](const results& out) {
    return refusal([&] { tiny_net().run(all_of(picture), out, w); });
  };
  CHECK(run({.labels = labels.view()}) == "labels: room for 1 of 33x46x1, the network gives 1 of 33x47x1");
  tensor<std::uint8_t> two(2, {33, 47, 1});
  CHECK(run({.labels = two.view()}) == "labels: room for 2 of 33x47x1, the network gives 1 of 33x47x1");
  tensor<float> logits(1, {33, 47, 5});
  CHECK(run({.logits = logits.view()}) == "logits: room for 1 of 33x47x5, the network gives 1 of 9x12x5");
  CHECK(run({}) == "nothing thrown");
}

TEST_CASE("threads and batches beyond reason are refused") {
  workspace<reference> w(0);
  CHECK(refusal([&] { tiny_net().prepare(w, 9, 9); }) == "threads: expected 1 to 65536, found 0");
  w.threads = 1;
  CHECK(refusal([&] { tiny_net().prepare(w, 9, 9, 65537); }) == "batch: expected 1 to 65536, found 65537");
  CHECK(refusal([&] { tiny_net().prepare(w, 9, 9, 0); }) == "batch: expected 1 to 65536, found 0");
}

TEST_CASE("results may lie in wider memory") {
  const image picture = made_picture(33, 47);
  const tensor<float> expected = tiny_net().logits(all_of(picture));
  std::vector<float> wide(9 * 12 * 8, -1);
  workspace<reference> w;
  tiny_net().run(all_of(picture), {.logits = view<float>(wide.data(), 1, {9, 12, 5}, 8)}, w);
  bool equal = true, untouched = true;
  for (std::size_t k = 0; k < wide.size(); ++k) {
    const std::size_t c = k % 8;
    (c < 5 ? equal : untouched) &= wide[k] == (c < 5 ? expected.data[k / 8 * 5 + c] : -1.0F);
  }
  CHECK(equal);
  CHECK(untouched);
}

TEST_CASE("a network with more than 256 classes gives logits, no labels") {
  const auto net = made([](wire x) { return x >> pointwise{.out = 300}; }, {9, 9, 3});
  const image picture = made_picture(9, 9);
  CHECK(net.logits(all_of(picture)).extent == shape{9, 9, 300});
  CHECK(refusal([&] { net.labels(all_of(picture)); }) ==
        "labels need at most 256 classes, the network gives 9x9x300");
}

TEST_CASE("a network that changes with the extents says so instead of running wrong") {
  const image picture = made_picture(40, 40);
  const auto deeper = [](wire x) {
    x = x >> in("a", pointwise{.out = 4});
    return x.shape().height > 20 ? x >> in("b", pointwise{.out = 4}) : x;
  };
  const auto by_layers = made(deeper, {9, 9, 3});
  CHECK(by_layers.logits(crop(12, 30).of(picture)).extent == shape{12, 30, 4});
  CHECK(refusal([&] { by_layers.logits(all_of(picture)); }) ==
        "the network has another structure at 40x40x3 than at 9x9x3");
  const auto wider = [](wire x) {
    return x >> convolution{.out = 4, .kernel = x.shape().height > 20 ? 11 : 9};
  };
  const auto by_kernel = made(wider, {9, 9, 3});
  CHECK(refusal([&] { by_kernel.logits(all_of(picture)); }) ==
        "the network has another structure at 40x40x3 than at 9x9x3");
  const auto crossed = [](wire x) {
    const wire a = x >> in("a", pointwise{.out = 4}), b = x >> in("b", pointwise{.out = 4});
    return x.shape().height > 20 ? concat(a, b) : concat(b, a);
  };
  const auto by_wiring = made(crossed, {9, 9, 3});
  CHECK(refusal([&] { by_wiring.logits(all_of(picture)); }) ==
        "the network has another structure at 40x40x3 than at 9x9x3");
}

TEST_CASE("a rule that only some extents break is told for these") {
  const auto net = made([](wire x) { return x >> average_pool{.height = 5, .width = 5}; }, {9, 9, 3});
  const image picture = made_picture(9, 9);
  CHECK(net.logits(all_of(picture)).extent == shape{5, 5, 3});
  CHECK(refusal([&] { net.logits(crop(4, 9).of(picture)); }) ==
        "window must fit into the padded input: 5x5x1 and 4x9x3");
}

TEST_CASE("feature maps are given out only where they are kept") {
  const image picture = made_picture(33, 47);
  workspace<reference> w;
  tiny_net().logits(all_of(picture), w);
  CHECK(says(refusal([&] { tiny_net().runner().value_of(3, w); }), "leaves no value"));
  const inference<reference> open = runtime<reference>(
      tiny::plus, {33, 47, 3}, rule_weights::make(graph_of<tiny::deeplab>), plan_options::keep_everything());
  const tensor<float> logits = open.logits(all_of(picture), w);
  const graph_view g = open.runner().network();
  for (int node = 0; node < g.size() - 1; ++node)
    CHECK(open.runner().value_of(node, w).extent == g[node].out);
  CHECK(open.runner().value_of(g.size() - 2, w).data == logits.data);
  const double error = relative_error(logits, tiny_net().logits(all_of(picture)));
  CHECK(error <= 1e-5);
  // Fused, but with memory for each: nodes that are no more say so, and no part is taken for the whole.
  const inference<reference> fused = runtime<reference>(
      tiny::plus, {33, 47, 3}, rule_weights::make(graph_of<tiny::deeplab>), {.reuse = false});
  fused.logits(all_of(picture), w);
  int kept = 0;
  for (int node = 0; node < g.size() - 1; ++node) {
    shape found{};
    const std::string complaint = refusal([&] { found = fused.runner().value_of(node, w).extent; });
    if (found.channels == 0) {
      CHECK(says(complaint, "leaves no value"));
      continue;
    }
    CHECK(found == g[node].out);
    ++kept;
  }
  CHECK(kept > 10);
}
