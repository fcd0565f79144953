// SPDX-License-Identifier: MIT
#pragma once
// Reads the arrays of one layer and folds batch norm into them: y = gamma (Wx - mean) / sqrt(variance + epsilon) +
// beta is a convolution with scaled kernel and a bias. Computed in double; scales and shifts are rounded to float
// before they are applied, their products after.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/plan/step.hpp>
#include <atrous/weights/binding.hpp>

namespace atrous {

/// One layer ready to be packed: kernel as checkpoints lay it out, bias per output channel, border per input
/// channel.
struct folded_layer {
  std::vector<float> kernel, bias, border;
};

/// Whether no number is infinite or none: exponents of ones only. No branch, so that compilers use vectors.
inline bool all_finite(std::span<const float> numbers) {
  constexpr std::int32_t ones = 0x7f800000;
  std::int32_t largest = 0;
  for (const float x : numbers) largest = std::max(largest, std::bit_cast<std::int32_t>(x) & ones);
  return largest < ones;
}

/// Const; threads may share one.
class folder {
 public:
  folder(graph_view g, const binding& b) : g_(g), b_(b) {}

  /// The arrays of a layer and the batch norm folded into it; of a batch norm alone: scale and shift.
  folded_layer operator()(source s) const {
    if (s.layer < 0) return affine(s.norm);
    const op& o = g_[s.layer].what;
    if (o.kind == op_kind::normalise) return normalisation(s.layer);
    folded_layer f;
    if (o.kind != op_kind::convolution && o.kind != op_kind::depthwise) {
      for (std::size_t k = first(s.layer); k < last(s.layer); ++k) append(f.kernel, read(k));
      return f;
    }
    for (std::size_t k = first(s.layer); k < last(s.layer); ++k) {
      const role use = g_.parameters[k].use;
      (use == role::bias ? f.bias : use == role::border ? f.border : f.kernel) = read(k);
    }
    const auto out = static_cast<std::size_t>(g_[s.layer].out.channels);
    f.bias.resize(out);
    if (s.norm >= 0) scale(f, affine(s.norm), out);
    check_folded(f, s.layer);
    if (s.channels > 0) keep_rows(f.kernel, s, out);
    return f;
  }

 private:
  std::size_t first(int i) const { return static_cast<std::size_t>(g_[i].parameters.first); }
  std::size_t last(int i) const { return first(i) + static_cast<std::size_t>(g_[i].parameters.count); }

  static void append(std::vector<float>& all, const std::vector<float>& more) {
    all.insert(all.end(), more.begin(), more.end());
  }

  /// A bound parameter as floats; every one must be finite. Empty where batch norm came folded.
  std::vector<float> read(std::size_t k) const {
    std::vector<float> numbers;
    if (b_.tensors[k] == nullptr) return numbers;
    const stored_tensor& t = *b_.tensors[k];
    numbers.resize(t.elements());
    if (b_.verify) b_.verify(t);
    read_floats(t, numbers);
    if (b_.release) b_.release(t.bytes);
    if (all_finite(numbers)) return numbers;
    const auto wrong = std::find_if(numbers.begin(), numbers.end(), [](float x) {
      return !all_finite({&x, 1});
    });
    throw std::invalid_argument(printable(b_.source) + ": tensor " + printable(t.name) + ": element " +
                                std::to_string(wrong - numbers.begin()) + " of " +
                                std::to_string(numbers.size()) + " is " + std::to_string(*wrong) +
                                ", expected a finite number");
  }

  /// The channel's last extent varies fastest in a dense kernel; a depthwise kernel has one column per
  /// channel.
  static void scale(folded_layer& f, const folded_layer& norm, std::size_t out) {
    for (std::size_t row = 0; row < f.kernel.size(); row += out)
      for (std::size_t o = 0; o < out; ++o)
        f.kernel[row + o] *= norm.kernel[o];  // rounded once, as if computed in double
    for (std::size_t o = 0; o < out; ++o)
      f.bias[o] = static_cast<float>(double{f.bias[o]} * norm.kernel[o] + norm.bias[o]);
  }

  /// The rows of a 1 x 1 kernel that a step reads.
  static void keep_rows(std::vector<float>& kernel, const source& s, std::size_t out) {
    const auto row = [&](int i) {
      return kernel.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * out);
    };
    kernel.erase(row(s.first + s.channels), kernel.end());
    kernel.erase(kernel.begin(), row(s.first));
  }

  /// Finite numbers may fold to others, where float32 is too narrow for their product.
  void check_folded(const folded_layer& f, int layer) const {
    if (all_finite(f.kernel) && all_finite(f.bias)) return;
    throw std::invalid_argument(
        printable(b_.source) + ": " + g_.scope_name(g_[layer].scope) +
        ": batch norm folded into the kernel gives numbers beyond float32, expected finite ones");
  }

  /// Batch norm as x * scale + shift.
  folded_layer affine(int i) const {
    std::vector<float> gamma, beta, mean, variance;
    for (std::size_t k = first(i); k < last(i); ++k) {
      switch (g_.parameters[k].use) {
        case role::gamma:
          gamma = read(k);
          break;
        case role::beta:
          beta = read(k);
          break;
        case role::moving_mean:
          mean = read(k);
          break;
        default:
          variance = read(k);
      }
    }
    folded_layer f{std::vector<float>(beta.size(), 1.0F), beta, {}};
    for (std::size_t c = 0; c < variance.size(); ++c) {
      const double scale = gamma[c] / std::sqrt(double{variance[c]} + g_[i].what.epsilon);
      if (!std::isfinite(scale)) {
        throw std::invalid_argument(printable(b_.source) + ": " + g_.scope_name(g_[i].scope) +
                                    ": moving_variance of channel " + std::to_string(c) + " is " +
                                    std::to_string(variance[c]) + ", expected more than -epsilon");
      }
      f.kernel[c] = static_cast<float>(scale);
      f.bias[c] = static_cast<float>(beta[c] - mean[c] * scale);
    }
    return f;
  }

  folded_layer normalisation(int i) const {
    folded_layer f;
    for (int c = 0; c < g_[i].out.channels; ++c) {
      f.kernel.push_back(g_[i].what.factors[static_cast<std::size_t>(c < 3 ? c : 3)]);
      f.bias.push_back(g_[i].what.offsets[static_cast<std::size_t>(c < 3 ? c : 3)]);
    }
    return f;
  }

  graph_view g_;
  const binding& b_;
};

}  // namespace atrous
