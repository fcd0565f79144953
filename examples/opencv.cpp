// SPDX-License-Identifier: MIT
// A cv::Mat and a region of one go in where they lie, BGR as OpenCV has it; labels and probabilities come out as matrices.
#include <cstdio>

#include <opencv2/core.hpp>

#include <atrous/atrous.hpp>
#include <atrous/data/opencv.hpp>

#include "made_up_weights.hpp"

using namespace atrous;

inline constexpr network net{[](wire image) { return deeplab_v3_plus(image, mobilenet_v2{}, 21); },
                             {257, 257, 3}};

int main() {
  const model<net, openmp> segment(made_up_weights(graph_of<net>));
  workspace<openmp> w(2);

  cv::Mat frame(240, 320, CV_8UC3);  // as cv::imread or cv::VideoCapture gives it
  cv::randu(frame, 0, 256);
  const cv::Mat region = frame(cv::Rect(40, 20, 161, 129));

  cv::Mat labels(region.size(), CV_8UC1), probabilities(region.size(), CV_32FC(21));
  segment.run(pixels_of(region),
              {.labels = room_in<std::uint8_t>(labels), .probabilities = room_in<float>(probabilities)}, w);

  const cv::Mat copy = region.clone();
  const bool same = segment.labels(pixels_of(copy), w).data ==
                    std::vector<std::uint8_t>(labels.begin<std::uint8_t>(), labels.end<std::uint8_t>());
  const int middle = labels.at<std::uint8_t>(64, 80);
  std::printf("the middle is of class %d, with a probability of %.2f\n", middle,
              static_cast<double>(probabilities.ptr<float>(64, 80)[middle]));
  std::printf("a copy of the region gives %s labels\n", same ? "the same" : "other");
  return same ? 0 : 1;
}
