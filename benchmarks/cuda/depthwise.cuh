/// A depthwise 3x3 convolution over NHWC with 16-bit elements and float sums.
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

/// Two elements in a word, to floats and back.
__host__ __device__ inline float2 unpack(__half, unsigned word) {
  return __half22float2(reinterpret_cast<const __half2&>(word));
}
__host__ __device__ inline float2 unpack(__nv_bfloat16, unsigned word) {
  return __bfloat1622float2(reinterpret_cast<const __nv_bfloat162&>(word));
}
__host__ __device__ inline unsigned pack(__half, float a, float b) {
  const __half2 both = __floats2half2_rn(a, b);
  return reinterpret_cast<const unsigned&>(both);
}
__host__ __device__ inline unsigned pack(__nv_bfloat16, float a, float b) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(a, b);
  return reinterpret_cast<const unsigned&>(both);
}

/// Some channels of one pixel as words, moved by one instruction.
template <int Channels>
struct alignas(2 * Channels) vector {
  unsigned at[Channels / 2];
};

/// Outputs `rate` apart use the same inputs, so columns and rows are counted phase by phase, and each phase is cut into
/// parts of `size`: how many parts there are, and where one begins.
__host__ __device__ constexpr int parts_of(int count, int rate, int size) {
  return rate * divide_up(divide_up(count, rate), size);
}
__host__ __device__ constexpr int begin_of(int part, int count, int rate, int size) {
  const int each = divide_up(divide_up(count, rate), size);
  return part / each + part % each * size * rate;
}

/// One thread: `Columns` outputs side by side (in their phase), `rows` of them going down from row y. A row of inputs is
/// loaded once, while the `Ahead` rows before it are added to the outputs above, beside and below them.
template <class Element, int Channels, int Columns, int Ahead, int Stride>
__host__ __device__ void down(const operands<Element>& o, int image, int channel, int x, int y, int rows) {
  using vector = vector<Channels>;
  constexpr int wide = (Columns - 1) * Stride + 3;
  struct line {
    vector at[wide];
  };
  struct sums {
    float at[Columns][Channels];
  };
  const shape& s = o.of;
  const int out_height = s.out_height(), out_width = s.out_width();
  rows = min(rows, divide_up(out_height - y, s.rate));
  if (rows <= 0 || x >= out_width) return;

  float weights[9][Channels];
  sums bias;
#pragma unroll
  for (int tap = 0; tap < 9; ++tap) {
    const auto v = *reinterpret_cast<const vector*>(o.weights + tap * s.channels + channel);
#pragma unroll
    for (int c = 0; c < Channels; c += 2) {
      const float2 two = unpack(Element{}, v.at[c / 2]);
      weights[tap][c] = two.x, weights[tap][c + 1] = two.y;
    }
  }
#pragma unroll
  for (int c = 0; c < Channels; ++c) {
#pragma unroll
    for (int i = 0; i < Columns; ++i) bias.at[i][c] = o.bias[channel + c];
  }

  int from = y * Stride - s.rate;
  const int left = x * Stride - s.rate, end = min(s.height, from + ((rows - 1) * Stride + 3) * s.rate);
  const Element* input =
      o.input + channel + ((ptrdiff_t(image) * s.height + from) * s.width + left) * s.channels;
  bool inside[wide];
#pragma unroll
  for (int i = 0; i < wide; ++i) inside[i] = left + i * s.rate >= 0 && left + i * s.rate < s.width;
  const auto load = [&] {
    line loaded{};
    const bool there = from >= 0 && from < end;
#pragma unroll
    for (int i = 0; i < wide; ++i) {
      if (there && inside[i])
        loaded.at[i] = *reinterpret_cast<const vector*>(input + i * s.rate * s.channels);
    }
    from += s.rate;
    input += ptrdiff_t(s.rate) * s.width * s.channels;
    return loaded;
  };
  line ahead[Ahead];
#pragma unroll
  for (line& each : ahead) each = load();
  const auto take = [&] {
    const line taken = ahead[0];
#pragma unroll
    for (int i = 1; i < Ahead; ++i) ahead[i - 1] = ahead[i];
    ahead[Ahead - 1] = load();
    return taken;
  };
  const auto add = [&](const line& loaded, int row, sums& to) {
#pragma unroll
    for (int i = 0; i < Columns; ++i) {
#pragma unroll
      for (int tap = 0; tap < 3; ++tap) {
#pragma unroll
        for (int c = 0; c < Channels; c += 2) {
          const float2 two = unpack(Element{}, loaded.at[i * Stride + tap].at[c / 2]);
          to.at[i][c] += two.x * weights[3 * row + tap][c];
          to.at[i][c + 1] += two.y * weights[3 * row + tap][c + 1];
        }
      }
    }
  };
  Element* output = o.output + channel + ((ptrdiff_t(image) * out_height + y) * out_width + x) * s.channels;
  const auto store = [&](const sums& from) {
#pragma unroll
    for (int i = 0; i < Columns; ++i) {
      if (x + i * s.rate >= out_width) break;
      vector result;
#pragma unroll
      for (int c = 0; c < Channels; c += 2) {
        result.at[c / 2] = pack(Element{}, from.at[i][c], from.at[i][c + 1]);
      }
      *reinterpret_cast<vector*>(output + i * s.rate * s.channels) = result;
    }
    output += ptrdiff_t(s.rate) * out_width * s.channels;
  };

  sums here = bias, next = bias;
  add(take(), 0, here);
  if constexpr (Stride == 1) {
    const line middle = take();
    add(middle, 1, here);
    add(middle, 0, next);
  }
#pragma unroll 1
  for (int i = 0; i < rows; ++i) {
    sums after = bias;
    if constexpr (Stride == 2) add(take(), 1, here);
    const line last = take();
    add(last, 2, here);
    if constexpr (Stride == 1) {
      add(last, 1, next);
      add(last, 0, after);
    } else {
      add(last, 0, next);
    }
    store(here);
    here = next;
    next = after;
  }
}

/// Threads of a block: x over channels, y over columns.
template <class Element, int Channels, int Columns, int Ahead, int Stride>
__global__ void __launch_bounds__(128, Ahead == 1 ? 4 : 1)
    kernel(const __grid_constant__ operands<Element> o, int rows) {
  const shape& s = o.of;
  const int groups = divide_up(s.channels / Channels, blockDim.x);
  const int channel = (blockIdx.x % groups * blockDim.x + threadIdx.x) * Channels;
  const int part = blockIdx.x / groups * blockDim.y + threadIdx.y;
  if (channel >= s.channels || part >= parts_of(s.out_width(), s.rate, Columns)) return;
  down<Element, Channels, Columns, Ahead, Stride>(o, blockIdx.z, channel,
                                                  begin_of(part, s.out_width(), s.rate, Columns),
                                                  begin_of(blockIdx.y, s.out_height(), s.rate, rows), rows);
}

/// As many threads side by side as leave few without channels.
inline int threads_over(int vectors) {
  for (const int threads : {32, 16, 8, 4}) {
    if (divide_up(vectors, threads) * threads * 10 <= vectors * 11) return threads;
  }
  return 4;
}

/// Channels is a factor of the number of channels; stride 2 goes with rate 1.
template <class Element, int Channels, int Columns, int Ahead, int Stride>
void launch(const operands<Element>& o, int rows, cudaStream_t on) {
  const int vectors = o.of.channels / Channels, across = threads_over(vectors);
  const dim3 block(across, 128 / across);
  const int parts = divide_up(parts_of(o.of.out_width(), o.of.rate, Columns), block.y);
  const dim3 grid(divide_up(vectors, across) * parts, parts_of(o.of.out_height(), o.of.rate, rows),
                  o.of.batch);
  kernel<Element, Channels, Columns, Ahead, Stride><<<grid, block, 0, on>>>(o, rows);
}

}  // namespace depthwise
