// SPDX-License-Identifier: MIT
#pragma once
// A branch that pools whole images (the image-level features of the pyramid; DeepLabv3, section 3.3) is the same in every
// pixel, and so is its part of the projection that reads it: it is computed once for an image and added as a bias, stored as
// feature maps are.
#include <cstddef>

#include <atrous/plan/pair.hpp>
#include <atrous/plan/plan.hpp>
#include <atrous/plan/uses.hpp>

namespace atrous {

/// Takes such branches out of concatenations that one pointwise convolution alone reads.
class pooled_branches {
 public:
  constexpr explicit pooled_branches(plan& p) : p_(p), uses_(p) {}

  constexpr void run() {
    for (step& s : p_.steps)
      if (s.form.kind == step_kind::resize && is_pooled(s.x)) take_out(s);
  }

 private:
  static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

  /// Whether a map has one pixel, whatever the extents of the image: what is made of a mean over all of it.
  constexpr bool is_pooled(int v) const {
    while (v >= 0 && uses_.maker[index(v)] >= 0) {
      const step& s = p_.steps[index(uses_.maker[index(v)])];
      const shape in = s.x < 0 ? shape{} : p_.values[index(s.x)].extent;
      if (s.form.kind == step_kind::average_pool)
        return s.what.window_height == 0 && s.what.window_width == 0;
      if (s.form.kind != step_kind::batch_norm && s.form.kind != step_kind::activate &&
          !sees_one_pixel(s, in))
        return false;
      v = s.x;
    }
    return false;
  }

  /// `spread` gives every pixel of a slice the numbers of the one that it reads. It becomes the part of the projection that
  /// reads the slice, which is no more; the projection keeps the rest.
  constexpr void take_out(step& spread) {
    value& slice = p_.values[index(spread.y)];
    if (slice.parent < 0 || uses_.reads[index(spread.y)] > 0) return;
    const int parent = slice.parent, at = slice.channel, count = slice.extent.channels;
    value& whole = p_.values[index(parent)];
    const int all = whole.extent.channels;
    if (whole.parent >= 0 || uses_.reads[index(parent)] != 1 || count == all) return;
    step& projection = p_.steps[index(uses_.reader[index(parent)])];
    const bool in_parts = projection.weights.channels > 0;
    if (projection.x != parent || in_parts || !sees_one_pixel(projection, whole.extent)) return;
    if (at > 0 && at + count < all) return;  // what is left would be two parts

    whole.extent.channels -= count;
    for (value& other : p_.values)
      if (other.parent == parent && other.channel > at) other.channel -= count;
    slice = {.extent = {1, 1, projection.what.out}};
    for (int& v : p_.value_of_node)
      if (v == parent || v == spread.y) v = -1;  // nodes whose maps are no more
    spread.form = windowed(step_kind::convolution, projection.what);
    spread.what = projection.what;
    spread.node = projection.node;
    spread.weights = projection.weights;
    spread.weights.first = at, spread.weights.channels = count;
    projection.bias = spread.y;
    projection.weights.first = at == 0 ? count : 0, projection.weights.channels = all - count;
  }

  plan& p_;
  value_uses uses_;
};

}  // namespace atrous
