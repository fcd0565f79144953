// SPDX-License-Identifier: MIT
#pragma once
// The rules that a network must obey. A rule's name is the sentence a user reads: at compile time as a
// template argument in the compiler's message, at run time in the text of the exception.
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/core/shape.hpp>

namespace atrous {

/// What a network can break; `layer_must_obey_its_own_rules` is for layers of users.
enum class rule {
  none,
  addition_needs_equal_shapes,
  concatenation_needs_equal_extents,
  scale_needs_one_value_per_channel,
  wires_must_belong_to_one_network,
  kernel_must_be_odd,
  kernel_stride_and_rate_must_be_positive,
  rate_and_stride_exclude_each_other,
  channels_must_be_positive,
  window_must_fit_into_the_padded_input,
  padding_must_not_be_negative,
  resize_needs_positive_extents,
  epsilon_must_not_be_negative,
  image_must_not_be_empty,
  extents_must_not_exceed_2_to_20,
  feature_map_must_not_exceed_2_to_36_elements,
  layer_must_say_what_it_is,
  pooling_window_must_see_the_input,
  pooling_has_no_border_values,
  backbone_must_offer_high_features,
  output_stride_must_be_8_16_or_32,
  backbone_must_offer_features_of_this_stride,
  decoder_strides_must_descend,
  width_multiplier_must_be_positive,
  layer_must_obey_its_own_rules,
};

/// The name of a rule with spaces for underscores: "addition needs equal shapes".
constexpr std::string_view sentence(rule r) {
  constexpr std::string_view sentences[] = {
      "none",
      "addition needs equal shapes",
      "concatenation needs equal extents",
      "scale needs one value per channel",
      "wires must belong to one network",
      "kernel must be odd",
      "kernel stride and rate must be positive",
      "rate and stride exclude each other",
      "channels must be positive",
      "window must fit into the padded input",
      "padding must not be negative",
      "resize needs positive extents",
      "epsilon must not be negative",
      "image must not be empty",
      "extents must not exceed 2 to 20",
      "feature map must not exceed 2 to 36 elements",
      "layer must say what it is",
      "pooling window must see the input",
      "pooling has no border values",
      "backbone must offer high features",
      "output stride must be 8 16 or 32",
      "backbone must offer features of this stride",
      "decoder strides must descend",
      "width multiplier must be positive",
      "layer must obey its own rules",
  };
  return sentences[static_cast<int>(r)];
}

/// A broken rule with the two shapes that break it. Where a rule is about numbers, `left` holds them
/// (kernel, stride, rate) and `right` the input's shape.
struct mistake {
  rule broken = rule::none;
  shape left{}, right{};
};

/// "RULE: LEFT and RIGHT [in SCOPE]", to be thrown. Not constexpr on purpose: when a network is recorded at
/// compile time, the throw makes the compiler print the way to the user's line.
inline std::invalid_argument complaint(mistake m, const std::string& scope) {
  return std::invalid_argument(std::string(sentence(m.broken)) + ": " + text_of(m.left) + " and " +
                               text_of(m.right) + (scope.empty() ? "" : " in " + scope));
}

}  // namespace atrous
