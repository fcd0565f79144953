// SPDX-License-Identifier: MIT
#pragma once
// Probabilities of one picture from the logits of several runs: other scales, mirrored images, tiles. A row at a time, so
// that neither resized logits nor all probabilities are ever stored.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>
#include <vector>

#include <atrous/backend/openmp/probabilities.hpp>
#include <atrous/core/tensor.hpp>
#include <atrous/model/results.hpp>

namespace atrous {

/// The logits of a run (1, rows, columns, classes) and the part of the picture that they are of. A weight for every row
/// and column of that part: those of all parts over a pixel sum to 1.
struct merged_part {
  tensor<float> logits{};
  resized_axis down{}, across{};  // of the resize to that part
  bool mirrored = false;          // the run saw left and right exchanged
  int top = 0, left = 0;
  std::vector<float> row_weights{}, column_weights{};

  int bottom() const { return top + static_cast<int>(row_weights.size()); }
  int width() const { return static_cast<int>(column_weights.size()); }
};

/// Sums the parts of one picture row by row.
class merger {
 public:
  /// Writes to labels and probabilities of image `image` in `out`, of those that have data.
  merger(const results& out, int image, shape output, int threads)
      : out_(out), image_(image), output_(output), threads_(threads) {}

  void add(merged_part part) { parts_.push_back(std::move(part)); }

  /// Writes the rows before `end` that are not yet written, and forgets the parts that end there.
  void write_until(int end) {
    const auto line = static_cast<std::size_t>(output_.width) * static_cast<std::size_t>(output_.channels);
    std::size_t scratch = 0;
    for (const merged_part& part : parts_)
      scratch = std::max(scratch, cpu::probable_row_scratch<float>(part.logits.extent) / sizeof(float));
    memory_.resize((line + scratch) * static_cast<std::size_t>(threads_));
    cpu::parallel_for(threads_, end - done_, [&](std::int64_t i, int thread) {
      float* sum = memory_.data() + (line + scratch) * static_cast<std::size_t>(thread);
      std::fill_n(sum, line, 0.0F);
      const int row = done_ + static_cast<int>(i);
      for (const merged_part& part : parts_) add_row(part, row, sum, sum + line);
      store(row, sum);
    });
    done_ = end;
    parts_.remove_if([&](const merged_part& part) { return part.bottom() <= end; });
  }

 private:
  void add_row(const merged_part& part, int row, float* sum, float* scratch) const {
    if (row < part.top || row >= part.bottom()) return;
    const int i = row - part.top, classes = output_.channels, width = part.width();
    const float weight = part.row_weights[static_cast<std::size_t>(i)];
    if (weight == 0) return;
    const auto add_stripe = [&](int first, int count, const float* pixels, std::ptrdiff_t padded) {
      for (int j = first; j < first + count; ++j) {
        const int column = part.mirrored ? width - 1 - j : j;
        const float share = weight * part.column_weights[static_cast<std::size_t>(column)];
        float* to = sum + std::ptrdiff_t{part.left + column} * classes;
        const float* from = pixels + (j - first) * padded;
        for (int c = 0; c < classes; ++c) to[c] += share * from[c];
      }
    };
    const view<const float> logits = part.logits.view();
    float* stripe = scratch + std::ptrdiff_t{logits.width} * classes;
    simd::dispatch(simd::widest::get(),
                   cpu::probable_row<float, decltype(add_stripe)>{&logits, 0, i, width, part.down,
                                                                  part.across, scratch, stripe, &add_stripe});
  }

  void store(int row, const float* sum) const {
    const int classes = output_.channels;
    for (int j = 0; j < output_.width; ++j, sum += classes) {
      if (out_.probabilities.data != nullptr)
        std::copy_n(sum, classes, out_.probabilities.at(image_, row, j));
      if (out_.labels.data != nullptr)
        *out_.labels.at(image_, row, j) =
            static_cast<std::uint8_t>(std::max_element(sum, sum + classes) - sum);
    }
  }

  results out_;
  int image_ = 0;
  shape output_{};
  int threads_ = 1, done_ = 0;
  std::list<merged_part> parts_;
  std::vector<float> memory_;
};

}  // namespace atrous
