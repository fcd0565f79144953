/// What the programs of this folder share: checked calls, device memory, medians of graph replays, a copy.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpu {

inline void check(cudaError_t status, std::source_location at = std::source_location::current()) {
  if (status != cudaSuccess) {
    throw std::runtime_error(std::string(at.file_name()) + ":" + std::to_string(at.line()) + ": " +
                             cudaGetErrorString(status));
  }
}

/// A stream of its own: the default stream cannot be captured.
class stream {
 public:
  stream() { check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking)); }
  ~stream() { cudaStreamDestroy(handle_); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  operator cudaStream_t() const { return handle_; }
  void wait() const { check(cudaStreamSynchronize(handle_)); }

 private:
  cudaStream_t handle_{};
};

/// Device memory, filled with numbers between -1 and 1 that differ (zeros draw less power and run faster).
template <class T>
class buffer {
 public:
  explicit buffer(std::size_t count) : count_(count) {
    check(cudaMalloc(&data_, count * sizeof(T)));
    std::vector<T> block(std::min<std::size_t>(count, 1 << 20));
    std::uint32_t state = 1;
    for (T& x : block) {
      state = state * 1664525 + 1013904223;
      x = T(static_cast<float>(state >> 8) * (2.f / (1 << 24)) - 1);
    }
    for (std::size_t i = 0; i < count; i += block.size()) {
      check(cudaMemcpy(data_ + i, block.data(), std::min(block.size(), count - i) * sizeof(T),
                       cudaMemcpyDefault));
    }
  }
  ~buffer() { cudaFree(data_); }
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  T* data() const { return data_; }
  std::size_t bytes() const { return count_ * sizeof(T); }

 private:
  std::size_t count_;
  T* data_{};
};

/// A captured graph of `calls` launches; a graph keeps the processor's launch time out of the measurement.
class graph {
 public:
  template <class Launch>
  graph(const stream& on, int calls, const Launch& launch) : on_(on), calls_(calls) {
    cudaGraph_t captured{};
    check(cudaStreamBeginCapture(on, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < calls; ++i) launch();
    check(cudaStreamEndCapture(on, &captured));
    const cudaError_t status = cudaGraphInstantiate(&executable_, captured, 0);
    cudaGraphDestroy(captured);
    check(status);
    check(cudaEventCreate(&begin_));
    check(cudaEventCreate(&end_));
    microseconds();  // uploads the graph and warms caches up
  }
  ~graph() {
    cudaGraphExecDestroy(executable_);
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  graph(const graph&) = delete;
  graph& operator=(const graph&) = delete;

  /// Of one launch, by one replay. One that is not timed goes before it, so that the device is busy while the processor
  /// submits the other.
  double microseconds() const {
    check(cudaGraphLaunch(executable_, on_));
    check(cudaEventRecord(begin_, on_));
    check(cudaGraphLaunch(executable_, on_));
    check(cudaEventRecord(end_, on_));
    check(cudaEventSynchronize(end_));
    float milliseconds{};
    check(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return 1e3 * milliseconds / calls_;
  }

 private:
  const stream& on_;
  int calls_;
  cudaGraphExec_t executable_{};
  cudaEvent_t begin_{}, end_{};
};

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Microseconds of one launch: the median of replays.
template <class Launch>
double time(const stream& on, const Launch& launch, int calls = 20, int replays = 15) {
  launch();
  on.wait();
  check(cudaGetLastError());
  const graph many(on, calls, launch);
  std::vector<double> each;
  for (int i = 0; i < replays; ++i) each.push_back(many.microseconds());
  return median(each);
}

inline cudaDeviceProp properties() {
  cudaDeviceProp found{};
  check(cudaGetDeviceProperties(&found, 0));
  return found;
}

/// Runs `work` and turns exceptions into a message and an exit code.
template <class Work>
int run(const Work& work) {
  try {
    const cudaDeviceProp card = properties();
    std::printf("%s, %d multiprocessors, compute capability %d.%d, second-level cache %d MB\n\n", card.name,
                card.multiProcessorCount, card.major, card.minor, card.l2CacheSize >> 20);
    work();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

/// As fast as memory goes.
template <class Vector>
__global__ void copy(const Vector* from, Vector* to, std::size_t count) {
  for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < count;
       i += std::size_t{gridDim.x} * blockDim.x) {
    to[i] = from[i];
  }
}

/// `count` vectors of 16 bytes.
inline void launch_copy(const uint4* from, uint4* to, std::size_t count, int multiprocessors,
                        cudaStream_t on) {
  const auto blocks = std::min<std::size_t>((count + 255) / 256, multiprocessors * 64);
  copy<<<static_cast<unsigned>(blocks), 256, 0, on>>>(from, to, count);
}

}  // namespace gpu
