// The published models on real photographs: label maps and logits as other implementations gave them.
#include <doctest/doctest.h>

#include <atrous/backend/openmp.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/pictures.hpp"
#include "../support/runtime.hpp"
#include "../support/shared.hpp"

namespace {

using namespace atrous;

struct photo {
  std::string name, network, suffix;
};

const photo photos[] = {{"bird", "deeplabv3_mobilenet_v2_pascal", "pascal"},
                        {"street", "deeplabv3plus_mobilenet_v2_ade20k32", "ade20k32"},
                        {"room", "deeplabv3plus_mobilenet_v2_ade20k32", "ade20k32"}};

double share_of_equal(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  if (a.size() != b.size()) return 0;
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

struct outcome {
  tensor<std::uint8_t> labels;
  tensor<float> logits;
};

/// Labels and logits of one run.
template <class P>
outcome both(const inference<P>& net, const image& whole) {
  workspace<P> w(2);
  const plan& p = net.prepare(w, whole.height, whole.width);
  outcome made{{1, {whole.height, whole.width, 1}}, {1, p.values[static_cast<std::size_t>(p.logits)].extent}};
  net.run(all_of(whole), {.labels = made.labels.view(), .logits = made.logits.view()}, w);
  return made;
}

/// `exact`: what the logits may be off by, relative to the largest.
template <class P>
void check(const photo& p, double exact = 1e-4, double usual = 2e-5) {
  const std::string base = "photos/" + p.name;
  const auto picture = shared(base + ".png"), expected_labels = shared(base + "." + p.suffix + ".png"),
             expected_logits = shared(base + "." + p.suffix + ".logits.safetensors"),
             weights = shared("models/" + p.network + ".safetensors");
  if (!picture || !expected_labels || !expected_logits || !weights) return;
  const image whole = read_image(*picture);
  const inference<P> net = runtime<P>(network_named(p.network), read_safetensors(*weights));
  const auto [labels, logits] = both(net, whole);
  const double share = share_of_equal(labels.data, read_png_indices(*expected_labels).pixels);
  CHECK_MESSAGE(share >= 0.999, p.name, " ", P::name, ": ", share, " of the labels");
  const tensor_set expected = read_safetensors(*expected_logits);
  const double error = relative_error(logits, *expected.find("logits"));
  CHECK_MESSAGE(error <= exact, p.name, " ", P::name, ": logits off by ", error);
  WARN_MESSAGE(error <= usual, p.name, " ", P::name, ": logits off by ", error);
}

}  // namespace

TEST_CASE("published models on photographs, openmp") {
  for (const photo& p : photos) check<openmp>(p);
}

TEST_CASE("published models on photographs, in half") {
  for (const photo& p : photos) check<openmp_half>(p, 1e-2, 5e-3);
}

TEST_CASE("published models on photographs, reference (long)") {
  for (const photo& p : photos) check<reference>(p);
}
