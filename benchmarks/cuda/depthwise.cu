// The depthwise kernel and a copy as a shared library for depthwise.py. Functions return a cudaError_t.
#include <cstdint>

#include "depthwise.cuh"

namespace {

template <class Element, int Channels, int Strip>
void by_stride(const depthwise::operands<Element>& o, cudaStream_t on) {
  if (o.of.stride == 1) depthwise::launch<Element, Channels, Strip, 1>(o, on);
  else depthwise::launch<Element, Channels, Strip, 2>(o, on);
}

template <class Element, int Channels>
bool by_strip(const depthwise::operands<Element>& o, int strip, cudaStream_t on) {
  switch (strip) {
    case 1: by_stride<Element, Channels, 1>(o, on); return true;
    case 2: by_stride<Element, Channels, 2>(o, on); return true;
    case 4: by_stride<Element, Channels, 4>(o, on); return true;
    case 8:
      if constexpr (Channels == 4) return by_stride<Element, Channels, 8>(o, on), true;
      [[fallthrough]];  // 8 x 8 sums do not fit into registers
    default: return false;
  }
}

template <class Element>
int run(const void* x, const void* w, const void* bias, void* y, const depthwise::shape& s, int channels, int strip,
        void* stream) {
  const auto on = static_cast<cudaStream_t>(stream);
  const depthwise::operands<Element> o{static_cast<const Element*>(x), static_cast<const Element*>(w),
                                       static_cast<const float*>(bias), static_cast<Element*>(y), s};
  const bool known = s.channels % channels == 0 && (channels == 8   ? by_strip<Element, 8>(o, strip, on)
                                                    : channels == 4 ? by_strip<Element, 4>(o, strip, on)
                                                                    : false);
  return known ? cudaGetLastError() : cudaErrorInvalidValue;
}

__global__ void copy(const uint4* from, uint4* to, std::size_t count) {
  for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < count;
       i += std::size_t{gridDim.x} * blockDim.x) {
    to[i] = from[i];
  }
}

}  // namespace

extern "C" int depthwise_fp16(const void* x, const void* w, const void* bias, void* y, depthwise::shape s, int channels,
                              int strip, void* stream) {
  return run<__half>(x, w, bias, y, s, channels, strip, stream);
}

extern "C" int depthwise_bf16(const void* x, const void* w, const void* bias, void* y, depthwise::shape s, int channels,
                              int strip, void* stream) {
  return run<__nv_bfloat16>(x, w, bias, y, s, channels, strip, stream);
}

extern "C" int copy_bytes(const void* from, void* to, std::size_t bytes, void* stream) {
  const std::size_t count = bytes / 16, blocks = (count + 255) / 256;
  copy<<<blocks < 8448 ? blocks : 8448, 256, 0, static_cast<cudaStream_t>(stream)>>>(static_cast<const uint4*>(from),
                                                                                    static_cast<uint4*>(to), count);
  return cudaGetLastError();
}
