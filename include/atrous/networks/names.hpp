// SPDX-License-Identifier: MIT
#pragma once
// Network names are parsed by the grammar below; what does not belong is refused by name.
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/networks/options.hpp>
#include <atrous/networks/torch_networks.hpp>

namespace atrous {

/// The grammar, for help texts.
inline constexpr std::string_view network_name_grammar =
    "  name   = (\"deeplabv3plus_\" | \"deeplabv3_\") body [head] [stride]\n"
    "  body   = \"xception41\" | \"xception65\" | \"xception71\" | \"xception\"\n"
    "         | (\"resnet50\" | \"resnet101\") [\"_plain\"]\n"
    "         | \"mobilenet_v2\" [\"_dm\" digits]         _dm05 is half the width\n"
    "  head   = \"_dense\" | \"_separable\"              default: dense for ResNet, separable for the "
    "others\n"
    "  stride = \"_os8\" | \"_os16\" | \"_os32\"           default: 16\n"
    "and deeplabv3_mobilenet_v2_pascal, deeplabv3plus_mobilenet_v2_ade20k32; of PyTorch's implementations:\n";

/// Names to offer where a user asks which there are; most take a head and a stride besides.
constexpr auto published_networks() {
  return std::to_array<std::string_view>({
      "deeplabv3_mobilenet_v2_pascal",
      "deeplabv3plus_mobilenet_v2_ade20k32",
      "deeplabv3plus_xception41",
      "deeplabv3plus_xception65",
      "deeplabv3plus_xception71",
      "deeplabv3plus_xception",
      "deeplabv3plus_resnet50",
      "deeplabv3plus_resnet101",
      "deeplabv3plus_resnet50_plain",
      "deeplabv3plus_resnet101_plain",
      "deeplabv3plus_mobilenet_v2",
      "deeplabv3plus_mobilenet_v2_dm05",
      "deeplabv3_xception41",
      "deeplabv3_xception65",
      "deeplabv3_xception71",
      "deeplabv3_xception",
      "deeplabv3_resnet50",
      "deeplabv3_resnet101",
      "deeplabv3_resnet50_plain",
      "deeplabv3_resnet101_plain",
      "deeplabv3_mobilenet_v2",
      "deeplabv3_mobilenet_v2_dm05",
  });
}

/// Reads a name from left to right; `network_named` below is the way in.
class name_parser {
 public:
  constexpr explicit name_parser(std::string_view name) : whole_(name), rest_(name) {}

  constexpr deeplab_options parse() {
    deeplab_options o;
    const bool plus = take("deeplabv3plus_");
    if (!plus && !take("deeplabv3_")) refuse_start();
    if (!plus) o.refine.strides = {};
    read_body();
    if (body_ == body::resnet) read_root(o);
    if (body_ == body::mobilenet_v2) read_width();
    read_head(o);
    read_stride();
    if (!rest_.empty()) refuse_suffix();
    o.pyramid.rates = plus || body_ != body::mobilenet_v2 ? pyramid_rates(stride_) : int_list{};
    o.backbone = backbone();
    return o;
  }

 private:
  enum class body { xception, original_xception, resnet, mobilenet_v2 };
  struct known_body {
    std::string_view name;
    body which;
    int layers;
  };
  static constexpr known_body bodies[] = {
      {"xception41", body::xception, 41},     {"xception65", body::xception, 65},
      {"xception71", body::xception, 71},     {"xception", body::original_xception, 0},
      {"resnet50", body::resnet, 50},         {"resnet101", body::resnet, 101},
      {"mobilenet_v2", body::mobilenet_v2, 0}};
  enum class part { body, variant, head, stride };

  constexpr bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// Takes `text` where the name ends or another suffix follows.
  constexpr bool take(std::string_view text, part read) {
    const bool whole =
        rest_.size() == text.size() || (rest_.size() > text.size() && rest_[text.size()] == '_');
    if (!whole || !take(text)) return false;
    last_ = read;
    return true;
  }

  constexpr published_backbone backbone() const {
    switch (body_) {
      case body::xception:
        return xception{layers_, stride_};
      case body::original_xception:
        return original_xception{stride_};
      case body::mobilenet_v2:
        return mobilenet_v2{.output_stride = stride_, .width = width_};
      case body::resnet:
        break;
    }
    if (plain_) return resnet{layers_, resnet_root::plain, stride_};
    return resnet{layers_, resnet_root::beta, stride_, {1, 2, 4}};
  }

  constexpr void read_body() {
    for (const known_body& known : bodies) {
      if (!take(known.name, part::body)) continue;
      body_ = known.which;
      layers_ = known.layers;
      return;
    }
    refuse_body();
  }

  constexpr void read_root(deeplab_options& o) {
    o.pyramid.dense = o.refine.dense = true;
    plain_ = take("_plain", part::variant);
  }

  /// "_dm05" is 0.5, "_dm14" is 1.4: the point stands behind the first digit.
  constexpr void read_width() {
    const std::string_view suffix = next_suffix();
    if (!suffix.starts_with("_dm") || suffix.size() == 3 || suffix.size() > 9) return;
    int number = 0, scale = 1;
    for (std::size_t i = 3; i < suffix.size(); ++i) {
      if (suffix[i] < '0' || suffix[i] > '9') return;
      number = number * 10 + (suffix[i] - '0');
      if (i > 3) scale *= 10;
    }
    if (number > 0 && take(suffix, part::variant)) width_ = static_cast<double>(number) / scale;
  }

  constexpr void read_head(deeplab_options& o) {
    if (take("_dense", part::head))
      o.pyramid.dense = o.refine.dense = true;
    else if (take("_separable", part::head))
      o.pyramid.dense = o.refine.dense = false;
  }

  constexpr void read_stride() {
    if (take("_os8", part::stride))
      stride_ = 8;
    else if (take("_os16", part::stride))
      stride_ = 16;
    else if (body_ != body::original_xception && take("_os32", part::stride))
      stride_ = 32;
  }

  /// The first suffix of what has not been read: "_foo" of "_foo_os8".
  constexpr std::string_view next_suffix() const {
    return rest_.empty() ? rest_ : rest_.substr(0, rest_.find('_', 1));
  }

  static std::string quoted(std::string_view text) { return std::string("\"").append(text).append("\""); }

  [[noreturn]] void refuse_start() const {
    throw std::invalid_argument(
        "unknown network " + quoted(whole_) +
        ": a name begins with \"deeplabv3plus_\" or \"deeplabv3_\", or is one of PyTorch's (--help)");
  }
  [[noreturn]] void refuse_body() const {
    std::string known;
    for (const known_body& b : bodies) known += (known.empty() ? "" : ", ") + quoted(b.name);
    throw std::invalid_argument("unknown network " + quoted(whole_) + ": " + quoted(rest_) +
                                " does not begin with a backbone; there are " + known);
  }
  [[noreturn]] void refuse_suffix() const {
    std::string would;
    const auto offer = [&](bool possible, std::string_view what) {
      if (possible) would += (would.empty() ? "" : ", ") + std::string(what);
    };
    offer(last_ == part::body && body_ == body::resnet, "\"_plain\"");
    offer(last_ == part::body && body_ == body::mobilenet_v2, "\"_dm\" with digits, as \"_dm05\" for 0.5");
    offer(last_ < part::head, "\"_dense\", \"_separable\"");
    offer(last_ < part::stride, "\"_os8\", \"_os16\"");
    offer(last_ < part::stride && body_ != body::original_xception, "\"_os32\"");
    const std::string_view read = whole_.substr(0, whole_.size() - rest_.size());
    throw std::invalid_argument("unknown network " + quoted(whole_) + ": " + quoted(next_suffix()) +
                                " does not belong after " + quoted(read) + "; " +
                                (would.empty() ? "nothing would" : would + " would"));
  }

  std::string_view whole_, rest_;
  body body_ = body::xception;
  int layers_ = 65, stride_ = 16;
  double width_ = 1;
  bool plain_ = false;
  part last_ = part::body;
};

/// The description of a named network. Throws std::invalid_argument with one line that names what does not
/// belong and what would.
constexpr deeplab_options network_named(std::string_view name) {
  if (name == "deeplabv3_mobilenet_v2_pascal") return name_parser("deeplabv3_mobilenet_v2_os8").parse();
  if (name == "deeplabv3plus_mobilenet_v2_ade20k32") {
    deeplab_options o = name_parser("deeplabv3plus_mobilenet_v2").parse();
    o.pyramid.rates = {};
    o.pyramid.corner = o.refine.corner = o.last = corners::asymmetric;
    o.classes = 32;
    return o;
  }
  if (const auto torch = torch_network_named(name)) return described(*torch);
  return name_parser(name).parse();
}

}  // namespace atrous
