// SPDX-License-Identifier: MIT
#pragma once
// A file of a PyTorch implementation as if it were one of ours: names and the order of extents change, numbers stay where they
// are. Only border values are computed.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/weights/binding.hpp>
#include <atrous/weights/dialects/dialect.hpp>
#include <atrous/weights/made_set.hpp>

namespace atrous {

/// The extents of a parameter, in the order of PyTorch: kernels are out x in x rows x columns.
inline std::vector<std::int64_t> torch_shape(const parameter& p) {
  const auto& e = p.extents;
  if (p.use == role::kernel) return {e[3], e[2], e[0], e[1]};
  if (p.use == role::depthwise_kernel) return {e[2], e[3], e[0], e[1]};
  return shape_of(p);
}

/// A tensor of theirs seen in our order: rows x columns x in x out.
inline stored_tensor in_our_order(const stored_tensor& theirs, std::string name, role use) {
  stored_tensor ours = theirs;
  ours.name = std::move(name);
  if ((use != role::kernel && use != role::depthwise_kernel) || theirs.shape.size() != 4) return ours;
  const std::vector<std::int64_t> strides = strides_of(theirs);
  constexpr std::array<std::size_t, 4> dense{2, 3, 1, 0}, by_channel{2, 3, 0, 1};
  ours.strides.resize(4);
  for (std::size_t k = 0; k < 4; ++k) {
    const std::size_t from = use == role::kernel ? dense[k] : by_channel[k];
    ours.shape[k] = theirs.shape[from];
    ours.strides[k] = strides[from];
  }
  if (is_row_major(ours.shape, ours.strides)) ours.strides.clear();
  return ours;
}

/// Finds the parameters of a network in a file of an implementation.
class translator {
 public:
  translator(graph_view g, const tensor_set& file, const dialect& d)
      : g_(g), file_(file), d_(d), made_(file) {
    report_.source = file.source;
    for (int i = 0; i < g_.size(); ++i)
      for (const parameter& p : g_.parameters_of(i)) take(i, p);
    for (const stored_tensor& t : file.tensors) {
      if (used_.contains(t.name)) continue;
      if (passed_over(t.name)) {
        ++report_.ignored;
      } else {
        report_.unexpected.push_back(printable(t.name));
        others_.push_back(&t);
      }
    }
  }

  const weights_report& report() const { return report_; }

  /// The file in our words. Throws weights_mismatch where it does not fit.
  tensor_set made() {
    if (!report_.fits()) throw weights_mismatch(report_);
    return take_all();
  }

  /// What the file has of the network, of whatever shape, in our words, and the rest in its own.
  tensor_set found() {
    for (const stored_tensor* t : others_) made_.add(*t);
    return take_all();
  }

 private:
  tensor_set take_all() {
    for (int i = 0; i < g_.size(); ++i)
      for (const parameter& p : g_.parameters_of(i))
        if (p.use == role::border && has_norm(i))
          made_.add(g_.parameter_name(i, p), shape_of(p), border_of(i));
    return made_.take();
  }

  /// Whether the file has the batch norm that a border follows from, in its shape.
  bool has_norm(int i) const {
    const int norm = g_.input(g_.input(i));
    const auto all = g_.parameters_of(norm);
    return std::all_of(all.begin(), all.end(), [&](const parameter& q) {
      const stored_tensor* t = file_.find(torch_name(d_, g_, norm, q));
      return t != nullptr && misfit(*t, torch_shape(q)).empty();
    });
  }

  bool passed_over(std::string_view name) const {
    if (name.ends_with(".num_batches_tracked")) return true;
    return std::any_of(d_.ignored.begin(), d_.ignored.end(),
                       [name](std::string_view begin) { return name.starts_with(begin); });
  }

  void take(int i, const parameter& p) {
    if (p.use == role::border) return;
    const std::string name = torch_name(d_, g_, i, p);
    const stored_tensor* found = file_.find(name);
    if (found == nullptr) {
      report_.missing.push_back(name.empty() ? g_.parameter_name(i, p) : name);
      return;
    }
    used_.insert(found->name);
    if (const std::string problem = misfit(*found, torch_shape(p)); !problem.empty())
      report_.unfit.push_back(problem);
    made_.add(in_our_order(*found, g_.parameter_name(i, p), p.use));
  }

  /// What a convolution without bias and its batch norm and activation make of zeros: they were padded in front of it.
  std::vector<float> border_of(int i) const {
    const int act = g_.input(i), norm = g_.input(act);
    std::vector<float> numbers[4];
    for (const parameter& q : g_.parameters_of(norm)) {
      const stored_tensor& t = *file_.find(torch_name(d_, g_, norm, q));
      auto& into = numbers[q.use == role::gamma         ? 0
                           : q.use == role::beta        ? 1
                           : q.use == role::moving_mean ? 2
                                                        : 3];
      into.resize(t.elements());
      if (file_.verify) file_.verify(t);
      read_floats(t, into);
    }
    std::vector<float> values(numbers[0].size());
    for (std::size_t c = 0; c < values.size(); ++c) {
      const double deviation = std::sqrt(double{numbers[3][c]} + g_[norm].what.epsilon);
      const double normed = numbers[1][c] - double{numbers[0][c]} * numbers[2][c] / deviation;
      values[c] = static_cast<float>(std::clamp(normed, 0.0, 6.0));
    }
    return values;
  }

  graph_view g_;
  const tensor_set& file_;
  const dialect& d_;
  weights_report report_;
  made_set made_;
  std::vector<const stored_tensor*> others_;
  std::set<std::string_view> used_;
};

/// A file of an implementation in our words, for the network that it is of. Throws weights_mismatch, in theirs, where it does
/// not fit.
inline tensor_set translated(graph_view g, const tensor_set& file, const dialect& d) {
  return translator(g, file, d).made();
}

/// Compares a file of an implementation with a network without throwing.
inline weights_report compare(graph_view g, const tensor_set& file, const dialect& d) {
  return translator(g, file, d).report();
}

}  // namespace atrous
