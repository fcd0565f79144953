// The depthwise kernel and a copy as a shared library for depthwise.py. Functions return a cudaError_t.
#include "depthwise.cuh"
#include "gpu.cuh"

/// How a thread's outputs are cut out, and how many rows are on their way; the interface of depthwise.py.
struct variant {
  int channels, columns, ahead, rows;
};

namespace {

template <class Element, int Channels, int Columns, int Ahead>
int launch(const depthwise::operands<Element>& o, int rows, cudaStream_t on) {
  if (o.of.stride == 1)
    depthwise::launch<Element, Channels, Columns, Ahead, 1>(o, rows, on);
  else
    depthwise::launch<Element, Channels, Columns, Ahead, 2>(o, rows, on);
  return cudaGetLastError();
}

template <class Element>
int run(const void* x, const void* w, const void* bias, void* y, const depthwise::shape& s, variant v,
        void* stream) {
  const auto on = static_cast<cudaStream_t>(stream);
  const depthwise::operands<Element> o{static_cast<const Element*>(x), static_cast<const Element*>(w),
                                       static_cast<const float*>(bias), static_cast<Element*>(y), s};
  if (s.channels % v.channels != 0) return cudaErrorInvalidValue;
  const auto is = [&](int channels, int columns, int ahead) {
    return v.channels == channels && v.columns == columns && v.ahead == ahead;
  };
  if (is(8, 1, 1)) return launch<Element, 8, 1, 1>(o, v.rows, on);
  if (is(8, 1, 3)) return launch<Element, 8, 1, 3>(o, v.rows, on);
  if (is(4, 1, 3)) return launch<Element, 4, 1, 3>(o, v.rows, on);
  if (is(4, 2, 2)) return launch<Element, 4, 2, 2>(o, v.rows, on);
  return cudaErrorInvalidValue;
}

}  // namespace

extern "C" int depthwise_fp16(const void* x, const void* w, const void* bias, void* y, depthwise::shape s,
                              variant v, void* stream) {
  return run<__half>(x, w, bias, y, s, v, stream);
}

extern "C" int depthwise_bf16(const void* x, const void* w, const void* bias, void* y, depthwise::shape s,
                              variant v, void* stream) {
  return run<__nv_bfloat16>(x, w, bias, y, s, v, stream);
}

extern "C" int copy_bytes(const void* from, void* to, std::size_t bytes, void* stream) {
  static const int multiprocessors = gpu::properties().multiProcessorCount;
  gpu::launch_copy(static_cast<const uint4*>(from), static_cast<uint4*>(to), bytes / 16, multiprocessors,
                   static_cast<cudaStream_t>(stream));
  return cudaGetLastError();
}
