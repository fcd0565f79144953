// SPDX-License-Identifier: MIT
#pragma once
// A network as boxes in frames, for diagrams. A convolution shares its box with the batch norm and the activations that
// belong to it alone; frames are scopes that hold more than one thing.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/plan/print.hpp>

namespace atrous {

/// A layer with what is folded into it.
struct diagram_box {
  int node = 0;        // that it stands for first of all
  bool layer = false;  // whether it owns parameters and a scope
  std::string name{};  // of a layer: the rest of its path inside its frame; of others: what they are
  std::string does{};  // "3x3 /2 + norm + relu6"
  shape out{};
  cost costs{};
  int frame = 0;  // that it lies in, 0: none
  int depth = 0;  // boxes on the longest way from the image
};

/// A scope, entered once or often.
struct diagram_frame {
  std::string name{};
  int outer = 0;  // frame around it, 0: none
  int items = 0;  // boxes and frames in it; with one alone it is not drawn
};

/// A network as boxes in frames, both in its order; frame 0 is the whole diagram.
struct diagram {
  std::vector<diagram_box> boxes;
  std::vector<diagram_frame> frames = std::vector<diagram_frame>(1);
  std::vector<int> box_of_node;
};

class diagram_builder {
 public:
  explicit diagram_builder(graph_view g) : g_(g), leader_(g.nodes.size()), readers_(g.nodes.size(), 0) {
    for (int from : g.edges) ++readers_[index(from)];
    for (int i = 0; i < g.size(); ++i) fold(i);
  }

  diagram run() {
    make_boxes();
    for (int i = 0; i < g_.size(); ++i) describe(i);
    for (diagram_box& b : made_.boxes) put_into_scope(b);
    for (std::size_t b = made_.boxes.size(); b-- > 0;) put_beside_reader(made_.boxes[b]);
    leave_out_frames_of_one();
    return std::move(made_);
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  op_kind kind(int node) const { return g_[node].what.kind; }
  bool windowed(int node) const {
    return kind(node) == op_kind::convolution || kind(node) == op_kind::depthwise;
  }
  diagram_box& box_of(int node) { return made_.boxes[index(made_.box_of_node[index(node)])]; }

  /// Batch norm, activation and scaling of pixels go to what they alone read; an activation with nothing to go to goes
  /// to the convolution that alone reads it.
  void fold(int i) {
    leader_[index(i)] = i;
    if (g_[i].inputs.count == 0) return;
    const int from = g_.input(i), leader = leader_[index(from)];
    if (readers_[index(from)] != 1) return;
    const op_kind ahead = kind(leader);
    const bool follows = (kind(i) == op_kind::batch_norm && windowed(leader)) ||
                         (kind(i) == op_kind::activate &&
                          (windowed(leader) || ahead == op_kind::batch_norm || ahead == op_kind::add)) ||
                         (kind(i) == op_kind::normalise && ahead == op_kind::input);
    if (follows) leader_[index(i)] = leader;
    if (windowed(i) && ahead == op_kind::activate) leader_[index(from)] = i;
  }

  void make_boxes() {
    made_.box_of_node.resize(g_.nodes.size(), -1);
    for (int i = 0; i < g_.size(); ++i) {
      if (leader_[index(i)] != i) continue;
      made_.box_of_node[index(i)] = static_cast<int>(made_.boxes.size());
      made_.boxes.push_back({.node = i, .layer = is_layer(i), .name = name_of(i)});
    }
    for (int i = 0; i < g_.size(); ++i)
      made_.box_of_node[index(i)] = made_.box_of_node[index(leader_[index(i)])];
  }

  void describe(int i) {
    diagram_box& box = box_of(i);
    const op& o = g_[i].what;
    std::string does;
    if (windowed(i) || o.kind == op_kind::max_pool) {
      does = window_of(o) + (o.kind == op_kind::depthwise ? " depthwise" : o.bias ? " + bias" : "");
    } else if (o.kind == op_kind::activate) {
      does = word(o.act);
    } else if (box.node != i) {
      does = o.kind == op_kind::batch_norm ? "norm" : word(o.kind);
    }
    if (!does.empty()) box.does += (box.does.empty() ? "" : " + ") + does;
    box.out = g_[i].out;
    box.costs += cost_of(g_, i);
    for (int from : g_.inputs(i)) {
      if (leader_[index(from)] != box.node) box.depth = std::max(box.depth, box_of(from).depth + 1);
    }
  }

  bool is_layer(int i) const { return !g_.parameters_of(i).empty() && g_[i].scope != 0; }

  std::string name_of(int i) const {
    std::string name(is_layer(i) ? g_.scope_name(g_[i].scope) : word(kind(i)));
    if (is_layer(i)) return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
  }

  // ---- frames

  void put_into_scope(diagram_box& box) {
    std::string path = g_.scope_name(g_[box.node].scope);
    if (box.layer) path.erase(path.find('/') == std::string::npos ? 0 : path.rfind('/'));
    box.frame = frame_at(path);
    ++made_.frames[index(box.frame)].items;
  }

  /// What no scope holds, such as a resize in a decoder, is drawn beside its only reader.
  void put_beside_reader(diagram_box& box) {
    const int i = box.node;
    const bool free = g_[i].scope == 0 && i > 0 && g_.parameters_of(i).empty() && readers_[index(i)] == 1;
    for (int k = i + 1; k < g_.size() && free; ++k) {
      const auto from = g_.inputs(k);
      if (std::find(from.begin(), from.end(), i) == from.end() || leader_[index(k)] == i) continue;
      --made_.frames[index(box.frame)].items;
      box.frame = box_of(k).frame;
      ++made_.frames[index(box.frame)].items;
    }
  }

  int frame_at(const std::string& path) {
    int at = 0;
    for (std::size_t begin = 0; begin < path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      at = inner_frame(at, path.substr(begin, end - begin));
      begin = end + 1;
    }
    return at;
  }

  int inner_frame(int outer, const std::string& name) {
    for (std::size_t f = 1; f < made_.frames.size(); ++f) {
      if (made_.frames[f].outer == outer && made_.frames[f].name == name) return static_cast<int>(f);
    }
    ++made_.frames[index(outer)].items;
    made_.frames.push_back({name, outer, 0});
    return static_cast<int>(made_.frames.size()) - 1;
  }

  /// What a frame of one thing is called becomes part of that thing's name. Outer frames stand before inner ones.
  void leave_out_frames_of_one() {
    const auto rename = [&](std::string& name, int& frame, bool layer) {
      const diagram_frame& around = made_.frames[index(frame)];
      if (frame == 0 || around.items != 1) return;
      if (layer) name = around.name + "/" + name;
      frame = around.outer;
    };
    for (diagram_frame& f : made_.frames) rename(f.name, f.outer, true);
    for (diagram_box& b : made_.boxes) rename(b.name, b.frame, b.layer);
  }

  graph_view g_;
  std::vector<int> leader_;   // of a node: the node whose box it lies in
  std::vector<int> readers_;  // of a node
  diagram made_{};
};

/// The boxes and frames of a network.
inline diagram diagram_of(graph_view g) { return diagram_builder(g).run(); }

}  // namespace atrous
