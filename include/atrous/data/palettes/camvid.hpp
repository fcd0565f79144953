// SPDX-License-Identifier: MIT
#pragma once
// The 11 classes of CamVid as SegNet grouped them. Annotations mark what carries no label with 11.
#include <array>

#include <atrous/data/palettes/colour.hpp>

namespace atrous {

/// Names and colours by index.
inline constexpr std::array<named_colour, 11> camvid_classes{{
    {"Sky", {128, 128, 128}},
    {"Building", {128, 0, 0}},
    {"Pole", {192, 192, 128}},
    {"Road", {128, 64, 128}},
    {"Pavement", {60, 40, 222}},
    {"Tree", {128, 128, 0}},
    {"SignSymbol", {192, 128, 128}},
    {"Fence", {64, 64, 128}},
    {"Car", {64, 0, 128}},
    {"Pedestrian", {64, 64, 0}},
    {"Bicyclist", {0, 128, 192}},
}};

}  // namespace atrous
