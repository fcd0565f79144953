// Constants of a GPU that the cost model of the CUDA policy needs: bandwidths, tensor cores through mma.sync, gaps
// between kernels, clusters. Prints Markdown.
#include <cooperative_groups.h>

#include "gpu.cuh"

namespace {

namespace cg = cooperative_groups;

/// Reads `count` vectors `passes` times, past the first-level cache; block b begins at b * `offset`.
__global__ void read(const uint4* from, std::size_t count, std::size_t offset, int passes, unsigned* never) {
  unsigned sum = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const uint4* base = from + blockIdx.x * offset;
#pragma unroll 8
    for (std::size_t i = threadIdx.x; i < count; i += blockDim.x) {
      const uint4 x = __ldcg(base + i);
      sum += x.x ^ x.y ^ x.z ^ x.w;
    }
  }
  if (sum == 0x12345678) *never = sum;
}

void copies(const gpu::stream& on, const cudaDeviceProp& card) {
  std::printf(
      "| bytes read + written | copy, TB/s | cudaMemcpyAsync, TB/s | microseconds |\n|---|---|---|---|\n");
  for (const double megabytes : {0.5, 1.6, 3.2, 8., 16., 32., 64., 128., 1024., 4096.}) {
    const auto count = static_cast<std::size_t>(megabytes * 1e6 / 32);
    const gpu::buffer<float> from(count * 4), to(count * 4);
    const auto* x = reinterpret_cast<const uint4*>(from.data());
    auto* y = reinterpret_cast<uint4*>(to.data());
    const int calls = megabytes > 500 ? 4 : 20;
    const double own = gpu::time(
        on, [&] { gpu::launch_copy(x, y, count, card.multiProcessorCount, on); }, calls);
    const double driver = gpu::time(
        on, [&] { gpu::check(cudaMemcpyAsync(y, x, count * 16, cudaMemcpyDeviceToDevice, on)); }, calls);
    std::printf("| %.1f MB | %.2f | %.2f | %.2f |\n", megabytes, megabytes / own, megabytes / driver, own);
  }
}

double gigahertz() {
  int khz{};
  gpu::check(cudaDeviceGetAttribute(&khz, cudaDevAttrClockRate, 0));
  return khz * 1e-6;
}

void reads(const gpu::stream& on, const cudaDeviceProp& card) {
  std::printf(
      "\n| read past the first-level cache, %.2f GHz | TB/s | bytes per clock and multiprocessor "
      "|\n|---|---|---|\n",
      gigahertz());
  const gpu::buffer<unsigned> never(1);
  const int blocks = card.multiProcessorCount * 2;
  const auto row = [&](std::size_t kib, bool own, int passes) {
    const std::size_t bytes_a_block = kib << 10, offset = own ? bytes_a_block : 0;
    const gpu::buffer<float> from((bytes_a_block + (blocks - 1) * offset) / 4);
    const double us = gpu::time(
        on,
        [&] {
          read<<<blocks, 1024, 0, on>>>(reinterpret_cast<const uint4*>(from.data()), bytes_a_block / 16,
                                        offset / 16, passes, never.data());
        },
        4);
    const double bytes = double(blocks) * bytes_a_block * passes;
    std::printf("| %s %zu KiB, %zu MiB in all | %.2f | %.1f |\n",
                own ? "every block its own" : "all blocks the same", kib, from.bytes() >> 20,
                bytes / us * 1e-6, bytes / us / (card.multiProcessorCount * gigahertz() * 1e3));
  };
  for (const auto [kib, passes] : {std::pair{32, 64}, {64, 32}, {128, 16}, {1024, 4}}) row(kib, true, passes);
  for (const auto [kib, passes] : {std::pair{160, 16}, {1024, 4}}) row(kib, false, passes);
}

template <class Element>
__device__ void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);
#if __CUDA_ARCH__ >= 800
template <>
__device__ void mma<__half>(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <>
__device__ void mma<__nv_bfloat16>(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/// A warp tile of 64x32: 4 fragments of A times 4 of B, from registers alone.
template <class Element>
__global__ void products(const unsigned* from, int times, float* never) {
#if __CUDA_ARCH__ >= 800
  unsigned a[4][4], b[4][2];
  float d[4][4][4]{};
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) a[i][j] = from[threadIdx.x + 256 * (4 * i + j)];
    for (int j = 0; j < 2; ++j) b[i][j] = from[threadIdx.x + 256 * (16 + 2 * i + j)];
  }
  for (int t = 0; t < times; ++t) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) mma<Element>(d[i][j], a[i], b[j]);
    }
  }
  float sum = 0;
  for (auto& row : d) {
    for (auto& tile : row) sum += tile[0] + tile[1] + tile[2] + tile[3];
  }
  if (sum == 0.123f) *never = sum;
#endif
}

void tensor_cores(const gpu::stream& on, const cudaDeviceProp& card) {
  if (card.major < 8) return;
  std::printf("\n| mma.sync m16n8k16 from registers, sums in float | TFLOP/s |\n|---|---|\n");
  const gpu::buffer<float> never(1);
  const auto row = [&]<class Element>(const char* name, Element) {
    const gpu::buffer<Element> from(256 * 24 * 2);
    const int blocks = card.multiProcessorCount * 2, times = 4096;
    const double us = gpu::time(
        on,
        [&] {
          products<Element>
              <<<blocks, 256, 0, on>>>(reinterpret_cast<const unsigned*>(from.data()), times, never.data());
        },
        4);
    std::printf("| %s | %.0f |\n", name, double(blocks) * 8 * times * 16 * (2 * 16 * 8 * 16) / us * 1e-6);
  };
  row("fp16", __half{});
  row("bf16", __nv_bfloat16{});
}

/// Nothing but waiting for the kernel before it (early: after it has let the next one start).
template <bool Programmatic, bool Early>
__global__ void empty() {
#if __CUDA_ARCH__ >= 900
  if constexpr (Programmatic) {
    if constexpr (Early) asm volatile("griddepcontrol.launch_dependents;");
    asm volatile("griddepcontrol.wait;" ::: "memory");
  }
#endif
}

template <bool Programmatic, bool Early>
double gap(const gpu::stream& on, int blocks) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t how{};
  how.gridDim = dim3(blocks);
  how.blockDim = dim3(256);
  how.stream = on;
  how.attrs = &attribute;
  how.numAttrs = Programmatic ? 1 : 0;
  return gpu::time(
      on, [&] { gpu::check(cudaLaunchKernelEx(&how, empty<Programmatic, Early>)); }, 500);
}

void gaps(const gpu::stream& on, const cudaDeviceProp& card) {
  std::printf(
      "\n| empty kernels in a graph | us each | programmatic launch | and started early "
      "|\n|---|---|---|---|\n");
  for (const int blocks : {1, card.multiProcessorCount, card.multiProcessorCount * 8}) {
    std::printf("| %d x 256 threads | %.2f |", blocks, gap<false, false>(on, blocks));
    if (card.major >= 9)
      std::printf(" %.2f | %.2f |\n", gap<true, false>(on, blocks), gap<true, true>(on, blocks));
    else
      std::printf(" - | - |\n");
  }
}

constexpr int shared_block = 64 << 10;

/// Each block writes (or reads) the shared memory of its neighbour in the cluster.
template <bool Write>
__global__ void neighbours(int times, unsigned* never) {
#if __CUDA_ARCH__ >= 900
  extern __shared__ uint4 own[];
  auto cluster = cg::this_cluster();
  uint4* other = cluster.map_shared_rank(own, (cluster.block_rank() + 1) % cluster.num_blocks());
  uint4 value = make_uint4(threadIdx.x, 1, 2, 3);
  for (int i = threadIdx.x; i < shared_block / 16; i += blockDim.x) own[i] = value;
  cluster.sync();
  for (int t = 0; t < times; ++t) {
#pragma unroll 4
    for (int i = threadIdx.x; i < shared_block / 16; i += blockDim.x) {
      if constexpr (Write) {
        value.y += t;
        other[i] = value;
      } else {
        const uint4 x = other[i];
        value.x += x.x ^ x.y ^ x.z ^ x.w;
      }
    }
  }
  cluster.sync();
  if (value.x == 0x12345678) *never = own[0].y;
#endif
}

struct cluster_launch {
  cudaLaunchAttribute attribute{};
  cudaLaunchConfig_t how{};
  cluster_launch(cudaStream_t on, int size, int clusters, int shared) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim = {static_cast<unsigned>(size), 1, 1};
    how.gridDim = dim3(size * clusters);
    how.blockDim = dim3(512);
    how.dynamicSmemBytes = shared;
    how.stream = on;
    how.attrs = &attribute;
    how.numAttrs = 1;
  }
  cluster_launch(const cluster_launch&) = delete;

  /// How many run at once; 0 where the card has none so large.
  int active() const {
    int found{};
    if (cudaOccupancyMaxActiveClusters(&found, neighbours<true>, &how) != cudaSuccess)
      cudaGetLastError(), found = 0;
    return found;
  }
};

/// As many clusters as run at once: another wave, half empty, would look like a slower neighbour.
template <bool Write>
void print_between(const gpu::stream& on, int size, int shared) {
  const int clusters = cluster_launch(on, size, 64, shared).active();
  if (clusters == 0) return void(std::printf(" - |"));
  const cluster_launch with(on, size, clusters, shared);
  const gpu::buffer<unsigned> never(1);
  const double us = gpu::time(
      on, [&] { gpu::check(cudaLaunchKernelEx(&with.how, neighbours<Write>, 64, never.data())); }, 2);
  std::printf(" %.2f |", double(with.how.gridDim.x) * shared_block * 64 / us * 1e-6);
}

void clusters(const gpu::stream& on, const cudaDeviceProp& card) {
  if (card.major < 9) return;
  const int most = static_cast<int>(card.sharedMemPerBlockOptin);
  for (const auto kernel : {neighbours<true>, neighbours<false>}) {
    gpu::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most));
    gpu::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  std::printf(
      "\n| blocks in a cluster | clusters (blocks) at once with 32 KiB | 100 KiB | 200 KiB | %d KiB of "
      "shared memory",
      most >> 10);
  std::printf(" | neighbour written, TB/s | read, TB/s |\n|---|---|---|---|---|---|---|\n");
  for (const int size : {1, 2, 4, 8, 16}) {
    std::printf("| %d |", size);
    for (const int bytes : {32 << 10, 100 << 10, 200 << 10, most}) {
      const int active = bytes > most ? 0 : cluster_launch(on, size, 64, bytes).active();
      std::printf(" %d (%d) |", active, active * size);
    }
    const int one_each = std::min(most, 128 << 10);  // blocks a multiprocessor, on cards with 227 KiB
    print_between<true>(on, size, one_each);
    print_between<false>(on, size, one_each);
    std::printf("\n");
  }
}

}  // namespace

int main() {
  return gpu::run([] {
    const gpu::stream on;
    const cudaDeviceProp card = gpu::properties();
    copies(on, card);
    reads(on, card);
    tensor_cores(on, card);
    gaps(on, card);
    clusters(on, card);
  });
}
