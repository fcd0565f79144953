// SPDX-License-Identifier: MIT
#pragma once
// The arrays of a layer as ONNX wants them: (out, in, rows, columns), batch norm folded in. Made when they are written, one
// layer in memory at a time.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <atrous/weights/fold.hpp>

namespace atrous {

/// What of a layer a tensor holds.
enum class layer_part { kernel, bias, border };

class layer_tensors {
 public:
  /// `b` must outlive it.
  layer_tensors(graph_view g, const binding& b) : g_(g), fold_(g, b) {}

  /// The numbers of a part, valid until another layer's are asked for. Throws std::invalid_argument, naming the tensor,
  /// for numbers that are not finite.
  std::span<const float> part(source s, layer_part which) {
    if (!loaded_ || !(s == of_)) {
      loaded_ = false;
      now_ = fold_(s);
      of_ = s;
      loaded_ = true;
      if (s.layer >= 0 && !now_.border.empty()) border_into_bias();
      if (s.layer >= 0) transpose();
    }
    return which == layer_part::kernel ? now_.kernel : which == layer_part::bias ? now_.bias : now_.border;
  }

 private:
  const op& what() const { return g_[of_.layer].what; }
  std::size_t taps() const {
    const auto kernel = static_cast<std::size_t>(what().kernel);
    return kernel * kernel;
  }

  /// A convolution of x with a border is one of x - border with zeros around it, and a constant more.
  void border_into_bias() {
    const std::size_t in = now_.border.size(), out = now_.bias.size();
    const bool dense = what().kind == op_kind::convolution;
    std::vector<double> sum(now_.bias.begin(), now_.bias.end());
    const float* w = now_.kernel.data();
    for (std::size_t tap = 0; tap < taps(); ++tap) {
      for (std::size_t c = 0; c < in; ++c) {
        if (!dense) sum[c] += double{*w++} * now_.border[c];
        for (std::size_t k = 0; dense && k < out; ++k) sum[k] += double{*w++} * now_.border[c];
      }
    }
    now_.bias.assign(sum.begin(), sum.end());
  }

  /// (rows, columns, in, out) -> (out, in, rows, columns); of a depthwise (rows, columns, C, 1) -> (C, 1, rows, columns).
  void transpose() {
    if (what().kind != op_kind::convolution && what().kind != op_kind::depthwise) return;
    const std::size_t filters = now_.kernel.size() / taps();
    const std::size_t out = what().kind == op_kind::convolution ? now_.bias.size() : 1, in = filters / out;
    std::vector<float> turned(now_.kernel.size());
    const float* w = now_.kernel.data();
    for (std::size_t tap = 0; tap < taps(); ++tap)
      for (std::size_t c = 0; c < in; ++c)
        for (std::size_t k = 0; k < out; ++k) turned[(k * in + c) * taps() + tap] = *w++;
    now_.kernel = std::move(turned);
  }

  graph_view g_;
  folder fold_;
  source of_{};
  bool loaded_ = false;
  folded_layer now_;
};

}  // namespace atrous
