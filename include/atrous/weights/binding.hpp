// SPDX-License-Identifier: MIT
#pragma once
// Finds for every parameter of a network its tensor in a file, before anything is read. What does not fit is
// reported whole: missing, unexpected, wrong shape, each by name.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/graph/graph.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/stored_tensor.hpp>

namespace atrous {

/// How a file and a network differ. Every line names a tensor; `unfit` adds what was expected and found.
struct weights_report {
  std::string source;
  std::vector<std::string> missing, unexpected, unfit;
  int ignored = 0;      // training state and self-test, which no layer takes
  bool folded = false;  // batch norm comes as biases

  std::size_t differences() const { return missing.size() + unexpected.size() + unfit.size(); }
  bool fits() const { return differences() == 0; }

  /// "1 missing, 0 unexpected, 2 of another shape or type".
  std::string counts() const {
    return std::to_string(missing.size()) + " missing, " + std::to_string(unexpected.size()) +
           " unexpected, " + std::to_string(unfit.size()) + " of another shape or type";
  }

  /// One line: the counts and the first three names.
  std::string summary() const {
    std::string text = printable(source) + ": does not fit the network: " + counts();
    std::vector<std::string> all = unfit;
    for (const std::string& name : missing) all.push_back("missing " + name);
    for (const std::string& name : unexpected) all.push_back("unexpected " + name);
    for (std::size_t i = 0; i < all.size() && i < 3; ++i) text += (i == 0 ? ": " : "; ") + all[i];
    return text;
  }

  /// All lines.
  std::string text() const {
    std::string lines = summary();
    for (const std::string& name : missing) lines += "\n  missing     " + name;
    for (const std::string& name : unexpected) lines += "\n  unexpected  " + name;
    for (const std::string& name : unfit) lines += "\n  unfit       " + name;
    return lines;
  }
};

/// Thrown when weights do not fit; what() gives every name, `report.summary()` one line.
struct weights_mismatch : std::invalid_argument {
  weights_report report;
  explicit weights_mismatch(weights_report r) : std::invalid_argument(r.text()), report(std::move(r)) {}
};

/// The tensor of every parameter of a graph. Null where batch norm comes folded: then the place of `beta`
/// holds the biases that took its role.
struct binding {
  std::string source;
  std::vector<const stored_tensor*> tensors;  // as graph.parameters
  std::vector<std::string> names;
  std::function<void(std::span<const std::byte>)> release = {};  // the file's
  std::function<void(const stored_tensor&)> verify = {};         // the file's
};

/// The tensors of a self-test (model/self_test.hpp), which belong to no layer.
inline constexpr std::string_view self_test_image = "self_test/image", self_test_logits = "self_test/logits";
constexpr bool is_self_test(std::string_view name) {
  return name == self_test_image || name == self_test_logits;
}

/// Whether a tensor is training state or an ImageNet classifier, which checkpoints carry along.
inline bool is_training_state(std::string_view name, const tensor_set& all) {
  if (name == "global_step" || name == "beta1_power" || name == "beta2_power") return true;
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view leaf = name.substr(slash + 1), base = name.substr(0, slash);
  for (std::string_view slot :
       {"Momentum", "Adam", "Adam_1", "RMSProp", "RMSProp_1", "ExponentialMovingAverage"}) {
    if (leaf == slot) return all.find(base) != nullptr;
  }
  return name.find("/logits/") != std::string_view::npos || name.find("/Logits/") != std::string_view::npos;
}

/// The extents of a parameter as those of a stored tensor.
inline std::vector<std::int64_t> shape_of(const parameter& p) {
  return {p.extents.begin(), p.extents.begin() + p.rank()};
}

/// What is wrong with a tensor that a layer is to take: "NAME (expected SHAPE, found SHAPE)"; empty where nothing is.
inline std::string misfit(const stored_tensor& found, const std::vector<std::int64_t>& expected) {
  const bool real = found.type == element_type::f32 || found.type == element_type::f16 ||
                    found.type == element_type::bf16 || found.type == element_type::f64;
  if (found.shape == expected && real) return {};
  return printable(found.name) + " (expected " + text_of(expected) + (real ? "" : " F32") + ", found " +
         text_of(found.shape) + (real ? std::string() : std::string(" ").append(name_of(found.type))) + ")";
}

class binder {
 public:
  binder(graph_view g, const tensor_set& file) : g_(g), file_(file) {
    bound_.source = report_.source = file.source;
    bound_.release = file.release;
    bound_.verify = file.verify;
    bound_.tensors.resize(g.parameters.size());
    bound_.names.resize(g.parameters.size());
  }

  weights_report bind() {
    for (int i = 0; i < g_.size(); ++i) {
      for (std::size_t k = first(i); k < last(i); ++k)
        bound_.names[k] = g_.parameter_name(i, g_.parameters[k]);
    }
    for (int i = 0; i < g_.size(); ++i) {
      if (g_[i].what.kind != op_kind::batch_norm || !bind_folded(i)) bind_plain(i);
    }
    for (const stored_tensor& t : file_.tensors) {
      if (used_.contains(t.name)) continue;
      if (is_training_state(t.name, file_) || is_self_test(t.name)) {
        ++report_.ignored;
      } else {
        report_.unexpected.push_back(printable(t.name));
      }
    }
    return report_;
  }

  const binding& bound() const { return bound_; }

 private:
  std::size_t first(int i) const { return static_cast<std::size_t>(g_[i].parameters.first); }
  std::size_t last(int i) const { return first(i) + static_cast<std::size_t>(g_[i].parameters.count); }

  /// SCOPE/BatchNorm/{gamma, ...} may come as SCOPE/biases, with the scale already in SCOPE's kernel.
  bool bind_folded(int i) {
    for (std::size_t k = first(i); k < last(i); ++k) {
      if (file_.find(bound_.names[k]) != nullptr) return false;
    }
    const std::string scope = g_.scope_name(g_[i].scope);
    const std::size_t slash = scope.rfind('/');
    const std::string biases = slash == std::string::npos ? "biases" : scope.substr(0, slash) + "/biases";
    const stored_tensor* found = file_.find(biases);
    const bool taken = std::find(bound_.names.begin(), bound_.names.end(), biases) != bound_.names.end();
    if (found == nullptr || taken) return false;
    for (std::size_t k = first(i); k < last(i); ++k) {
      if (g_.parameters[k].use == role::beta) take(k, *found);
    }
    report_.folded = true;
    return true;
  }

  void bind_plain(int i) {
    for (std::size_t k = first(i); k < last(i); ++k) {
      const stored_tensor* found = file_.find(bound_.names[k]);
      if (found == nullptr) {
        const bool other = std::any_of(file_.others.begin(), file_.others.end(),
                                       [&](const stored_tensor& t) { return t.name == bound_.names[k]; });
        report_.missing.push_back(bound_.names[k] + (other ? " (found, but not as numbers)" : ""));
      } else {
        take(k, *found);
      }
    }
  }

  void take(std::size_t k, const stored_tensor& found) {
    if (!used_.insert(found.name).second) {
      report_.unfit.push_back(printable(found.name) + " (expected one layer of this name, found two)");
    }
    bound_.tensors[k] = &found;
    const parameter& p = g_.parameters[k];
    const std::string problem = misfit(found, shape_of(p));
    if (!problem.empty()) report_.unfit.push_back(problem);
  }

  graph_view g_;
  const tensor_set& file_;
  weights_report report_;
  binding bound_;
  std::set<std::string_view> used_;
};

/// Binds a file to a network. `file` must outlive the result. Throws weights_mismatch if anything does not
/// fit.
inline binding bind(graph_view g, const tensor_set& file) {
  binder b(g, file);
  weights_report report = b.bind();
  if (!report.fits()) throw weights_mismatch(std::move(report));
  return b.bound();
}

/// Compares a file with a network without throwing.
inline weights_report compare(graph_view g, const tensor_set& file) { return binder(g, file).bind(); }

}  // namespace atrous
