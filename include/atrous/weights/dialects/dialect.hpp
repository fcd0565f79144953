// SPDX-License-Identifier: MIT
#pragma once
// The words of one PyTorch implementation for one network, and how a parameter of ours is called in them.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <atrous/graph/graph.hpp>
#include <atrous/networks/torch_networks.hpp>
#include <atrous/weights/dialects/head_names.hpp>

namespace atrous {

/// The tables for one network.
struct dialect {
  std::string_view name;    // of the implementation
  std::string_view prefix;  // of the body's modules
  std::span<const module_names> body, head;
  std::span<const std::string_view> ignored = {};  // beginnings of what inference has no use for
  int middle_units = 16;                           // of Xception
};

/// What training or another head leaves in a file.
inline constexpr std::array<std::string_view, 2> auxiliary_heads{"aux_classifier.", "auxiliary_head."};
inline constexpr std::array<std::string_view, 2> mobilenet_twins{"backbone.low_level_features.",
                                                                 "backbone.high_level_features."};
inline constexpr std::array<std::string_view, 1> unused_by_head{"mobilenet_v2.conv_1x1."};

/// The tables of a network of an implementation.
constexpr dialect dialect_of(const torch_network& n) {
  const bool resnet = n.body.starts_with("r"), xception = n.body.starts_with("xception");
  const auto body_of = [&](std::span<const module_names> mobilenet,
                           std::span<const module_names> xceptions) -> std::span<const module_names> {
    if (resnet) return resnet_modules;
    return xception ? xceptions : mobilenet;
  };
  switch (n.family->source) {
    case torch_source::smp: {
      dialect d{"segmentation_models_pytorch", xception ? "encoder.model." : "encoder.",
                body_of(nested_mobilenet_modules, timm_xception_modules), smp_v3_head};
      if (n.family->has_decoder()) d.head = smp_v3plus_head;
      if (n.body == "xception41") d.middle_units = 8;
      return d;
    }
    case torch_source::torchvision:
      return {"torchvision", "backbone.", body_of(mobilenet_v3_modules, {}), torchvision_head,
              auxiliary_heads};
    case torch_source::vainf: {
      dialect d{"VainF", "backbone.", body_of(halved_mobilenet_modules, vainf_xception_modules),
                vainf_v3_head};
      if (n.family->has_decoder()) d.head = vainf_v3plus_head;
      return d;
    }
    case torch_source::jfzhang95:
      return {"jfzhang95", "backbone.", body_of(flat_mobilenet_modules, jfzhang95_xception_modules),
              jfzhang95_head, mobilenet_twins};
    case torch_source::bubbliiiing:
      return {"bubbliiiing", "backbone.", body_of(flat_mobilenet_modules, bubbliiiing_xception_modules),
              bubbliiiing_head};
    case torch_source::mmseg:
      return {"mmsegmentation", "backbone.", resnet_modules, mmseg_head, auxiliary_heads};
    case torch_source::hugging_face:
      break;
  }
  return {"transformers", "mobilenet_v2.", hugging_face_mobilenet_modules, hugging_face_head, unused_by_head};
}

/// The numbers that `#` stands for where a scope matches a pattern.
struct scope_numbers {
  std::array<int, 3> values{};
  int count = 0;
};

constexpr std::optional<scope_numbers> matched(std::string_view pattern, std::string_view scope) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  scope_numbers found;
  while (!pattern.empty()) {
    if (scope.empty()) return std::nullopt;
    if (pattern[0] != '#') {
      if (pattern[0] != scope[0]) return std::nullopt;
      pattern.remove_prefix(1), scope.remove_prefix(1);
      continue;
    }
    int value = 0, digits = 0;
    for (; !scope.empty() && digit(scope[0]) && digits < 4; ++digits, scope.remove_prefix(1))
      value = value * 10 + (scope[0] - '0');
    if (digits == 0) return std::nullopt;
    found.values[static_cast<std::size_t>(found.count++)] = value;
    pattern.remove_prefix(1);
  }
  return scope.empty() ? std::optional(found) : std::nullopt;
}

/// A name of theirs with its numbers put in: {1}, {2-1}, {1*3-2}, {m+3}.
inline std::string filled_in(std::string_view name, const scope_numbers& numbers, int middle_units) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '{') {
      text += name[i];
      continue;
    }
    const char which = name[++i];
    int value = which == 'm' ? middle_units : numbers.values[static_cast<std::size_t>(which - '1')];
    for (++i; name[i] != '}'; i += 2) {
      const int operand = name[i + 1] - '0';
      value = name[i] == '*' ? value * operand : name[i] == '+' ? value + operand : value - operand;
    }
    text += std::to_string(value);
  }
  return text;
}

/// The name of a layer's or, with `norm`, its batch norm's module; empty where the tables have none.
inline std::string module_of(const dialect& d, std::string_view scope, bool norm) {
  const auto search = [&](std::span<const module_names> table, std::string_view prefix,
                          std::string_view wanted) -> std::string {
    for (const module_names& m : table) {
      const auto numbers = matched(m.scope, wanted);
      const std::string_view name = norm ? m.norm : m.layer;
      if (numbers && !name.empty()) return std::string(prefix) + filled_in(name, *numbers, d.middle_units);
    }
    return {};
  };
  const std::string in_head = search(d.head, "", scope);
  if (!in_head.empty()) return in_head;
  const std::size_t root = scope.find('/');  // the backbone's scope
  return root == scope.npos ? std::string() : search(d.body, d.prefix, scope.substr(root + 1));
}

/// What an implementation calls a parameter of node i; empty for what its files do not have (a border, which follows from
/// the batch norm in front of it).
inline std::string torch_name(const dialect& d, graph_view g, int i, const parameter& p) {
  constexpr std::string_view norm = "/BatchNorm";
  std::string scope = g.scope_name(g[i].scope);
  const bool normed = scope.ends_with(norm);
  if (normed) scope.resize(scope.size() - norm.size());
  const std::string module = module_of(d, scope, normed);
  if (module.empty() || p.use == role::border) return {};
  switch (p.use) {
    case role::bias:
    case role::beta:
      return module + ".bias";
    case role::moving_mean:
      return module + ".running_mean";
    case role::moving_variance:
      return module + ".running_var";
    default:
      return module + ".weight";
  }
}

}  // namespace atrous
