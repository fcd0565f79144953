// SPDX-License-Identifier: MIT
#pragma once
// Between the user's memory and the policy's. Where the policy works on host memory, images and results are used where
// they lie; else they pass through a staging buffer of the workspace.
#include <cstdint>
#include <cstring>

#include <atrous/model/results.hpp>
#include <atrous/model/workspace.hpp>

namespace atrous {

template <backend P>
class transfer {
 public:
  using element = typename P::element;

  /// The image as kernels see it.
  static pixels_view upload_image(const pixels_view& image, workspace<P>& w) {
    if constexpr (P::host_memory) return image;
    const std::size_t row = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels) *
                            image.element_bytes();
    const std::size_t rows = static_cast<std::size_t>(image.batch) * static_cast<std::size_t>(image.height);
    w.image_.grow(row * rows);
    pixels_view packed = image;
    packed.data = P::address(w.image_.bytes_of);
    packed.channel = 1;
    packed.pixel = image.channels;
    packed.row = std::ptrdiff_t{image.width} * image.channels;
    packed.image = packed.row * image.height;
    w.staging_.resize(row);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto n = static_cast<std::ptrdiff_t>(r) / image.height,
                 i = static_cast<std::ptrdiff_t>(r) % image.height;
      std::byte* to = w.staging_.data();
      for (std::ptrdiff_t j = 0; j < image.width; ++j) {
        for (std::ptrdiff_t c = 0; c < image.channels; ++c, to += image.element_bytes()) {
          std::memcpy(to,
                      image.address(n * image.image + i * image.row + j * image.pixel + c * image.channel),
                      image.element_bytes());
        }
      }
      P::upload(w.image_.bytes_of, r * row, w.staging_.data(), row);
    }
    return packed;
  }

  /// The memory that kernels write results to.
  template <class T>
  static view<T> place(const view<T>& result, typename workspace<P>::memory& there) {
    if (P::host_memory || result.data == nullptr) return result;
    there.grow(static_cast<std::size_t>(result.pixels() * result.channels) * sizeof(T));
    return {reinterpret_cast<T*>(P::address(there.bytes_of)), result.batch, result.shape()};
  }

  /// From there to the user.
  template <class T>
  static void fetch(const view<T>& result, const typename workspace<P>::memory& there, workspace<P>& w) {
    if (P::host_memory || result.data == nullptr) return;
    const std::size_t pixel = static_cast<std::size_t>(result.channels) * sizeof(T);
    w.staging_.resize(static_cast<std::size_t>(result.pixels()) * pixel);
    P::download(there.bytes_of, 0, w.staging_.data(), w.staging_.size());
    for (std::int64_t p = 0; p < result.pixels(); ++p)
      std::memcpy(result.at(p), w.staging_.data() + static_cast<std::size_t>(p) * pixel, pixel);
  }

  /// Copies a value out of the arena, pixel by pixel: it may be a slice of a concatenation.
  static void fetch_value(const plan& p, int v, const view<float>& to, workspace<P>& w) {
    if (to.data == nullptr) return;
    const value& there = p.values[static_cast<std::size_t>(v)];
    const std::int64_t count = pixels(there.extent) * p.batch;
    const auto offset = static_cast<std::size_t>(there.offset) * sizeof(element);
    const element* from = nullptr;
    if constexpr (P::host_memory) {
      from = reinterpret_cast<const element*>(P::address(w.arena_.bytes_of) + offset);
    } else {
      w.staging_.resize(static_cast<std::size_t>((count - 1) * there.pixel + there.extent.channels) *
                        sizeof(element));
      P::download(w.arena_.bytes_of, offset, w.staging_.data(), w.staging_.size());
      from = reinterpret_cast<const element*>(w.staging_.data());
    }
    for (std::int64_t pixel = 0; pixel < count; ++pixel) {
      for (int c = 0; c < there.extent.channels; ++c)
        to.at(pixel)[c] = static_cast<float>(from[pixel * there.pixel + c]);
    }
  }
};

}  // namespace atrous
