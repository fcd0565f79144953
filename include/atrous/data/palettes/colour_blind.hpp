// SPDX-License-Identifier: MIT
#pragma once
// Colours for people with any kind of colour vision. The first are those of Okabe and Ito, "Color Universal Design"
// (jfly.uni-koeln.de/color, 2008); each further one is that of a grid which lies farthest from all before it, seen by
// whichever vision tells them apart worst.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <atrous/data/palette.hpp>
#include <atrous/data/palettes/colour.hpp>

namespace atrous {

/// A colour in the perceptual space OKLab (Ottosson 2020): lightness from 0 to 1, and two axes of colour.
using perceived = std::array<float, 3>;

/// How a colour looks to normal vision, and to people who lack the receptor for red (protanopia), green
/// (deuteranopia) or blue (tritanopia).
using perceived_by_all = std::array<perceived, 4>;

/// What linear RGB becomes without a receptor: Machado, Oliveira and Fernandes 2009, severity 1.
inline constexpr std::array<std::array<float, 9>, 4> colour_visions{{
    {1, 0, 0, 0, 1, 0, 0, 0, 1},
    {0.152286F, 1.052583F, -0.204868F, 0.114503F, 0.786281F, 0.099216F, -0.003882F, -0.048116F, 1.051998F},
    {0.367322F, 0.860646F, -0.227968F, 0.280085F, 0.672501F, 0.047413F, -0.011820F, 0.042940F, 0.968881F},
    {1.255528F, -0.076749F, -0.178779F, -0.078411F, 0.930809F, 0.147602F, 0.004733F, 0.691367F, 0.303900F},
}};

/// `matrix` (3 x 3, row by row) times a vector.
inline perceived product(const std::array<float, 9>& matrix, const perceived& v) {
  perceived out{};
  for (std::size_t i = 0; i < 3; ++i) {
    out[i] = matrix[3 * i] * v[0] + matrix[3 * i + 1] * v[1] + matrix[3 * i + 2] * v[2];
  }
  return out;
}

/// A colour as everybody sees it.
inline perceived_by_all seen(colour c) {
  constexpr std::array<float, 9> to_receptors{0.4122214708F, 0.5363325363F, 0.0514459929F,
                                              0.2119034982F, 0.6806995451F, 0.1073969566F,
                                              0.0883024619F, 0.2817188376F, 0.6299787005F};
  constexpr std::array<float, 9> to_lab{0.2104542553F, 0.7936177850F,  -0.0040720468F,
                                        1.9779984951F, -2.4285922050F, 0.4505937099F,
                                        0.0259040371F, 0.7827717662F,  -0.8086757660F};
  const auto linear = [](std::uint8_t stored) {  // sRGB, IEC 61966-2-1
    const float x = static_cast<float>(stored) / 255;
    return x <= 0.04045F ? x / 12.92F : std::pow((x + 0.055F) / 1.055F, 2.4F);
  };
  const perceived rgb{linear(c.red), linear(c.green), linear(c.blue)};
  perceived_by_all out;
  for (std::size_t vision = 0; vision < out.size(); ++vision) {
    perceived light = product(colour_visions[vision], rgb);
    for (float& part : light) part = std::clamp(part, 0.0F, 1.0F);
    light = product(to_receptors, light);
    for (float& part : light) part = std::cbrt(part);
    out[vision] = product(to_lab, light);
  }
  return out;
}

/// The distance of two colours in OKLab for the vision that tells them apart worst; 0.02 is about the least that
/// people notice, black and white are 1 apart.
inline float least_difference(const perceived_by_all& a, const perceived_by_all& b) {
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t vision = 0; vision < a.size(); ++vision) {
    float sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const float apart = a[vision][i] - b[vision][i];
      sum += apart * apart;
    }
    least = std::min(least, sum);
  }
  return std::sqrt(least);
}

/// The colours of a grid with 16 levels a channel, but for those so dark that they would hide a photo.
inline std::vector<colour> colour_grid() {
  constexpr float darkest = 0.35F;  // lightness
  std::vector<colour> grid;
  for (int at = 0; at < 16 * 16 * 16; ++at) {
    const auto level = [at](int shift) { return static_cast<std::uint8_t>((at >> shift & 15) * 17); };
    const colour c{level(8), level(4), level(0)};
    if (seen(c)[0][0] >= darkest) grid.push_back(c);
  }
  return grid;
}

/// The first `count` colours for classes; black is left to a background. Any two of them and black differ (by
/// least_difference) by 0.076 up to 20 colours, 0.058 up to 32, 0.037 up to 64, 0.025 up to 150 and 0.016 up to 256;
/// after these they begin again.
inline std::vector<colour> colour_blind_safe(std::size_t count) {
  constexpr std::size_t most = 256;
  std::vector<colour> chosen{{230, 159, 0}, {86, 180, 233}, {0, 158, 115},  {240, 228, 66},
                             {0, 114, 178}, {213, 94, 0},   {204, 121, 167}};
  if (count > chosen.size()) {
    const auto grid = colour_grid();
    std::vector<perceived_by_all> looks;
    for (const colour c : grid) looks.push_back(seen(c));
    std::vector<float> distance(grid.size(),
                                std::numeric_limits<float>::infinity());  // to black and the chosen
    const auto keep_away_from = [&](const perceived_by_all& taken) {
      for (std::size_t i = 0; i < grid.size(); ++i) {
        distance[i] = std::min(distance[i], least_difference(looks[i], taken));
      }
    };
    keep_away_from(seen({0, 0, 0}));
    for (const colour c : chosen) keep_away_from(seen(c));
    while (chosen.size() < std::min(count, most)) {
      const auto farthest = std::max_element(distance.begin(), distance.end()) - distance.begin();
      chosen.push_back(grid[farthest]);
      keep_away_from(looks[farthest]);
    }
  }
  while (chosen.size() < count) chosen.push_back(chosen[chosen.size() - most]);
  chosen.resize(count);
  return chosen;
}

/// The same classes in colours that people with any colour vision tell apart; a background is black.
inline label_set colour_blind_safe(label_set classes) {
  const bool black_first = has_background(classes);
  classes.colours = colour_blind_safe(classes.names.size() - (black_first ? 1 : 0));
  if (black_first) classes.colours.insert(classes.colours.begin(), colour{});
  return classes;
}

}  // namespace atrous
