// SPDX-License-Identifier: MIT
#pragma once
// Graph -> steps. Walks the nodes from the output back and folds each into the step that makes its input where that is
// exact: batch norm into weights, activations and sums into epilogues, an activation before a depthwise into its loads,
// a concatenation into the addresses that its producers write to.
#include <algorithm>
#include <vector>

#include <atrous/plan/plan.hpp>

namespace atrous {

class fuser {
 public:
  constexpr fuser(graph_view net, plan_options options)
      : g_(net),
        options_(options),
        order_(net.nodes.size(), 0),
        readers_(net.nodes.size(), 0),
        maker_(net.nodes.size(), unmade),
        value_(net.nodes.size(), -1) {
    find_order();
    ++at(readers_, net.output);
    result_.steps.reserve(net.nodes.size());
    result_.values.reserve(net.nodes.size());
  }

  constexpr plan run() {
    for (std::size_t i = 0; i < order_.size(); ++i) fuse(order_[i]);
    finish();
    return std::move(result_);
  }

 private:
  static constexpr int unmade = 1 << 30;  // later than any step: an activation that waits for a reader

  // Every node behind its inputs, these in the order of the description, and none that the output does not need. Not the
  // order of recording: one compiler records the first term of a sum first, another the second. Plain arrays, because this
  // is the compiler's work, too.
  constexpr void find_order() {
    std::vector<int> path(g_.nodes.size(), 0),
        visited(g_.nodes.size(), 0);  // of a node: how many of its inputs
    const node* nodes = g_.nodes.data();
    const int* edges = g_.edges.data();
    int *to = path.data(), *seen = visited.data(), *readers = readers_.data(), *order = order_.data(),
        depth = 0, count = 0;
    to[0] = g_.output;
    while (depth >= 0) {
      const int i = to[depth], k = seen[i];
      if (k == nodes[i].inputs.count) {
        order[count++] = i;
        --depth;
      } else {
        const int from = edges[nodes[i].inputs.first + k];
        seen[i] = k + 1;
        if (readers[from]++ == 0) to[++depth] = from;
      }
    }
    order_.resize(static_cast<std::size_t>(count));
  }

  constexpr void fuse(int i) {
    const op& o = g_[i].what;
    if (i == g_.output && o.kind == op_kind::resize) return;  // becomes part of the last steps
    switch (o.kind) {
      case op_kind::input:
        return input(i);
      case op_kind::normalise:
        return normalise(i);
      case op_kind::batch_norm:
        return batch_norm(i);
      case op_kind::activate:
        return activate(i);
      case op_kind::add:
        return add(i);
      case op_kind::concat:
        return concat(i);
      case op_kind::depthwise:
        return depthwise(i);
      default:
        push(i, {.form = plain(o), .what = o, .weights = {i}});
    }
  }

  static constexpr structure plain(const op& o) {
    switch (o.kind) {
      case op_kind::convolution:
        return windowed(step_kind::convolution, o);
      case op_kind::max_pool:
        return {.kind = step_kind::max_pool};
      case op_kind::average_pool:
        return {.kind = step_kind::average_pool};
      case op_kind::resize:
        return {.kind = step_kind::resize};
      case op_kind::scale:
        return {.kind = step_kind::scale};
      default:
        return {.kind = static_cast<step_kind>(o.kind)};  // own
    }
  }

  constexpr void input(int i) {
    push(i,
         {.form = {.kind = step_kind::input}, .what = {.kind = op_kind::normalise, .factors = {1, 1, 1, 1}}});
  }

  // Only the image's sole reader may change what the input step writes.
  constexpr void normalise(int i) {
    const int from = g_.input(i);
    if (from == 0 && at(readers_, 0) == 1 && options_.fuse) {
      result_.steps[0].what = g_[i].what;
      return become(i, 0);
    }
    push(i, {.form = {.kind = step_kind::batch_norm}, .what = g_[i].what, .weights = {i}});
  }

  constexpr void batch_norm(int i) {
    const int s = sole_maker(g_.input(i));
    if (options_.fold && s >= 0 && result_.steps[index(s)].form.after == activation::none) {
      step& made = result_.steps[index(s)];
      const step_kind kind = made.form.kind;
      if ((kind == step_kind::convolution || kind == step_kind::depthwise) && made.weights.norm < 0 &&
          !made.form.sum) {
        made.weights.norm = i;
        return become(i, s);
      }
    }
    push(i, {.form = {.kind = step_kind::batch_norm}, .what = g_[i].what, .weights = {-1, i}});
  }

  constexpr void activate(int i) {
    const activation act = g_[i].what.act;
    const int s = sole_maker(g_.input(i));
    if (options_.fuse && s >= 0 && only_bounds(act) && takes_activation(result_.steps[index(s)].form)) {
      result_.steps[index(s)].form.after = act;
      return become(i, s);
    }
    const bool may_wait = options_.fuse && act == activation::relu;
    if (!may_wait) materialise(i);  // else a depthwise may apply it to what it loads
  }

  static constexpr bool takes_activation(const structure& form) {
    switch (form.kind) {
      case step_kind::convolution:
      case step_kind::depthwise:
      case step_kind::batch_norm:
      case step_kind::add:
        return form.after == activation::none;
      default:
        return false;
    }
  }

  constexpr void depthwise(int i) {
    const int from = g_.input(i);
    step s{.form = windowed(step_kind::depthwise, g_[i].what), .what = g_[i].what, .weights = {i}};
    if (waits(from) && !s.form.border) {  // the border's values are not activated
      s.form.before = activation::relu;
      s.x = value_of(g_.input(from));
    }
    push(i, s);
  }

  // The sum goes into the convolution that makes one term, if the other term is there by then.
  constexpr void add(int i) {
    int main = g_.input(i, 0), other = g_.input(i, 1);
    if (at(maker_, main) < at(maker_, other) && !waits(other)) std::swap(main, other);
    const int s = sole_maker(main);
    if (options_.fuse && s >= 0 && main != other && at(maker_, other) < s) {
      step& made = result_.steps[index(s)];
      if (made.form.kind == step_kind::convolution && made.form.after == activation::none && !made.form.sum) {
        made.form.sum = true;
        made.other = value_of(other);
        return become(i, s);
      }
    }
    push(i, {.form = {.kind = step_kind::add}, .what = g_[i].what, .other = value_of(g_.input(i, 1))});
  }

  constexpr void concat(int i) {
    const int whole = new_value(g_[i].out);
    int channel = 0, last = 0;
    for (int from : g_.inputs(i)) {
      int part = value_of(from);
      value& v = result_.values[index(part)];
      if (options_.fuse && v.parent < 0) {
        v.parent = whole;
        v.channel = channel;
      } else {
        const int from_part = part;
        part = new_value(g_[from].out);
        result_.values[index(part)].parent = whole;
        result_.values[index(part)].channel = channel;
        result_.steps.push_back({.form = {.kind = step_kind::copy}, .node = i, .x = from_part, .y = part});
        last = static_cast<int>(result_.steps.size()) - 1;
      }
      last = std::max(last, at(maker_, from));
      channel += g_[from].out.channels;
    }
    at(value_, i) = whole;
    at(maker_, i) = last;
  }

  constexpr void finish() {
    const bool resized = g_[g_.output].what.kind == op_kind::resize && g_.output > 0;
    const int logits = resized ? g_.input(g_.output) : g_.output;
    result_.logits = value_of(logits);
    result_.labels = g_[logits].out.channels <= 256;
    const auto last = [&](step_kind kind) {
      result_.steps.push_back({.form = {.kind = kind},
                               .what = resized ? g_[g_.output].what : op{.kind = op_kind::resize},
                               .node = g_.output,
                               .x = result_.logits});
    };
    last(step_kind::probabilities);
    if (result_.labels) last(step_kind::labels);
    result_.output = g_[g_.output].out;
    result_.value_of_node = value_;
  }

  // ---- values and makers of nodes

  template <class T>
  static constexpr T& at(std::vector<T>& all, int i) {
    return all[index(i)];
  }
  static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

  constexpr bool waits(int node) { return at(maker_, node) == unmade; }

  // The step that makes a node's value, if it alone does and nobody else reads that value; else -1.
  constexpr int sole_maker(int node) {
    const bool whole =
        node > 0 && g_[node].what.kind != op_kind::concat;  // of a concatenation: the last part's
    return whole && at(readers_, node) == 1 && !waits(node) ? at(maker_, node) : -1;
  }

  constexpr int value_of(int node) {
    if (waits(node)) materialise(node);
    return at(value_, node);
  }

  constexpr void materialise(int i) {
    push(i, {.form = {.kind = step_kind::activate, .after = g_[i].what.act}, .what = g_[i].what});
  }

  constexpr int new_value(shape extent) {
    result_.values.push_back({.extent = extent});
    return static_cast<int>(result_.values.size()) - 1;
  }

  // A step of its own for node i, which reads what node i reads unless `s` says otherwise.
  constexpr void push(int i, step s) {
    if (i > 0 && s.x < 0) s.x = value_of(g_.input(i));
    if (i > 0 && s.other < 0 && g_[i].inputs.count == 2) s.other = value_of(g_.input(i, 1));
    s.node = i;
    s.y = new_value(g_[i].out);
    at(value_, i) = s.y;
    at(maker_, i) = static_cast<int>(result_.steps.size());
    result_.steps.push_back(s);
  }

  // Node i is folded into step s. What the step made before is no more.
  constexpr void become(int i, int s) {
    at(value_, result_.steps[index(s)].node) = -1;
    at(value_, i) = result_.steps[index(s)].y;
    at(maker_, i) = s;
    result_.steps[index(s)].node = i;
  }

  graph_view g_;
  plan_options options_;
  std::vector<int> order_, readers_, maker_, value_;
  plan result_{};
};

}  // namespace atrous
