// Compares the depthwise kernel's arithmetic and indices, run on the processor thread by thread, with plain loops.
// Numbers are small integers, so every sum is exact and results are equal to the bit. Needs no GPU.
#include <cstdio>
#include <vector>

#include "depthwise.cuh"

namespace {

template <class Element>
std::vector<Element> integers(std::size_t count) {
  std::vector<Element> result(count);
  unsigned state = 7;
  for (Element& x : result) {
    state = state * 1664525 + 1013904223;
    x = Element(float(int(state >> 24) % 5 - 2));
  }
  return result;
}

template <class Element>
float plain(const depthwise::operands<Element>& o, int n, int y, int x, int c) {
  const depthwise::shape& s = o.of;
  float sum = o.bias[c];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const int row = y * s.stride + (i - 1) * s.rate, column = x * s.stride + (j - 1) * s.rate;
      if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
      sum += float(o.input[((std::size_t(n) * s.height + row) * s.width + column) * s.channels + c]) *
             float(o.weights[(3 * i + j) * s.channels + c]);
    }
  }
  return sum;
}

/// Every output is written once, and right.
template <class Element, int Channels, int Columns, int Ahead, int Stride>
bool right(depthwise::shape s, int rows) {
  s.stride = Stride;
  const auto input = integers<Element>(std::size_t(s.batch) * s.height * s.width * s.channels);
  const auto weights = integers<Element>(9 * s.channels);
  std::vector<float> bias(s.channels);
  for (int c = 0; c < s.channels; ++c) bias[c] = float(c % 7 - 3);
  std::vector<Element> output(std::size_t(s.batch) * s.out_height() * s.out_width() * s.channels,
                              Element(1000.f));
  const depthwise::operands<Element> o{input.data(), weights.data(), bias.data(), output.data(), s};
  const int wide = s.out_width(), high = s.out_height();
  for (int n = 0; n < s.batch; ++n) {
    for (int down = 0; down < depthwise::parts_of(high, s.rate, rows); ++down) {
      for (int part = 0; part < depthwise::parts_of(wide, s.rate, Columns); ++part) {
        for (int c = 0; c < s.channels; c += Channels) {
          depthwise::down<Element, Channels, Columns, Ahead, Stride>(
              o, n, c, depthwise::begin_of(part, wide, s.rate, Columns),
              depthwise::begin_of(down, high, s.rate, rows), rows);
        }
      }
    }
  }
  std::size_t i = 0;
  for (int n = 0; n < s.batch; ++n) {
    for (int y = 0; y < s.out_height(); ++y) {
      for (int x = 0; x < s.out_width(); ++x) {
        for (int c = 0; c < s.channels; ++c, ++i) {
          if (float(output[i]) == plain(o, n, y, x, c)) continue;
          std::printf("%d x %d x %d, stride %d, rate %d, variant %d x %d x %d: wrong at %d %d %d\n", s.height,
                      s.width, s.channels, Stride, s.rate, Channels, Columns, rows, y, x, c);
          return false;
        }
      }
    }
  }
  return true;
}

template <class Element, int Channels, int Columns, int Ahead>
bool right(const depthwise::shape& s) {
  for (const int rows : {1, 2, 3, 7, 40}) {
    if (!right<Element, Channels, Columns, Ahead, 1>(s, rows)) return false;
    if (s.rate == 1 && !right<Element, Channels, Columns, Ahead, 2>(s, rows)) return false;
  }
  return true;
}

}  // namespace

int main() {
  int shapes = 0;
  for (const auto [height, width] : {std::pair{1, 1}, {1, 9}, {9, 1}, {2, 3}, {7, 8}, {13, 17}, {33, 33}}) {
    for (const int rate : {1, 2, 3, 6, 12, 18, 36}) {
      const depthwise::shape s{2, height, width, 16, 1, rate};
      if (!right<__half, 8, 1, 1>(s) || !right<__half, 8, 1, 3>(s) || !right<__half, 4, 1, 3>(s) ||
          !right<__half, 4, 2, 2>(s) || !right<__nv_bfloat16, 8, 1, 1>(s)) {
        return 1;
      }
      ++shapes;
    }
  }
  std::printf("depthwise: %d shapes are right\n", shapes);
}
