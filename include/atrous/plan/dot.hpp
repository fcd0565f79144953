// SPDX-License-Identifier: MIT
#pragma once
// A network as a picture: a text for Graphviz (`dot -Tsvg`).
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <atrous/plan/diagram.hpp>

namespace atrous {

class dot_printer {
 public:
  dot_printer(graph_view g, std::string_view title) : g_(g), diagram_(diagram_of(g)), title_(title) {
    for (std::size_t b = 0; b < diagram_.boxes.size(); ++b)
      boxes_in_[index(diagram_.boxes[b].frame)].push_back(static_cast<int>(b));
    for (std::size_t f = 1; f < diagram_.frames.size(); ++f) {
      const bool drawn = diagram_.frames[f].items > 1;
      if (drawn) frames_in_[index(diagram_.frames[f].outer)].push_back(static_cast<int>(f));
    }
    for (int i = 0; i < g.size(); ++i) {
      for (int from : g.inputs(i)) {
        const int a = diagram_.box_of_node[index(from)], b = diagram_.box_of_node[index(i)];
        if (a == b) continue;
        arrows_.emplace_back(a, b);
        readers_[index(a)].push_back(b);
      }
    }
  }

  std::string text() const {
    std::string arrows;
    for (const auto& [from, to] : arrows_) arrows += arrow(from, to);
    std::string all(head);
    all.append("  label=<").append(heading(arrows)).append(">\n");
    for (std::size_t b = 0; b < diagram_.boxes.size(); ++b) all += box(static_cast<int>(b));
    all.append("  output [label=<").append(strong("output")).append(" ");
    all.append(faint(text_of(g_[g_.output].out))).append("> ").append(grey).append("]\n");
    all += frame(0, 0) + arrows;
    return all + "  " + id(diagram_.box_of_node[index(g_.output)]) + " -> output\n}\n";
  }

 private:
  // Colours that people who see fewer of them tell apart, too: boxes also say what they do.
  static constexpr std::string_view grey = R"(fillcolor="#eaeef2" color="#6e7781")",
                                    white = R"(fillcolor="#ffffff" color="#57606a")",
                                    blue = R"(fillcolor="#b6e3ff" color="#0969da")",
                                    light_blue = R"(fillcolor="#ddf4ff" color="#0969da")",
                                    yellow = R"(fillcolor="#fff3c4" color="#bf8700")",
                                    pink = R"(fillcolor="#fbe3f1" color="#a0408a")",
                                    green = R"(fillcolor="#e2f5e4" color="#1a7f37")", violet = "#8250df",
                                    orange = "#bc4c00";

  static constexpr std::string_view head = R"(digraph network {
  graph [fontname=Helvetica fontsize=12 fontcolor="#57606a" labelloc=t ranksep=0.22 nodesep=0.3]
  node [fontname=Helvetica fontsize=11 fontcolor="#24292f" shape=box style="rounded,filled" height=0.25 width=0.3
        margin="0.11,0.05"]
  edge [color="#57606a" arrowsize=0.6 weight=10]
)";

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::string id(int box) { return "b" + std::to_string(box); }

  // ---- texts

  /// A name as labels have it, HTML-like or quoted; what is not printable ASCII becomes \xNN.
  static std::string escaped(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : name) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte > 0x7e) {
        text += "&#92;x";
        text += digits[byte >> 4];
        text += digits[byte & 15];
      } else if (std::string_view("&<>\"\\").find(c) != std::string_view::npos) {
        text.append("&#").append(std::to_string(byte)).append(";");
      } else {
        text += c;
      }
    }
    return text;
  }
  static std::string strong(std::string_view name) { return "<B>" + escaped(name) + "</B>"; }
  static std::string coloured(std::string_view text, std::string_view colour) {
    return std::string("<FONT COLOR=\"").append(colour).append("\">").append(text).append("</FONT>");
  }
  static std::string faint(std::string_view text) { return coloured(text, "#57606a"); }
  static std::string text_of_cost(const cost& c) {
    return with_separators(c.parameters) + " parameters, " + with_separators(c.madds) + " multiply-adds";
  }

  std::string heading(std::string_view arrows) const {
    std::string legend;
    const auto explain = [&](std::string_view colour, std::string_view words) {
      if (arrows.find(colour) != std::string_view::npos) legend += coloured(words, colour) + " ";
    };
    explain(violet, "&#8594; shortcut");
    explain(orange, "&#8594; features from inside");
    const std::string title = title_.empty() ? "" : strong(title_) + "<BR/>";
    return title + text_of_cost(total(g_)) + (legend.empty() ? "" : "<BR/>" + legend) + "<BR/> ";
  }

  // ---- boxes and frames

  static std::string_view colours(const op& o) {
    switch (o.kind) {
      case op_kind::input:
        return grey;
      case op_kind::convolution:
        return o.kernel == 1 ? light_blue : blue;
      case op_kind::depthwise:
        return yellow;
      case op_kind::max_pool:
      case op_kind::average_pool:
        return pink;
      default:
        return o.kind >= op_kind::own ? green : white;
    }
  }

  std::string box(int number) const {
    const diagram_box& b = diagram_.boxes[index(number)];
    const node& n = g_[b.node];
    std::string text = "  " + id(number) + " [label=<";
    if (n.what.kind == op_kind::add) {
      text += b.does.empty() ? "+" : "+ then " + b.does;
    } else {
      text += (b.layer ? strong(b.name) : escaped(b.name)) + " " + faint(text_of(b.out));
      if (!b.does.empty()) text.append("<BR/>").append(b.does);
    }
    const std::string path = g_.scope_name(n.scope);
    text.append("> tooltip=\"").append(escaped(path.empty() ? b.name : path));
    if (b.costs != cost{}) text.append("&#10;").append(text_of_cost(b.costs));
    text.append("\" ").append(colours(n.what));
    return text + "]\n";
  }

  std::string frame(int at, int depth) const {
    std::string all;
    if (at > 0) {
      all.append("  subgraph cluster_").append(std::to_string(at)).append(" {\n    label=<");
      all.append(escaped(diagram_.frames[index(at)].name));
      all.append("> labeljust=l style=\"rounded,filled\" color=\"#afb8c1\" fillcolor=\"");
      all.append(depth % 2 == 1 ? "#f6f8fa\"\n" : "#ffffff\"\n");
      for (int b : boxes_in_[index(at)]) all.append("    ").append(id(b)).append("\n");
    }
    for (int f : frames_in_[index(at)]) all += frame(f, depth + 1);
    return at > 0 ? all + "  }\n" : all;
  }

  // ---- arrows

  int outermost_frame(int box) const {
    int f = diagram_.boxes[index(box)].frame;
    while (diagram_.frames[index(f)].outer > 0) f = diagram_.frames[index(f)].outer;
    return f;
  }

  /// Whether an arrow leaves an outermost frame from the middle: the features that a decoder takes.
  bool taps(int from, int to) const {
    const int frame = outermost_frame(from);
    if (frame == 0 || outermost_frame(to) == frame) return false;
    const auto stays = [&](int reader) { return outermost_frame(reader) == frame; };
    return std::any_of(readers_[index(from)].begin(), readers_[index(from)].end(), stays);
  }

  std::string arrow(int from, int to) const {
    const int apart = diagram_.boxes[index(to)].depth - diagram_.boxes[index(from)].depth;
    std::string text = "  " + id(from) + " -> " + id(to);
    if (taps(from, to)) {
      text.append(" [weight=1 penwidth=2.5 color=\"").append(orange).append("\"]");
    } else if (apart > 1 && readers_[index(from)].size() > 1) {
      text.append(" [weight=1 color=\"").append(violet).append("\"]");
    }
    return text + "\n";
  }

  graph_view g_;
  diagram diagram_;
  std::string title_;
  std::vector<std::vector<int>> boxes_in_{diagram_.frames.size()}, frames_in_{diagram_.frames.size()};
  std::vector<std::vector<int>> readers_{diagram_.boxes.size()};  // of a box
  std::vector<std::pair<int, int>> arrows_{};
};

/// The network as a graph in Graphviz' language: a box for every layer with its name, the shape behind it, its window,
/// batch norm and activation, in frames by scope. Shortcuts are violet; what leaves a frame from the middle, as the
/// low-level features of a decoder do, is a thick orange line. In SVG a box shows its whole path and its cost under the
/// mouse. `title` stands above.
inline std::string dot_of(graph_view g, std::string_view title = {}) { return dot_printer(g, title).text(); }

}  // namespace atrous
