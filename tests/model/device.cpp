// A policy with memory of its own: the model moves data by upload and download alone, and no more of it than
// must be moved.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include <atrous/model/model.hpp>

#include "../backend/device_policy.hpp"
#include "../support/pictures.hpp"
#include "../support/rule_weights.hpp"
#include "../support/tiny.hpp"

namespace {

using namespace atrous;

tensor_set weights() { return rule_weights::make(graph_of<tiny::deeplab>); }

/// What a piece of work moves.
template <class Work>
traffic moved_by(const Work& work) {
  device::seen = {};
  work();
  return device::seen;
}

}  // namespace

TEST_CASE("device memory is closed to the host") {
  const auto reads = [] {
    const device::buffer b = device::allocate(64);
    const volatile std::byte* first = device::address(b);
    ::_exit(first[0] == std::byte{1});
  };
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // what doctest or a sanitizer would catch
    reads();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("a device computes what the reference computes, to the bit") {
  const model<tiny::deeplab, device> there(weights());
  const model<tiny::deeplab, reference> here(weights());
  const image picture = made_picture(60, 70);
  workspace<device> w;
  for (const crop& c : {crop(33, 47, 3, 9), crop(1, 1), crop(60, 70)}) {
    CHECK(there.logits(c.of(picture), w).data == here.logits(c.of(picture)).data);
    CHECK(there.labels(c.of(picture), w).data == here.labels(c.of(picture)).data);
  }
  std::vector<std::uint8_t> two = picture.pixels;
  two.insert(two.end(), picture.pixels.rbegin(), picture.pixels.rend());
  const pixels_view batch(two.data(), {60, 70, 3}, 2);
  CHECK(there.logits(batch, w).data == here.logits(batch).data);
  const std::vector<float> numbers(picture.pixels.begin(), picture.pixels.end());
  const pixels_view floats(numbers.data(), {60, 70, 3});
  CHECK(there.labels(floats, w).data == here.labels(floats).data);
  CHECK(there.probabilities(floats, w).data == here.probabilities(floats).data);
  const pixels_view backwards = pixels_view::picture(pixel_order::bgr, two.data(), 60, 70);
  CHECK(there.logits(backwards, w).data == here.logits(backwards).data);
  CHECK(there.logits(backwards.mirrored(), w).data == here.logits(backwards.mirrored()).data);
}

TEST_CASE("weights go up once, when they are loaded") {
  const tensor_set w = weights();
  std::unique_ptr<model<tiny::deeplab, device>> net;
  const traffic loading = moved_by([&] { net = std::make_unique<model<tiny::deeplab, device>>(w); });
  CHECK(loading.downloads == 0);
  CHECK(loading.launches == 0);
  CHECK(loading.bytes_up <= static_cast<std::size_t>(net->runner().weight_bytes()));
  // every convolution and every depthwise: a kernel and a bias; the projection in two parts
  int windows = 1;
  for (const node& n : graph_view(graph_of<tiny::deeplab>).nodes)
    windows += n.what.kind == op_kind::convolution || n.what.kind == op_kind::depthwise;
  CHECK(loading.uploads == 2 * windows);
}

TEST_CASE("a run moves the image up and the results down") {
  const model<tiny::deeplab, device> net(weights());
  const image picture = made_picture(33, 47);
  workspace<device> w;
  const plan& p = net.prepare(w, 33, 47);
  const traffic labels = moved_by([&] { net.labels(all_of(picture), w); });
  CHECK(labels.bytes_up == 33 * 47 * 3);
  CHECK(labels.downloads == 1);
  CHECK(labels.bytes_down == 33 * 47);
  const int both = static_cast<int>(p.steps.size());  // with probabilities and labels
  CHECK(labels.launches == both - 1);
  const traffic logits = moved_by([&] { net.logits(all_of(picture), w); });
  CHECK(logits.bytes_up == 33 * 47 * 3);
  CHECK(logits.downloads == 1);
  CHECK(logits.bytes_down == 9 * 12 * 5 * sizeof(float));
  CHECK(logits.launches == both - 2);
  const traffic probabilities = moved_by([&] { net.probabilities(all_of(picture), w); });
  CHECK(probabilities.downloads == 1);
  CHECK(probabilities.bytes_down == 33 * 47 * 5 * sizeof(float));
  CHECK(probabilities.launches == both - 1);
}

TEST_CASE("moving a model and a workspace moves their device memory") {
  model<tiny::deeplab, device> first(weights());
  const image picture = made_picture(20, 30);
  workspace<device> w;
  const tensor<float> expected = first.logits(all_of(picture), w);
  const model<tiny::deeplab, device> second(std::move(first));
  CHECK(second.logits(all_of(picture), w).data == expected.data);
  workspace<device> moved(std::move(w));
  CHECK(second.logits(all_of(picture), moved).data == expected.data);
  w = workspace<device>();
  CHECK(second.logits(all_of(picture), w).data == expected.data);
}

TEST_CASE("a workspace that was moved away can be used again") {
  const model<tiny::deeplab, reference> net(rule_weights::make(graph_of<tiny::deeplab>));
  const image picture = made_picture(20, 30);
  workspace<reference> w;
  const tensor<float> expected = net.logits(all_of(picture), w);
  const workspace<reference> moved(std::move(w));
  CHECK(moved.arena_bytes() > 0);
  CHECK(w.arena_bytes() == 0);
  CHECK(net.logits(all_of(picture), w).data == expected.data);
}
