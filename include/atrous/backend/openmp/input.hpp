// SPDX-License-Identifier: MIT
#pragma once
// The user's image -> numbers, with the network's normalisation.
#include <cstdint>
#include <type_traits>

#include <atrous/backend/openmp/taps.hpp>
#include <atrous/backend/operands.hpp>
#include <atrous/simd/instruction_sets.hpp>
#include <atrous/simd/lanes.hpp>

namespace atrous::cpu {

/// A row of an image of `Pixel`s, or a part of one.
///
///   reads   image
///   writes  y
///   cost    a multiply-add a number
template <class T, class Pixel>
struct normalised_row {
  const Pixel* image = nullptr;
  T* y = nullptr;
  std::ptrdiff_t image_pixel = 0, image_channel = 0, y_pixel = 0;
  int width = 0, channels = 0;
  const op* what = nullptr;

  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    if (channels == 3 && image_pixel == 3 && image_channel == 1 && y_pixel == 3) return gapless<Isa>();
    for (int c = 0; c < channels; ++c) {
      const int k = c < 3 ? c : 3;
      for (int j = 0; j < width; ++j)
        y[j * y_pixel + c] =
            T(static_cast<number>(image[j * image_pixel + c * image_channel]) * factor(k) + offset(k));
    }
  }

 private:
  using number = arithmetic<T>;

  [[gnu::always_inline]] number factor(int k) const { return what->factors[static_cast<std::size_t>(k)]; }
  [[gnu::always_inline]] number offset(int k) const { return what->offsets[static_cast<std::size_t>(k)]; }

  /// Three channels without gaps: the factors repeat every 3 * 16 numbers, whatever the vectors.
  template <class Isa>
  [[gnu::always_inline]] void gapless() const {
    constexpr int period = 48;
    number factors[period], offsets[period];
    for (int k = 0; k < period; ++k) factors[k] = factor(k % 3), offsets[k] = offset(k % 3);
    const int numbers = width * 3;
    int at = 0;
    for (; at + period <= numbers; at += period) {
      if constexpr (std::is_same_v<T, number>) {
        for (int k = 0; k < period; ++k)
          y[at + k] = static_cast<number>(image[at + k]) * factors[k] + offsets[k];
      } else {
        number made[period];
        for (int k = 0; k < period; ++k)
          made[k] = static_cast<number>(image[at + k]) * factors[k] + offsets[k];
        simd::copy_values<simd::lanes<number, Isa::bytes>>(y + at, made, period);
      }
    }
    for (int k = 0; at + k < numbers; ++k)
      y[at + k] = T(static_cast<number>(image[at + k]) * factors[k] + offsets[k]);
  }
};

/// reads image (uint8 or float), writes y.
template <class T>
void input(simd::instruction_set set, const operands<T>& o) {
  const auto rows_of_type = [&](const auto* first) {
    using pixel = std::remove_const_t<std::remove_pointer_t<decltype(first)>>;
    parallel_rows(o.threads, o.y, [&](int n, int i, int j, int end, int) {
      const std::ptrdiff_t at = n * o.image.image + i * o.image.row + j * o.image.pixel;
      simd::dispatch(set,
                     normalised_row<T, pixel>{first + at, o.y.at(n, i, j), o.image.pixel, o.image.channel,
                                              o.y.pixel, end - j, o.y.channels, &o.run->what});
    });
  };
  if (o.image.type == pixel_type::uint8) {
    rows_of_type(static_cast<const std::uint8_t*>(o.image.data));
  } else {
    rows_of_type(static_cast<const float*>(o.image.data));
  }
}

}  // namespace atrous::cpu
