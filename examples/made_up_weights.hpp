// SPDX-License-Identifier: MIT
#pragma once
// Weights and pictures for examples: enough to run a network, not to recognise anything.
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <atrous/graph/graph.hpp>
#include <atrous/weights/binding.hpp>
#include <atrous/weights/made_set.hpp>

/// Random numbers of a sensible size for every parameter of a network.
inline atrous::tensor_set made_up_weights(atrous::graph_view g) {
  std::mt19937 engine(2018);
  atrous::made_set made("made-up weights");
  for (int i = 0; i < g.size(); ++i) {
    for (const atrous::parameter& p : g.parameters_of(i)) {
      const bool kernel = p.rank() == 4;
      const int outputs = p.use == atrous::role::depthwise_kernel ? p.extents[2] : p.extents[3];
      const double most = kernel ? std::sqrt(6.0 * outputs / static_cast<double>(p.size())) : 0.1;
      const bool around_one = p.use == atrous::role::gamma || p.use == atrous::role::moving_variance;
      std::uniform_real_distribution<double> any(around_one ? 0.9 : -most, around_one ? 1.1 : most);
      std::vector<float> numbers(static_cast<std::size_t>(p.size()));
      for (float& number : numbers) number = static_cast<float>(any(engine));
      made.add(g.parameter_name(i, p), atrous::shape_of(p), std::move(numbers));
    }
  }
  return made.take();
}

/// Rings, (height, width, channels), others in each channel.
inline std::vector<std::uint8_t> made_up_picture(int height, int width, int channels = 3) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(height) * width * channels);
  for (int i = 0; i < height; ++i)
    for (int j = 0; j < width; ++j)
      for (int c = 1; c <= channels; ++c)
        pixels.push_back(static_cast<std::uint8_t>((i * i + j * j * c) / 64));
  return pixels;
}
