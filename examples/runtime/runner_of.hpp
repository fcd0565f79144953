// SPDX-License-Identifier: MIT
#pragma once
// The runner of one policy. Each policy is compiled once, in a file of its own, for all programs: that is
// where all its kernels come from.
#include <atrous/model/multi_scale.hpp>
#include <atrous/model/profile.hpp>
#include <atrous/model/ranges.hpp>
#include <atrous/model/runtime_model.hpp>
#include <atrous/model/self_test.hpp>
#include <atrous/model/tiled.hpp>

#include "runner.hpp"

namespace programs {

template <atrous::backend Policy>
class runner_of final : public runner {
 public:
  runner_of(const atrous::deeplab_options& network, atrous::shape image, const atrous::tensor_set& weights,
            int threads)
      : model_([network](atrous::wire x) { return atrous::build(x, network); }, image, weights, {}, threads),
        workspace_(threads) {}

  void run(const atrous::pixels_view& image, const atrous::view<std::uint8_t>& labels,
           const manner& how) override {
    const atrous::results out{.labels = labels};
    if (how.tile > 0) {
      atrous::tiled(model_, {.size = how.tile, .overlap = how.tile / 4, .on_tile = how.on_part})
          .run(image, out, workspace_);
    } else if (how.multi_scale || how.flip) {
      atrous::multi_scale_options options{.flip = how.flip, .on_pass = how.on_part};
      if (!how.multi_scale) options.scales = {1};
      atrous::multi_scale(model_, options).run(image, out, workspace_);
    } else {
      model_.run(image, out, workspace_);
    }
  }

  // They still lie in the arena, so that asking for them makes a run no longer.
  atrous::tensor<float> logits() override {
    const atrous::graph_view g = network();
    const bool resized = g[g.output].what.kind == atrous::op_kind::resize;
    const int node = resized ? g.input(g.output) : g.output;
    return model_.runner().value_of(node, workspace_);
  }

  std::string profile(const atrous::pixels_view& image, int runs) override {
    return atrous::text_of(atrous::profile(model_, image, workspace_, runs));
  }

  std::string ranges(const atrous::pixels_view& image) override {
    return atrous::text_of(atrous::ranges(model_, image, workspace_));
  }

  double self_test(const atrous::tensor_set& file) override {
    return atrous::self_test(model_, workspace_, file);
  }

  atrous::graph_view network() const override { return model_.runner().network(); }

 private:
  atrous::runtime_model<Policy> model_;
  atrous::workspace<Policy> workspace_;
};

}  // namespace programs
