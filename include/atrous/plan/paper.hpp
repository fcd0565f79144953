// SPDX-License-Identifier: MIT
#pragma once
// The multiply-adds that the authors printed, beside the same numbers computed from the networks: Tables 3
// and 5 of the DeepLabv3+ paper and the table of released checkpoints (research/deeplab).
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <atrous/graph/network.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/cost.hpp>

namespace atrous {

/// One printed figure and what it was counted for.
struct paper_row {
  std::string_view network;  // as network_named takes it
  double paper = 0;          // billions of multiply-adds
  int_list quarters{4};      // scales of the image in fourths, one pass each
  bool flip = false;         // every pass once more, mirrored
  shape image{513, 513, 3};
  int classes = 21;
};

/// The six scales of multi-scale evaluation, 0.5 to 1.75, in fourths.
constexpr int_list evaluation_scales() { return {2, 3, 4, 5, 6, 7}; }

/// The authors' scale_dimension: the scaled grid keeps both corner samples.
constexpr int scaled_extent(int extent, int quarters) { return (extent - 1) * quarters / 4 + 1; }

/// Multiply-adds of a row by the paper's rule, in billions.
constexpr double computed(const paper_row& row) {
  deeplab_options o = network_named(row.network);
  o.classes = row.classes;
  const auto define = [&](wire image) { return build(image, o); };
  std::int64_t passes = 0, once = 0;
  for (int quarters : row.quarters) {
    const shape size{scaled_extent(row.image.height, quarters), scaled_extent(row.image.width, quarters), 3};
    const graph g = record(define, size);
    passes += profiled_pass(g);
    once = profiled_once(g, row.image);
  }
  const std::int64_t operations = (row.flip ? 2 : 1) * passes + once;
  return static_cast<double>(operations) / 2e9;
}

/// "deeplabv3_resnet101_os8 multi-scale flip", "deeplabv3plus_xception65 1025x2049x3 scales 3/4 4/4 5/4", as tables
/// spell a row.
inline std::string text_of(const paper_row& row) {
  std::string text(row.network);
  if (row.image != shape{513, 513, 3}) text += " " + text_of(row.image);
  if (row.quarters == evaluation_scales()) {
    text += " multi-scale";
  } else if (row.quarters.count > 1) {
    text += " scales";
    for (const int quarters : row.quarters) text += " " + std::to_string(quarters) + "/4";
  }
  return row.flip ? text + " flip" : text;
}

/// The 28 distinct figures of Tables 3 and 5.
constexpr std::array<paper_row, 28> paper_rows() {
  constexpr int_list six = evaluation_scales();
  return {{
      {"deeplabv3_resnet101", 81.02},
      {"deeplabv3_resnet101_os8", 276.18},
      {"deeplabv3_resnet101_os8", 2435.37, six},
      {"deeplabv3_resnet101_os8", 4870.59, six, true},
      {"deeplabv3plus_resnet101", 101.28},  // a misprint: the multi-scale row contains 102.78
      {"deeplabv3plus_resnet101", 898.69, six},
      {"deeplabv3plus_resnet101", 1797.23, six, true},
      {"deeplabv3plus_resnet101_os8", 297.92},
      {"deeplabv3plus_resnet101_os8", 2623.61, six},
      {"deeplabv3plus_resnet101_os8", 5247.07, six, true},
      {"deeplabv3_resnet101_os32", 52.43},
      {"deeplabv3plus_resnet101_os32", 74.20},
      {"deeplabv3_xception65_dense", 68.00},
      {"deeplabv3_xception65_dense", 601.74, six},
      {"deeplabv3_xception65_dense", 1203.34, six, true},
      {"deeplabv3_xception65_dense_os8", 240.85},
      {"deeplabv3_xception65_dense_os8", 2149.91, six},
      {"deeplabv3_xception65_dense_os8", 4299.68, six, true},
      {"deeplabv3plus_xception65_dense", 89.76},
      {"deeplabv3plus_xception65_dense", 790.12, six},
      {"deeplabv3plus_xception65_dense", 1580.10, six, true},
      {"deeplabv3plus_xception65_dense_os8", 262.59},
      {"deeplabv3plus_xception65_dense_os8", 2338.15, six},
      {"deeplabv3plus_xception65_dense_os8", 4676.16, six, true},
      {"deeplabv3plus_xception65", 54.17},
      {"deeplabv3plus_xception65", 928.81, six, true},
      {"deeplabv3plus_xception65_os8", 177.10},
      {"deeplabv3plus_xception65_os8", 3055.35, six, true},
  }};
}

/// Rows of the table of released checkpoints: PASCAL VOC, then Cityscapes.
constexpr std::array<paper_row, 8> released_rows() {
  constexpr shape cityscapes{1025, 2049, 3};
  return {{
      {"deeplabv3_mobilenet_v2", 2.75},
      {"deeplabv3_mobilenet_v2_os8", 152.59, evaluation_scales(), true},
      {"deeplabv3_mobilenet_v2_dm05", 0.88},
      {"deeplabv3_mobilenet_v2_dm05_os8", 2.84},
      {"deeplabv3_mobilenet_v2", 21.27, {4}, false, cityscapes, 19},
      {"deeplabv3_mobilenet_v2_os8", 433.24, {3, 4, 5}, true, cityscapes, 19},
      {"deeplabv3plus_xception65", 418.64, {4}, false, cityscapes, 19},
      {"deeplabv3plus_xception65_os8", 8677.92, {3, 4, 5}, true, cityscapes, 19},
  }};
}

}  // namespace atrous
