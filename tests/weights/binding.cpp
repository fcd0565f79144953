// What is said about weights that do not fit a network: every tensor by name, with what was expected and found.
#include <doctest/doctest.h>

#include <atrous/graph/compose.hpp>
#include <atrous/graph/network.hpp>
#include <atrous/layers/separable.hpp>
#include <atrous/weights/binding.hpp>

#include "../support/rule_weights.hpp"
#include "../support/scratch.hpp"
#include "../support/tensors.hpp"

namespace {

using namespace atrous;
using lines = std::vector<std::string>;

wire define(wire x) {
  return x >> separable{.name = "conv", .out = 8} >> in("logits/semantic", pointwise{.out = 5, .bias = true});
}

struct fixture {
  graph net = record(define, {9, 9, 4});
  changeable_tensors file{rule_weights::make(net)};
  weights_report compared() const { return compare(net, file.set()); }
};

}  // namespace

TEST_CASE("weights that fit") {
  fixture f;
  const weights_report r = f.compared();
  CHECK(r.fits());
  CHECK_FALSE(r.folded);
  CHECK(r.ignored == 0);
  const tensor_set file = f.file.set();
  const binding b = bind(f.net, file);
  CHECK(b.tensors.size() == f.net.parameters.size());
  CHECK(b.names.front() == "conv_depthwise/depthwise_weights");
  CHECK(b.tensors.front() == file.find("conv_depthwise/depthwise_weights"));
}

TEST_CASE("what is missing, unexpected or of another shape is told by name") {
  fixture f;
  f.file.remove("conv_pointwise/BatchNorm/gamma");
  f.file.remove("logits/semantic/biases");
  f.file.put("decoder/weights", {2}, {1, 2});
  f.file.reshape("conv_pointwise/weights", {1, 1, 4, 9});
  f.file.reshape("conv_depthwise/BatchNorm/beta", {1, 4});
  const weights_report r = f.compared();
  CHECK_FALSE(r.fits());
  CHECK(r.missing == lines{"conv_pointwise/BatchNorm/gamma", "logits/semantic/biases"});
  CHECK(r.unexpected == lines{"decoder/weights"});
  CHECK(r.unfit == lines{"conv_depthwise/BatchNorm/beta (expected 4, found 1x4)",
                         "conv_pointwise/weights (expected 1x1x4x8, found 1x1x4x9)"});
}

TEST_CASE("numbers that are not real are of another type") {
  fixture f;
  f.file.put("logits/semantic/biases", {5}, {1, 2, 3, 4, 5}, element_type::i32);
  CHECK(f.compared().unfit == lines{"logits/semantic/biases (expected 5 F32, found 5 I32)"});
}

TEST_CASE("shorter and longer floating-point numbers fit") {
  fixture f;
  f.file.put("logits/semantic/biases", {5}, std::vector<float>(10), element_type::f64);
  CHECK(f.compared().fits());
  f.file.put("conv_depthwise/BatchNorm/beta", {4}, std::vector<float>(2), element_type::bf16);
  CHECK(f.compared().fits());
  f.file.put("conv_depthwise/BatchNorm/beta", {4}, std::vector<float>(2), element_type::f16);
  CHECK(f.compared().fits());
}

TEST_CASE("the summary is one line, the exception gives every name") {
  fixture f;
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"})
    f.file.remove(std::string("conv_depthwise/BatchNorm/") + name);
  f.file.put("evil\nname", {1}, {0});
  const tensor_set file = f.file.set();
  const std::string all = message_of<weights_mismatch>([&] { bind(f.net, file); });
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"})
    CHECK(says(all, std::string("\n  missing     conv_depthwise/BatchNorm/") + name));
  CHECK(says(all, "\n  unexpected  evil\\x0aname"));
  try {
    bind(f.net, file);
  } catch (const weights_mismatch& error) {
    const std::string line = error.report.summary();
    CHECK(is_plain_line(line));
    CHECK(says(
        line,
        "made.safetensors: does not fit the network: 4 missing, 1 unexpected, 0 of another shape or type: "));
    CHECK(says(line, "missing conv_depthwise/BatchNorm/gamma; missing conv_depthwise/BatchNorm/beta; "));
    CHECK_FALSE(says(line, "moving_variance"));  // the first three will do
  }
}

TEST_CASE("training state and classifiers of other tasks are left aside and counted") {
  fixture f;
  f.file.put("global_step", {1}, {30000});
  f.file.put("conv_pointwise/weights/Momentum", {1, 1, 4, 8}, std::vector<float>(32));
  f.file.put("logits/semantic/biases/Adam_1", {5}, std::vector<float>(5));
  f.file.put("beta1_power", {1}, {0.9F});
  f.file.put("xception_65/logits/weights", {1}, {0});
  const weights_report r = f.compared();
  CHECK(r.fits());
  CHECK(r.ignored == 5);
  f.file.put("conv_pointwise/wrong/Momentum", {1}, {0});  // a slot of nothing
  CHECK(f.compared().unexpected == lines{"conv_pointwise/wrong/Momentum"});
}

TEST_CASE("batch norm may come folded into biases") {
  fixture f;
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"})
    f.file.remove(std::string("conv_pointwise/BatchNorm/") + name);
  f.file.put("conv_pointwise/biases", {8}, std::vector<float>(8, 1));
  const weights_report r = f.compared();
  CHECK(r.fits());
  CHECK(r.folded);
  f.file.reshape("conv_pointwise/biases", {7});
  CHECK(f.compared().unfit == lines{"conv_pointwise/biases (expected 8, found 7)"});
}

TEST_CASE("half a batch norm is not a folded one") {
  fixture f;
  f.file.remove("conv_pointwise/BatchNorm/gamma");
  f.file.put("conv_pointwise/biases", {8}, std::vector<float>(8, 1));
  const weights_report r = f.compared();
  CHECK_FALSE(r.folded);
  CHECK(r.missing == lines{"conv_pointwise/BatchNorm/gamma"});
  CHECK(r.unexpected == lines{"conv_pointwise/biases"});
}

TEST_CASE("biases of the layer itself are not taken for a batch norm") {
  const auto biased = [](wire x) { return x >> in("conv", pointwise{.out = 3, .bias = true} >> normed{}); };
  const graph net = record(biased, {9, 9, 4});
  changeable_tensors file(rule_weights::make(net));
  CHECK(compare(net, file.set()).fits());
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"})
    file.remove(std::string("conv/BatchNorm/") + name);
  CHECK(compare(net, file.set()).missing.size() == 4);
}

TEST_CASE("a network without parameters takes an empty file") {
  const graph net = record([](wire x) { return x; }, {9, 9, 4});
  CHECK(compare(net, {}).fits());
}
