// The self-test that a file of weights brings: found right, found wrong, missing, impossible.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/self_test.hpp>

#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/scratch.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

const model<tiny::deeplab, openmp>& net() {
  static const model<tiny::deeplab, openmp> made(rule_weights::make(graph_of<tiny::deeplab>));
  return made;
}

/// Weights with a self-test of a picture, in memory of their own.
struct tested {
  image picture = made_picture(20, 31);
  tensor<float> logits = net().logits(all_of(picture));
  tensor_set file = rule_weights::make(graph_of<tiny::deeplab>);

  tested() {
    const auto& [rows, columns, classes] = logits.extent;
    file.source = "tested";
    file.tensors.push_back({std::string(self_test_image),
                            element_type::u8,
                            {20, 31, 3},
                            std::as_bytes(std::span(picture.pixels))});
    file.tensors.push_back({std::string(self_test_logits),
                            element_type::f32,
                            {rows, columns, classes},
                            std::as_bytes(std::span(logits.data))});
    sort_by_name(file);
  }

  stored_tensor& part(std::string_view name) { return const_cast<stored_tensor&>(*file.find(name)); }
  double run() const {
    workspace<openmp> w;
    return self_test(net(), w, file);
  }
  std::string refused() const {
    return message_of<std::runtime_error>([&] { run(); });
  }
};

}  // namespace

TEST_CASE("a self-test passes where the numbers come out again, and its tensors are none of the network's") {
  const tested good;
  CHECK(has_self_test(good.file));
  CHECK(good.run() == 0);
  const weights_report report = compare(graph_of<tiny::deeplab>, good.file);
  CHECK(report.fits());
  CHECK(report.ignored == 2);
  const model<tiny::deeplab, reference> plain(good.file);
  workspace<reference> w;
  const double off = self_test(plain, w, good.file);
  CHECK(off > 0);
  CHECK(off < 1e-5);
}

TEST_CASE("a self-test says how far the numbers are off") {
  tested changed;
  float& one = changed.logits.data[7];
  one += 0.25F;
  double largest = 0;
  for (const float x : changed.logits.data) largest = std::max(largest, std::abs(double{x}));
  CHECK(changed.run() == doctest::Approx(0.25 / largest).epsilon(1e-5));
  one = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isinf(changed.run()));
  changed.logits.data.assign(changed.logits.data.size(), 0);
  CHECK(std::isinf(changed.run()));
}

TEST_CASE("a file without a self-test, and ones that cannot be, are refused by name") {
  const auto without = rule_weights::make(graph_of<tiny::deeplab>);
  CHECK_FALSE(has_self_test(without));
  workspace<openmp> w;
  CHECK(message_of<std::runtime_error>([&] { self_test(net(), w, without); }) ==
        "the weight rule: expected a self-test, found no tensor \"self_test/image\"");

  tested flat;
  flat.part(self_test_image).shape = {20, 93};
  CHECK(flat.refused() == "tested: tensor \"self_test/image\": expected three extents of U8, found 20x93 U8");
  tested empty;
  empty.part(self_test_image).shape = {20, 31, 0};
  CHECK(says(empty.refused(), "found 20x31x0 U8"));
  tested huge;
  huge.part(self_test_image).shape = {1 << 20, 1 << 20, 3};
  CHECK_THROWS_AS(huge.run(), std::invalid_argument);  // more than its bytes
  tested typed;
  typed.part(self_test_logits).type = element_type::i32;
  CHECK(says(typed.refused(), "expected three extents of F32"));
  tested turned;
  std::swap(turned.part(self_test_logits).shape[0], turned.part(self_test_logits).shape[1]);
  CHECK(turned.refused() == "tested: tensor \"self_test/logits\": expected 5x8x5, found 8x5x5");
  tested damaged;
  damaged.file.verify = [](const stored_tensor& t) { throw std::runtime_error("damaged " + t.name); };
  CHECK(damaged.refused() == "damaged self_test/image");
}
