// SPDX-License-Identifier: MIT
#pragma once
// OpenCV in and out: a cv::Mat, or a region of one, is segmented where it lies, and label maps and probabilities are
// written into a cv::Mat.
#include <stdexcept>
#include <string>
#include <type_traits>

#include <opencv2/core.hpp>

#include <atrous/core/pixels.hpp>
#include <atrous/core/view.hpp>

namespace atrous {

template <class T>
pixels_view pixels_in(const cv::Mat& picture) {
  const auto* first = picture.ptr<T>();
  const auto row = static_cast<std::ptrdiff_t>(picture.step1());
  switch (picture.channels()) {
    case 1:
      return pixels_view::picture(pixel_order::grey, first, picture.rows, picture.cols, row);
    case 3:
      return pixels_view::picture(pixel_order::bgr, first, picture.rows, picture.cols, row);
    case 4:
      return pixels_view::picture(pixel_order::bgra, first, picture.rows, picture.cols, row);
    default:
      break;
  }
  pixels_view seen(first, {picture.rows, picture.cols, picture.channels()});
  seen.row = row;
  return seen;
}

/// A picture as OpenCV keeps it (BGR, BGRA or grey; other numbers of channels as they are), of CV_8U or of CV_32F with
/// values from 0 to 255. Throws std::invalid_argument for another depth or number of dimensions. Good for as long as the
/// matrix keeps its memory.
inline pixels_view pixels_of(const cv::Mat& picture) {
  if (picture.dims != 2)
    throw std::invalid_argument("a picture has 2 dimensions, found " + std::to_string(picture.dims));
  if (picture.depth() == CV_8U) return pixels_in<std::uint8_t>(picture);
  if (picture.depth() == CV_32F) return pixels_in<float>(picture);
  throw std::invalid_argument("a picture is of CV_8U or CV_32F, found " + cv::typeToString(picture.type()));
}

/// Room for results in a matrix: T is std::uint8_t for labels (CV_8UC1), float for probabilities and logits (CV_32F with
/// a channel for every class). Throws std::invalid_argument for another depth, or a region, whose rows have gaps.
template <class T>
view<T> room_in(cv::Mat& matrix) {
  static_assert(std::is_same_v<T, std::uint8_t> || std::is_same_v<T, float>);
  const int depth = std::is_same_v<T, float> ? CV_32F : CV_8U;
  if (matrix.depth() != depth || matrix.dims != 2) {
    throw std::invalid_argument("room for results is a matrix of " + cv::typeToString(depth) + ", found " +
                                cv::typeToString(matrix.type()));
  }
  if (!matrix.isContinuous())
    throw std::invalid_argument("room for results must not be a region of a larger matrix");
  return {matrix.ptr<T>(), 1, {matrix.rows, matrix.cols, matrix.channels()}};
}

}  // namespace atrous
