// SPDX-License-Identifier: MIT
#pragma once
// Plans as text for people: a line for every step, with what is folded into it and where its result lies.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/plan/cost.hpp>
#include <atrous/plan/plan.hpp>

namespace atrous {

/// "41,258,213"
inline std::string with_separators(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > sign + 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

/// "3.20" with two digits behind the point.
inline std::string with_digits(double number, int digits) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  return text.data();
}

/// "3.2 MiB"
inline std::string mebibytes(std::int64_t bytes) {
  return with_digits(static_cast<double>(bytes) / (1 << 20), 1) + " MiB";
}

/// Columns as wide as their longest text. One letter of `sides` per column: l to the left, r to the right.
class text_table {
 public:
  text_table(std::string_view sides, std::vector<std::string> head) : sides_(sides), rows_{std::move(head)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::vector<std::size_t> widths(sides_.size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    }
    std::string all;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string gap(widths[c] - row[c].size(), ' ');
        if (c > 0) line += "  ";
        line += sides_[c] == 'r' ? gap + row[c] : row[c] + gap;
      }
      line.erase(line.find_last_not_of(' ') + 1);
      all += line;
      all += '\n';
    }
    return all;
  }

 private:
  std::string sides_;
  std::vector<std::vector<std::string>> rows_;
};

constexpr std::string_view word(activation act) {
  constexpr std::string_view words[] = {"none", "relu", "relu6", "hard_sigmoid", "hard_swish"};
  return words[static_cast<std::size_t>(act)];
}

/// "3x3", "3x3 /2" for stride 2, "3x3 @12" for rate 12.
inline std::string window_of(const op& o) {
  std::string text = std::to_string(o.kernel);
  text += 'x' + std::to_string(o.kernel);
  if (o.stride > 1) text.append(" /").append(std::to_string(o.stride));
  if (o.rate > 1) text.append(" @").append(std::to_string(o.rate));
  return text;
}
/// The same of a step; empty where nothing slides.
inline std::string window_of(const step& s) {
  switch (s.form.kind) {
    case step_kind::convolution:
    case step_kind::depthwise:
    case step_kind::max_pool:
      return window_of(s.what);
    case step_kind::separable:
      return window_of(s.first);
    default:
      return "";
  }
}

/// The scope of a step's parameters; of a separable step, its pointwise's.
inline std::string layer_of(graph_view g, const step& s) {
  return g.scope_name(g[s.weights.layer >= 0 ? s.weights.layer : s.node].scope);
}

/// What a policy says of a step: (step, extent of x, of y).
using step_text = std::function<std::string(const step&, shape, shape)>;

class plan_printer {
 public:
  plan_printer(graph_view g, plan_view p, step_text how) : g_(g), p_(p), how_(std::move(how)) {}

  std::string text() const {
    std::vector<std::string> head{"step", "kind",   "window", "computes", "in",
                                  "out",  "offset", "rows",   "layer"};
    if (how_) head.push_back("how");
    text_table table(std::string("rlllllrrl") + (how_ ? "l" : ""), head);
    for (std::size_t i = 0; i < p_.steps.size(); ++i) {
      const step& s = p_.steps[i];
      const int index = static_cast<int>(i);
      std::vector<std::string> row{std::to_string(i),
                                   std::string(word(s.form.kind)),
                                   window_of(s),
                                   computes(s),
                                   in(s),
                                   out(s),
                                   s.y < 0 ? "" : with_separators(value_at(s.y).offset),
                                   rows(index) > 0 ? std::to_string(rows(index)) : "",
                                   layer_of(g_, s)};
      if (how_) row.push_back(how(index));
      table.add(std::move(row));
    }
    return table.text() + '\n' + totals();
  }

 private:
  const value& value_at(int v) const { return p_.values[static_cast<std::size_t>(v)]; }

  /// The layers that the step stands for, in their order.
  std::string computes(const step& s) const {
    std::string text;
    const auto then = [&](bool there, std::string_view what) {
      if (there) text.append(text.empty() ? "" : " + ").append(what);
    };
    const structure& f = s.form;
    const bool inner = f.kind == step_kind::convolution || f.kind == step_kind::depthwise;
    then(f.before != activation::none, word(f.before));
    if (f.kind == step_kind::separable) {
      then(true, "depthwise");
      then(s.first_weights.norm >= 0, "batch_norm");
      then(f.between != activation::none, word(f.between));
      then(true, "convolution");
    } else if (f.kind == step_kind::activate) {
      return std::string(word(f.after));
    } else if (f.kind == step_kind::labels) {
      return "resize + argmax";
    } else if (f.kind == step_kind::probabilities) {
      return "resize + softmax";
    } else {
      then(true, word(f.kind));
    }
    then(s.bias >= 0, "bias of the image");
    then((inner || f.kind == step_kind::separable) && s.weights.norm >= 0, "batch_norm");
    then(f.sum, "add");
    then(f.after != activation::none, word(f.after));
    return text;
  }

  std::string in(const step& s) const {
    return s.x < 0 ? text_of(g_.image()) : text_of(value_at(s.x).extent);
  }

  /// The shape, and the channels of a concatenation that it fills.
  std::string out(const step& s) const {
    if (s.form.kind == step_kind::probabilities) return text_of(p_.output);
    if (s.y < 0) return text_of(shape{p_.output.height, p_.output.width, 1});
    const value& v = value_at(s.y);
    std::string text = text_of(v.extent);
    if (v.parent < 0) return text;
    text.append(" at ").append(std::to_string(v.channel)).append(" of ");
    return text + std::to_string(value_at(v.parent).extent.channels);
  }

  /// Rows that a step of a group makes at a time, about; else 0.
  int rows(int i) const {
    for (const band_group& g : p_.groups) {
      if (i < g.first || i > g.last) continue;
      const auto height = [&](int k) {
        return value_at(p_.steps[static_cast<std::size_t>(k)].y).extent.height;
      };
      return (g.rows * height(i) + height(g.last) - 1) / height(g.last);
    }
    return 0;
  }

  /// What the policy says of a step, or of a band of it.
  std::string how(int i) const {
    const step& s = p_.steps[static_cast<std::size_t>(i)];
    if (s.x < 0 || s.y < 0) return "";
    shape x = value_at(s.x).extent, y = value_at(s.y).extent;
    if (const int made = rows(i); made > 0) {
      x.height = std::max(made * x.height / y.height, 1);
      y.height = made;
    }
    return how_(s, x, y);
  }

  std::string totals() const {
    std::int64_t all = 0;
    for (const value& v : p_.values) all += v.parent < 0 ? elements(v.extent) * p_.batch : 0;
    std::string text = std::to_string(p_.steps.size());
    text.append(" steps of ").append(std::to_string(g_.size())).append(" nodes, batch ");
    text.append(std::to_string(p_.batch)).append("\narena: ").append(with_separators(p_.arena));
    text.append(" elements, ").append(mebibytes(4 * p_.arena)).append(" of float32 (");
    text.append(mebibytes(4 * all)).append(" if no memory were used twice); offsets in elements\n");
    for (const band_group& g : p_.groups)
      text += "steps " + std::to_string(g.first) + " to " + std::to_string(g.last) + " run together, " +
              std::to_string(g.rows) + " rows of the last one at a time\n";
    return text;
  }

  graph_view g_;
  plan_view p_;
  step_text how_;
};

/// The plan of a graph as a table: the steps in their order, with what they compute, the shapes they read and write, where
/// in the arena they write, how many rows at a time where steps run together, and what `how` says of them; then the
/// arena's size.
inline std::string text_of(graph_view g, plan_view p, step_text how = {}) {
  return plan_printer(g, p, std::move(how)).text();
}

}  // namespace atrous
