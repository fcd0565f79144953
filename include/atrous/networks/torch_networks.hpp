// SPDX-License-Identifier: MIT
#pragma once
// The DeepLab networks of PyTorch's popular implementations: the paper's parts with other parameters, which no file of
// weights tells. Measured on the implementations themselves, a row for each.
#include <array>
#include <optional>
#include <string_view>

#include <atrous/networks/options.hpp>

namespace atrous {

/// The implementations.
enum class torch_source { smp, torchvision, vainf, jfzhang95, bubbliiiing, mmseg, hugging_face };

/// A name in its parts: `smp_v3plus_resnet50_os16_dense`.
struct torch_network {
  torch_source source = torch_source::smp;
  bool plus = true;         // DeepLabv3+; else DeepLabv3
  std::string_view body{};  // as the implementation calls it
  int output_stride = 16;
  std::string_view variant{};  // "dense", "separable", "aligned", "mg124" or nothing
};

/// The grammar, for help texts.
inline constexpr std::string_view torch_name_grammar =
    "  smp_v3plus_BODY_osN[_dense], smp_v3_BODY_osN     resnet18|34|50|101, mobilenet_v2, xception41|65;\n"
    "                                                   N 8, 16; rates 12, 24, 36, of _os16_dense 6, 12, 18\n"
    "  torchvision_v3_BODY                              resnet50|101, mobilenet_v3_large\n"
    "  vainf_v3plus_BODY_osN[_separable]                resnet50|101, mobilenet, xception; N 8, 16\n"
    "  vainf_v3_BODY_osN                                the same\n"
    "  jfzhang95_BODY_osN                               resnet, mobilenet, xception; N 8, 16\n"
    "  bubbliiiing_BODY_osN                             mobilenet, xception; N 8, 16\n"
    "  mmseg_v3plus_BODY_d8[_aligned], mmseg_v3plus_BODY_d16_mg124, mmseg_v3_BODY_d8[_aligned]\n"
    "                                                   r18, r50, r101, r18b, r50b, r101b\n"
    "  hf_mobilenet_v2_osN                              N 8, 16, 32\n";

/// What an implementation offers under one beginning of a name.
struct torch_family {
  std::string_view begin;  // "smp_v3plus_"
  torch_source source;
  bool plus;
  std::array<std::string_view, 7> bodies;
  std::array<std::string_view, 3> strides;  // suffixes, the usual one first; "" where there is but one stride
  std::string_view variant;
};

inline constexpr torch_family torch_families[] = {
    {"smp_v3plus_",
     torch_source::smp,
     true,
     {"resnet50", "resnet101", "resnet34", "resnet18", "mobilenet_v2", "xception65", "xception41"},
     {"_os16", "_os8"},
     "_dense"},
    {"smp_v3_",
     torch_source::smp,
     false,
     {"resnet50", "resnet101", "resnet34", "resnet18", "mobilenet_v2", "xception65", "xception41"},
     {"_os8", "_os16"},
     ""},
    {"torchvision_v3_",
     torch_source::torchvision,
     false,
     {"resnet50", "resnet101", "mobilenet_v3_large"},
     {""},
     ""},
    {"vainf_v3plus_",
     torch_source::vainf,
     true,
     {"resnet50", "resnet101", "mobilenet", "xception"},
     {"_os16", "_os8"},
     "_separable"},
    {"vainf_v3_",
     torch_source::vainf,
     false,
     {"resnet50", "resnet101", "mobilenet", "xception"},
     {"_os16", "_os8"},
     "_separable"},
    {"jfzhang95_", torch_source::jfzhang95, true, {"resnet", "mobilenet", "xception"}, {"_os16", "_os8"}, ""},
    {"bubbliiiing_", torch_source::bubbliiiing, true, {"mobilenet", "xception"}, {"_os16", "_os8"}, ""},
    {"mmseg_v3plus_",
     torch_source::mmseg,
     true,
     {"r50", "r101", "r18", "r50b", "r101b", "r18b"},
     {"_d8", "_d16_mg124"},
     "_aligned"},
    {"mmseg_v3_",
     torch_source::mmseg,
     false,
     {"r50", "r101", "r18", "r50b", "r101b", "r18b"},
     {"_d8"},
     "_aligned"},
    {"hf_", torch_source::hugging_face, false, {"mobilenet_v2"}, {"_os8", "_os16", "_os32"}, ""},
};

/// The parts of a name; nothing where it is none of these.
constexpr std::optional<torch_network> torch_network_named(std::string_view name) {
  for (const torch_family& f : torch_families) {
    if (!name.starts_with(f.begin)) continue;
    for (const std::string_view body : f.bodies) {
      for (const std::string_view& stride : f.strides) {
        std::string_view rest = name.substr(f.begin.size());
        const bool offered = !body.empty() && (&stride == &f.strides[0] || !stride.empty());
        if (!offered || !rest.starts_with(body) || !rest.substr(body.size()).starts_with(stride)) continue;
        rest.remove_prefix(body.size() + stride.size());
        torch_network found{f.source, f.plus, body, 16, {}};
        if (stride.ends_with("8")) found.output_stride = 8;
        if (stride.ends_with("32")) found.output_stride = 32;
        if (stride.ends_with("_mg124")) found.variant = "mg124";
        if (f.source == torch_source::torchvision && body.starts_with("resnet")) found.output_stride = 8;
        if (rest.empty()) return found;
        if (rest != f.variant || !found.variant.empty()) continue;
        found.variant = f.variant.substr(1);
        return found;
      }
    }
  }
  return std::nullopt;
}

/// Describes a network of a PyTorch implementation.
class torch_describer {
 public:
  constexpr explicit torch_describer(const torch_network& n) : n_(n) {}

  constexpr deeplab_options describe() const {
    deeplab_options o;
    o.backbone = backbone();
    o.pyramid = pyramid();
    o.refine = refine();
    o.last = corner();
    if (n_.source == torch_source::hugging_face) o.last = corners::half_pixel;
    if (n_.source == torch_source::mmseg) o.classes = 19;
    return o;
  }

 private:
  constexpr bool from(torch_source s) const { return n_.source == s; }

  constexpr corners corner() const {
    const bool half = from(torch_source::torchvision) || from(torch_source::vainf) ||
                      (from(torch_source::mmseg) && n_.variant != "aligned");
    return half ? corners::half_pixel : corners::aligned;
  }

  // ---- backbones

  constexpr published_backbone backbone() const {
    if (n_.body.starts_with("mobilenet_v3")) return mobilenet_v3{};
    if (n_.body.starts_with("mobilenet")) return mobile();
    if (!n_.body.starts_with("xception")) return residual();
    if (from(torch_source::vainf)) {
      return original_xception{.output_stride = n_.output_stride,
                               .input = normalise::imagenet(),
                               .epsilon = 1e-5F,
                               .cut_corners = true,
                               .how = spread::whole_stage};
    }
    return aligned();
  }

  constexpr normalise input() const {
    if (from(torch_source::bubbliiiing)) return normalise::to_unit_interval();
    if (from(torch_source::hugging_face)) return normalise::to_unit_range();
    return normalise::imagenet();
  }

  constexpr mobilenet_v2 mobile() const {
    mobilenet_v2 m{
        .output_stride = n_.output_stride, .input = input(), .epsilon = 1e-5F, .projected_low = true};
    m.pad = from(torch_source::vainf) || from(torch_source::jfzhang95) ? mobile_padding::before_expansion
                                                                       : mobile_padding::centred;
    m.bare_stem = from(torch_source::vainf);
    if (from(torch_source::jfzhang95)) m.how = spread::next_stage;
    if (from(torch_source::smp)) m.how = spread::whole_stage, m.last = 1280;
    if (from(torch_source::hugging_face)) m.pad = mobile_padding::same, m.epsilon = 1e-3F;
    return m;
  }

  constexpr resnet_v1b residual() const {
    resnet_v1b r{.layers = n_.body.find("101") != n_.body.npos  ? 101
                           : n_.body.find("34") != n_.body.npos ? 34
                           : n_.body.find("18") != n_.body.npos ? 18
                                                                : 50,
                 .output_stride = n_.output_stride,
                 .input = input()};
    if (n_.body == "resnet") r.layers = 101;
    if (from(torch_source::smp) || from(torch_source::jfzhang95)) r.how = spread::whole_stage;
    if (from(torch_source::jfzhang95)) r.multi_grid = {1, 2, 4};
    if (from(torch_source::mmseg)) {
      r.input = normalise::standardise({123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}, 1);
      r.deep_root = !n_.body.ends_with("b");
      r.dilate_second = false;
      if (n_.variant == "mg124") r.how = spread::next_stage, r.multi_grid = {1, 2, 4};
    }
    return r;
  }

  constexpr xception aligned() const {
    xception x{
        .layers = n_.body == "xception41" ? 41 : 65, .output_stride = n_.output_stride, .input = input()};
    if (from(torch_source::smp)) {
      x.input = normalise::to_unit_range();
      x.tap = xception_tap::rectified_second;
      return x;
    }
    x.epsilon = 1e-5F;
    const bool fine = n_.output_stride == 8;
    if (from(torch_source::jfzhang95)) {
      x.skip = skip_input::rectified;
      x.tap = xception_tap::rectified_block;
      x.activate_last_inside = false;
      if (fine) x.exit_rates = {2, 2, 1};
    } else {
      x.skip = skip_input::rectified_identity;
      x.last_rate = fine ? 2 : 1;
    }
    return x;
  }

  // ---- heads

  constexpr aspp pyramid() const {
    aspp p{.rates = pyramid_rates(n_.output_stride), .dense = true, .pooling_last = true};
    p.corner = corner();
    const bool v3 = !n_.plus;
    switch (n_.source) {
      case torch_source::smp:
        p.dense = v3 || n_.variant == "dense";
        p.joined = true;
        if (n_.variant != "dense") p.rates = {12, 24, 36};
        p.last = v3 ? last_convolution::dense : last_convolution::separable;
        break;
      case torch_source::torchvision:
        p.rates = {12, 24, 36};
        p.last = last_convolution::dense;
        break;
      case torch_source::vainf:
        p.dense = n_.variant != "separable";
        p.joined = true;
        if (v3) p.last = p.dense ? last_convolution::dense : last_convolution::separable;
        break;
      case torch_source::mmseg:
        p.dense = v3;
        p.pooling_last = false;
        p.channels = filters();
        p.projection_kernel = 3;
        break;
      case torch_source::hugging_face:
        p.rates = {};
        p.pooling_last = false;
        break;
      case torch_source::bubbliiiing:
        p.bias = true;
        break;
      case torch_source::jfzhang95:
        break;
    }
    return p;
  }

  constexpr int filters() const {
    if (!from(torch_source::mmseg)) return 256;
    return n_.body.starts_with("r18") ? 128 : 512;
  }

  constexpr decoder refine() const {
    decoder d{.dense = true, .corner = corner()};
    if (!n_.plus) d.strides = {};
    d.filters = filters();
    if (from(torch_source::smp)) d.convolutions = 1, d.dense = false, d.joined = true;
    if (from(torch_source::vainf)) {
      d.convolutions = 1, d.low_first = true;
      d.dense = n_.variant != "separable", d.joined = true;
    }
    if (from(torch_source::mmseg)) d.dense = false, d.projection = n_.body.starts_with("r18") ? 12 : 48;
    if (from(torch_source::bubbliiiing)) d.bias = true;
    return d;
  }

  torch_network n_;
};

}  // namespace atrous
