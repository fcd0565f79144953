// SPDX-License-Identifier: MIT
#pragma once
// One launch of a kernel. Its `structure` is what kernels are compiled for (a template argument); extents,
// channels and rates are values. The list of structures is short and closed, so that networks known at
// compile time and networks put together at run time execute the same instantiations.
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <atrous/graph/graph.hpp>

namespace atrous {

/// What a step computes. Kinds from `own` on are the op_kind of users' primitives.
enum class step_kind : int {
  input,        // image in memory -> numbers, with the network's normalisation
  convolution,  // dense or pointwise, then bias, sum, activation
  depthwise,    // (activation,) depthwise, bias, activation
  separable,    // depthwise and pointwise in one go; what lies between never leaves the cache
  batch_norm,   // x * scale + shift, where it could not be folded
  activate,
  max_pool,
  average_pool,
  resize,
  add,
  scale,
  copy,           // into a slice of a concatenation, where a producer could not write in place
  probabilities,  // resize of the logits and softmax, and
  labels,         // resize of the logits and argmax; the resized logits are never stored
  own = 1000,
};

/// What a step does, in a word.
constexpr std::string_view word(step_kind kind) {
  constexpr std::string_view words[] = {"input",    "convolution", "depthwise",     "separable", "batch_norm",
                                        "activate", "max_pool",    "average_pool",  "resize",    "add",
                                        "scale",    "copy",        "probabilities", "labels"};
  const auto i = static_cast<std::size_t>(kind);
  return i < std::size(words) ? words[i] : "own";
}

/// The part of a step that kernels are compiled for.
struct structure {
  step_kind kind = step_kind::input;
  int kernel = 0;                         // 1, 3, 5, 7; 0: any
  int stride = 0;                         // 1, 2; 0: any
  activation before = activation::none;   // of what a depthwise reads
  activation between = activation::none;  // of a separable, after its depthwise
  activation after = activation::none;    // of what is written
  bool sum = false;                       // a second feature map is added before `after`
  bool border = false;                    // the border has a value per channel
  friend constexpr bool operator==(const structure&, const structure&) = default;
};

/// "convolution, kernel 3, stride 1, ...", as messages spell a structure.
inline std::string text_of(const structure& s) {
  std::string text(word(s.kind));
  if (s.kind >= step_kind::own) text += " kind " + std::to_string(static_cast<int>(s.kind));
  text += ", kernel " + std::to_string(s.kernel) + ", stride " + std::to_string(s.stride);
  return text + (s.sum ? ", sum" : "") + (s.border ? ", border" : "");
}

/// Where a step's numbers come from in the graph: a layer, the batch norm folded into it, or none (-1).
struct source {
  int layer = -1, norm = -1;
  int first = 0, channels = 0;  // of a 1 x 1 kernel: those of its input that the step reads; 0: all
  friend constexpr bool operator==(const source&, const source&) = default;
};

/// One launch. `x`, `other`, `y` and `bias` are indices into plan.values, -1 where a step has none: the input step reads the
/// user's image; the probabilities step and the labels step write to the user's memory.
struct step {
  structure form{};
  op what{};   // of a separable: its pointwise
  op first{};  // of a separable: its depthwise
  source weights{}, first_weights{};
  int node = 0;  // the last node of the graph that is folded in: names the step
  int x = -1, other = -1, y = -1;
  int bias = -1;  // (1, 1, channels out) of every image, in place of the layer's (pooled.hpp)
};

/// The values that a step reads; -1 for those it has not.
constexpr std::array<int, 3> inputs_of(const step& s) { return {s.x, s.other, s.bias}; }

/// A feature map in the arena, or a slice of one. Offsets and strides in elements, of the whole batch.
struct value {
  shape extent{};
  int parent = -1;          // the concatenation it is a slice of
  int channel = 0;          // the first channel of that slice
  std::int64_t offset = 0;  // from the beginning of the arena
  std::int64_t pixel = 0;   // from one pixel to the next
  int rows = 0;             // of one image that are in memory at a time (bands.hpp); 0: all, of all images
};

/// Elements from one pixel to the next of a map with so many channels. From 128 on pixels begin on cache lines of floats, so
/// that no vector lies in two of them. Where they would lie a multiple of 2 KiB apart, it is a line more: else those under
/// a window, or of a tile of a product, would share a few sets of the cache.
constexpr std::int64_t pitch_of(int channels) {
  constexpr int line = 16;
  if (channels < 8 * line) return channels;
  const int whole = (channels + line - 1) / line * line;
  return whole % 512 == 0 ? whole + line : whole;
}

constexpr int listed(int number, int last, int step) {
  return number >= 1 && number <= last && (number - 1) % step == 0 ? number : 0;
}
constexpr int listed_kernel(int kernel) { return listed(kernel, 7, 2); }  // 1, 3, 5, 7
constexpr int listed_stride(int stride) { return listed(stride, 2, 1); }  // 1, 2

/// The structure of a sliding window before anything is folded into it.
constexpr structure windowed(step_kind kind, const op& o) {
  return {.kind = kind,
          .kernel = listed_kernel(o.kernel),
          .stride = listed_stride(o.stride),
          .border = o.pad.outside == padding::border::per_channel};
}

}  // namespace atrous
