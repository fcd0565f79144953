// SPDX-License-Identifier: MIT
#pragma once
// The DeepLab networks of PyTorch's popular implementations: the paper's parts with other parameters, which no file of
// weights tells. Measured on the implementations themselves, a row for each.
#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include <atrous/networks/options.hpp>

namespace atrous {

/// The implementations.
enum class torch_source { smp, torchvision, vainf, jfzhang95, bubbliiiing, mmseg, hugging_face };

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

/// What an implementation offers under one beginning of a name, and what its networks are made of: complete but for the
/// layers and the output stride, which the name tells.
struct torch_family {
  std::string_view begin;  // "smp_v3plus_"
  torch_source source = torch_source::smp;
  std::array<std::string_view, 7> bodies{};
  std::array<std::string_view, 3> strides{};  // suffixes, the usual one first; "": there is but one stride
  std::string_view variant{};                 // a suffix that may follow
  mobilenet_v2 mobile{};
  resnet_v1b residual{};
  published_backbone xceptions{};
  aspp pyramid{};
  decoder refine{};
  bool rates_by_stride = true;  // the pyramid's are the published ones for the output stride
  corners corner = corners::aligned;
  int classes = 21;

  constexpr bool has_decoder() const { return !refine.strides.empty(); }
};

/// segmentation_models_pytorch (0.6), with timm's Xception.
inline constexpr std::array<std::string_view, 7> smp_bodies{
    "resnet50", "resnet101", "resnet34", "resnet18", "mobilenet_v2", "xception65", "xception41"};
inline constexpr mobilenet_v2 smp_mobile{.input = normalise::imagenet(),
                                         .epsilon = 1e-5F,
                                         .pad = mobile_padding::centred,
                                         .projected_low = true,
                                         .last = 1280,
                                         .how = spread::whole_stage};
inline constexpr resnet_v1b smp_residual{.how = spread::whole_stage};
inline constexpr xception timm_xception{.tap = xception_tap::rectified_second};

/// VainF/DeepLabV3Plus-Pytorch.
inline constexpr std::array<std::string_view, 7> vainf_bodies{"resnet50", "resnet101", "mobilenet",
                                                              "xception"};
inline constexpr mobilenet_v2 vainf_mobile{.input = normalise::imagenet(),
                                           .epsilon = 1e-5F,
                                           .pad = mobile_padding::before_expansion,
                                           .bare_stem = true,
                                           .projected_low = true};
inline constexpr original_xception vainf_xception{
    .input = normalise::imagenet(), .epsilon = 1e-5F, .cut_corners = true, .how = spread::whole_stage};

/// mmsegmentation (1.2).
inline constexpr std::array<std::string_view, 7> mmseg_bodies{"r50", "r101", "r18", "r50b", "r101b", "r18b"};
inline constexpr resnet_v1b mmseg_residual{
    .input = normalise::standardise({123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}, 1),
    .deep_root = true,
    .dilate_second = false};

inline constexpr torch_family torch_families[] = {
    {.begin = "smp_v3plus_",
     .bodies = smp_bodies,
     .strides = {"_os16", "_os8"},
     .variant = "_dense",
     .mobile = smp_mobile,
     .residual = smp_residual,
     .xceptions = timm_xception,
     .pyramid =
         {.rates = {12, 24, 36}, .joined = true, .pooling_last = true, .last = last_convolution::separable},
     .refine = {.convolutions = 1, .joined = true},
     .rates_by_stride = false},
    {.begin = "smp_v3_",
     .bodies = smp_bodies,
     .strides = {"_os8", "_os16"},
     .mobile = smp_mobile,
     .residual = smp_residual,
     .xceptions = timm_xception,
     .pyramid = {.rates = {12, 24, 36}, .dense = true, .pooling_last = true, .last = last_convolution::dense},
     .refine = {.strides = {}},
     .rates_by_stride = false},
    {.begin = "torchvision_v3_",
     .source = torch_source::torchvision,
     .bodies = {"resnet50", "resnet101", "mobilenet_v3_large"},
     .residual = {.output_stride = 8},
     .pyramid = {.rates = {12, 24, 36}, .dense = true, .pooling_last = true, .last = last_convolution::dense},
     .refine = {.strides = {}},
     .rates_by_stride = false,
     .corner = corners::half_pixel},
    {.begin = "vainf_v3plus_",
     .source = torch_source::vainf,
     .bodies = vainf_bodies,
     .strides = {"_os16", "_os8"},
     .variant = "_separable",
     .mobile = vainf_mobile,
     .xceptions = vainf_xception,
     .pyramid = {.dense = true, .joined = true, .pooling_last = true},
     .refine = {.convolutions = 1, .dense = true, .joined = true, .low_first = true},
     .corner = corners::half_pixel},
    {.begin = "vainf_v3_",
     .source = torch_source::vainf,
     .bodies = vainf_bodies,
     .strides = {"_os16", "_os8"},
     .variant = "_separable",
     .mobile = vainf_mobile,
     .xceptions = vainf_xception,
     .pyramid = {.dense = true, .joined = true, .pooling_last = true, .last = last_convolution::dense},
     .refine = {.strides = {}},
     .corner = corners::half_pixel},
    {.begin = "jfzhang95_",
     .source = torch_source::jfzhang95,
     .bodies = {"resnet", "mobilenet", "xception"},
     .strides = {"_os16", "_os8"},
     .mobile = {.input = normalise::imagenet(),
                .epsilon = 1e-5F,
                .pad = mobile_padding::before_expansion,
                .projected_low = true,
                .how = spread::next_stage},
     .residual = {.layers = 101, .how = spread::whole_stage, .multi_grid = {1, 2, 4}},
     .xceptions = xception{.input = normalise::imagenet(),
                           .epsilon = 1e-5F,
                           .skip = skip_input::rectified,
                           .tap = xception_tap::rectified_block,
                           .activate_last_inside = false,
                           .spread_strided = false},
     .pyramid = {.dense = true, .pooling_last = true},
     .refine = {.dense = true}},
    {.begin = "bubbliiiing_",
     .source = torch_source::bubbliiiing,
     .bodies = {"mobilenet", "xception"},
     .strides = {"_os16", "_os8"},
     .mobile = {.input = normalise::to_unit_interval(),
                .epsilon = 1e-5F,
                .pad = mobile_padding::centred,
                .projected_low = true},
     .xceptions = xception{.input = normalise::to_unit_interval(),
                           .epsilon = 1e-5F,
                           .skip = skip_input::rectified_identity,
                           .spread_last = false},
     .pyramid = {.dense = true, .pooling_last = true, .bias = true},
     .refine = {.dense = true, .bias = true}},
    {.begin = "mmseg_v3plus_",
     .source = torch_source::mmseg,
     .bodies = mmseg_bodies,
     .strides = {"_d8", "_d16_mg124"},
     .variant = "_aligned",
     .residual = mmseg_residual,
     .pyramid = {.channels = 512, .projection_kernel = 3},
     .refine = {.filters = 512},
     .corner = corners::half_pixel,
     .classes = 19},
    {.begin = "mmseg_v3_",
     .source = torch_source::mmseg,
     .bodies = mmseg_bodies,
     .strides = {"_d8"},
     .variant = "_aligned",
     .residual = mmseg_residual,
     .pyramid = {.dense = true, .channels = 512, .projection_kernel = 3},
     .refine = {.strides = {}},
     .corner = corners::half_pixel,
     .classes = 19},
    {.begin = "hf_",
     .source = torch_source::hugging_face,
     .bodies = {"mobilenet_v2"},
     .strides = {"_os8", "_os16", "_os32"},
     .mobile = {},
     .pyramid = {.rates = {}, .dense = true},
     .refine = {.strides = {}},
     .rates_by_stride = false,
     .corner = corners::half_pixel},
};

/// A name in its parts: `smp_v3plus_resnet50_os16_dense`.
struct torch_network {
  const torch_family* family = nullptr;
  std::string_view body{}, stride{}, variant{};  // "resnet50", "_os16", "_dense" or nothing
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
        if (rest.empty()) return torch_network{&f, body, stride, {}};
        if (rest == f.variant && !stride.ends_with("_mg124"))
          return torch_network{&f, body, stride, f.variant};
      }
    }
  }
  return std::nullopt;
}

/// The first number in a text: "resnet50" is 50, "_d16_mg124" 16; `otherwise` where there is none.
constexpr int number_in(std::string_view text, int otherwise) {
  const std::size_t first = text.find_first_of("0123456789");
  if (first == text.npos) return otherwise;
  int number = 0;
  for (std::size_t i = first; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
    number = number * 10 + (text[i] - '0');
  return number;
}

constexpr published_backbone backbone_of(const torch_network& n) {
  const torch_family& f = *n.family;
  if (n.body.starts_with("mobilenet_v3")) return mobilenet_v3{};
  published_backbone made = f.residual;
  if (n.body.starts_with("mobilenet")) made = f.mobile;
  if (n.body.starts_with("xception")) made = f.xceptions;
  if (auto* body = std::get_if<resnet_v1b>(&made)) {
    body->deep_root = body->deep_root && !n.body.ends_with("b");
    if (n.stride.ends_with("_mg124")) body->how = spread::next_stage, body->multi_grid = {1, 2, 4};
  }
  std::visit(
      [&n](auto& body) {
        body.output_stride = number_in(n.stride, body.output_stride);
        if constexpr (requires { body.layers; }) body.layers = number_in(n.body, body.layers);
      },
      made);
  return made;
}

/// Describes a network of a PyTorch implementation.
constexpr deeplab_options described(const torch_network& n) {
  const torch_family& f = *n.family;
  deeplab_options o{
      .backbone = backbone_of(n), .pyramid = f.pyramid, .refine = f.refine, .classes = f.classes};
  if (f.rates_by_stride || n.variant == "_dense") o.pyramid.rates = pyramid_rates(o.output_stride());
  if (n.variant == "_dense") o.pyramid.dense = true;
  if (n.variant == "_separable") {
    o.pyramid.dense = o.refine.dense = false;
    if (f.pyramid.last == last_convolution::dense) o.pyramid.last = last_convolution::separable;
  }
  if (n.body.starts_with("r18")) o.pyramid.channels = o.refine.filters = 128, o.refine.projection = 12;
  o.last = n.variant == "_aligned" ? corners::aligned : f.corner;
  o.pyramid.corner = o.refine.corner = o.last;
  return o;
}

}  // namespace atrous
