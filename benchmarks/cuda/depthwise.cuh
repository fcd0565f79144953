/// A depthwise 3x3 convolution over NHWC with 16-bit elements and float sums: a strip of outputs per thread.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace depthwise {

/// Extents of the input; the output has (extent - 1) / stride + 1 rows and columns, the padding is `rate`.
struct shape {
  int batch, height, width, channels, stride, rate;

  __host__ __device__ int out_height() const { return (height - 1) / stride + 1; }
  __host__ __device__ int out_width() const { return (width - 1) / stride + 1; }
};

__host__ __device__ constexpr int divide_up(int a, int b) { return (a + b - 1) / b; }

template <class Element>
struct operands {
  const Element* input;    // batch, height, width, channels
  const Element* weights;  // 9, channels
  const float* bias;       // channels
  Element* output;         // batch, out_height, out_width, channels
  shape of;
};

/// Some channels of one pixel, moved by one instruction.
template <class Element, int Channels>
struct alignas(sizeof(Element) * Channels) pack {
  Element at[Channels];
};

/// Outputs `rate` apart use the same inputs. So a unit is `Strip` columns of one phase, and rows are counted phase by
/// phase, that threads beside each other find their rows in the first-level cache.
struct units {
  int columns, rows;  // of units

  __host__ __device__ units(const shape& s, int strip)
      : columns(s.rate * divide_up(divide_up(s.out_width(), s.rate), strip)),
        rows(s.rate * divide_up(s.out_height(), s.rate)) {}
};

/// Of `count` numbers in phases of `rate`: the one at place `at`, or beyond the last.
__host__ __device__ inline int phased(int at, int count, int rate) {
  const int each = divide_up(count, rate);
  return at / each + at % each * rate;
}

/// The strip's inputs come column by column: three rows are loaded once, and each output takes them with its own tap.
template <class Element, int Channels, int Strip, int Stride>
__host__ __device__ void strip(const operands<Element>& o, int image, int channel, int unit, int row) {
  using vector = pack<Element, Channels>;
  const shape& s = o.of;
  const int y = phased(row, s.out_height(), s.rate);
  const int each = divide_up(divide_up(s.out_width(), s.rate), Strip);
  const int x = unit / each + unit % each * Strip * s.rate;
  if (y >= s.out_height() || x >= s.out_width()) return;

  vector weights[9];
  for (int tap = 0; tap < 9; ++tap) {
    weights[tap] = *reinterpret_cast<const vector*>(o.weights + tap * s.channels + channel);
  }
  float sums[Strip][Channels];
#pragma unroll
  for (int c = 0; c < Channels; ++c) {
#pragma unroll
    for (int i = 0; i < Strip; ++i) sums[i][c] = o.bias[channel + c];
  }
  const Element* top = o.input + (size_t(image) * s.height * s.width) * s.channels + channel;
#pragma unroll
  for (int step = 0; step < (Strip - 1) * Stride + 3; ++step) {
    const int column = x * Stride + (step - 1) * s.rate;
    vector loaded[3]{};
#pragma unroll
    for (int tap = 0; tap < 3; ++tap) {
      const int line = y * Stride + (tap - 1) * s.rate;
      if (column >= 0 && column < s.width && line >= 0 && line < s.height) {
        loaded[tap] = *reinterpret_cast<const vector*>(top + (size_t(line) * s.width + column) * s.channels);
      }
    }
#pragma unroll
    for (int i = 0; i < Strip; ++i) {
      if (step < i * Stride || step > i * Stride + 2) continue;
#pragma unroll
      for (int tap = 0; tap < 3; ++tap) {
#pragma unroll
        for (int c = 0; c < Channels; ++c) {
          sums[i][c] += float(loaded[tap].at[c]) * float(weights[3 * tap + step - i * Stride].at[c]);
        }
      }
    }
  }
  Element* out = o.output + ((size_t(image) * s.out_height() + y) * s.out_width()) * s.channels + channel;
#pragma unroll
  for (int i = 0; i < Strip; ++i) {
    const int column = x + i * s.rate;
    if (column >= s.out_width()) break;
    vector result;
#pragma unroll
    for (int c = 0; c < Channels; ++c) result.at[c] = Element(sums[i][c]);
    *reinterpret_cast<vector*>(out + size_t(column) * s.channels) = result;
  }
}

/// Threads of a block: x over channels, y over rows.
template <class Element, int Channels, int Strip, int Stride>
__global__ void __launch_bounds__(256) kernel(const __grid_constant__ operands<Element> o) {
  const int groups = divide_up(o.of.channels / Channels, blockDim.x);
  const int channel = (blockIdx.x % groups * blockDim.x + threadIdx.x) * Channels;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (channel >= o.of.channels || row >= units(o.of, Strip).rows) return;
  strip<Element, Channels, Strip, Stride>(o, blockIdx.z, channel, blockIdx.x / groups, row);
}

/// As many threads side by side as leave few without channels.
inline int threads_over(int vectors) {
  for (const int threads : {32, 16, 8, 4}) {
    if (divide_up(vectors, threads) * threads * 10 <= vectors * 11) return threads;
  }
  return 4;
}

/// Channels is a factor of the number of channels; stride 2 goes with rate 1.
template <class Element, int Channels, int Strip, int Stride>
void launch(const operands<Element>& o, cudaStream_t on) {
  const int vectors = o.of.channels / Channels, across = threads_over(vectors);
  const units count(o.of, Strip);
  const dim3 block(across, 256 / across);
  const dim3 grid(divide_up(vectors, across) * count.columns, divide_up(count.rows, block.y), o.of.batch);
  kernel<Element, Channels, Strip, Stride><<<grid, block, 0, on>>>(o);
}

}  // namespace depthwise
