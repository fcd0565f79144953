// SPDX-License-Identifier: MIT
#pragma once
#include <atrous/graph/layer.hpp>

namespace atrous {

/// Bilinear resize. Where the samples lie is part of the description: implementations that
/// disagree on nothing else disagree on that.
///
///   in          height x width x C
///   out         `height` x `width` x C
///   rules       both extents are positive
struct resize {
  int height = 0, width = 0;
  corners corner = corners::aligned;

  constexpr op describe() const { return {.kind = op_kind::resize, .corner = corner}; }
  constexpr void check(recorder& net, shape in) const {
    net.expect(height > 0 && width > 0,
               {rule::resize_needs_positive_extents, {height, width, in.channels}, in});
  }
  constexpr shape output(shape in) const {
    return {height > 0 ? height : 1, width > 0 ? width : 1, in.channels};
  }
};
static_assert(primitive<resize>);

/// Bilinear resize to the extents of `like`.
constexpr resize resize_to(shape like, corners corner = corners::aligned) {
  return {like.height, like.width, corner};
}

}  // namespace atrous
