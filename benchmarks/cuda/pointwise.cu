// Pointwise convolutions by cuBLASLt: y[M, N] = relu(x[M, K] w[N, K]^T + bias[N]), M = pixels of the batch, sums in
// float. Of the algorithms that cuBLASLt proposes the fastest counts. Prints Markdown.
#include <cublasLt.h>

#include <array>

#include "gpu.cuh"

namespace {

void check(cublasStatus_t status, std::source_location at = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw std::runtime_error(std::string(at.file_name()) + ":" + std::to_string(at.line()) + ": " +
                             cublasLtGetStatusString(status));
  }
}

template <class Element>
constexpr cudaDataType type = CUDA_R_16F;
template <>
constexpr cudaDataType type<__nv_bfloat16> = CUDA_R_16BF;

struct shape {
  int m, k, n;
};

/// Extent of the map, inputs, outputs: what DeepLabv3+ on Xception-65 has at 513x513 and output stride 16.
constexpr std::array<std::array<int, 3>, 22> xception65{{
    {33, 728, 728},  {33, 728, 1024}, {33, 1024, 1024}, {33, 1024, 1536}, {33, 1536, 1536}, {33, 1536, 2048},
    {33, 2048, 256}, {33, 1280, 256}, {65, 256, 728},   {65, 728, 728},   {33, 256, 728},   {129, 128, 256},
    {129, 256, 256}, {65, 256, 256},  {65, 128, 256},   {129, 304, 256},  {129, 256, 48},   {129, 256, 21},
    {129, 128, 128}, {129, 64, 128},  {257, 64, 128},   {257, 128, 128},
}};

constexpr std::size_t workspace_bytes = 64 << 20;

/// cuBLASLt's matrices are column by column, so it is given y^T = w x^T.
template <class Element>
class product {
 public:
  explicit product(shape s, bool bias_and_relu)
      : shape_(s),
        x_(std::size_t(s.m) * s.k),
        w_(std::size_t(s.n) * s.k),
        y_(std::size_t(s.m) * s.n),
        bias_(s.n) {
    check(cublasLtCreate(&handle_));
    check(cublasLtMatmulDescCreate(&what_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (bias_and_relu) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias_.data());
    }
    check(cublasLtMatrixLayoutCreate(&w_layout_, type<Element>, s.k, s.n, s.k));
    check(cublasLtMatrixLayoutCreate(&x_layout_, type<Element>, s.k, s.m, s.k));
    check(cublasLtMatrixLayoutCreate(&y_layout_, type<Element>, s.n, s.m, s.n));
  }
  ~product() {
    cublasLtMatrixLayoutDestroy(y_layout_);
    cublasLtMatrixLayoutDestroy(x_layout_);
    cublasLtMatrixLayoutDestroy(w_layout_);
    cublasLtMatmulDescDestroy(what_);
    cublasLtDestroy(handle_);
  }
  product(const product&) = delete;
  product& operator=(const product&) = delete;

  std::vector<cublasLtMatmulHeuristicResult_t> algorithms(int most) const {
    cublasLtMatmulPreference_t wish{};
    check(cublasLtMatmulPreferenceCreate(&wish));
    check(cublasLtMatmulPreferenceSetAttribute(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace_bytes, sizeof workspace_bytes));
    std::vector<cublasLtMatmulHeuristicResult_t> found(most);
    int count{};
    const auto status = cublasLtMatmulAlgoGetHeuristic(handle_, what_, w_layout_, x_layout_, y_layout_,
                                                       y_layout_, wish, most, found.data(), &count);
    cublasLtMatmulPreferenceDestroy(wish);
    check(status);
    found.resize(count);
    return found;
  }

  void operator()(const cublasLtMatmulAlgo_t& algorithm, void* workspace, const gpu::stream& on) const {
    const float one = 1, zero = 0;
    check(cublasLtMatmul(handle_, what_, &one, w_.data(), w_layout_, x_.data(), x_layout_, &zero, y_.data(),
                         y_layout_, y_.data(), y_layout_, &algorithm, workspace, workspace_bytes, on));
  }

  double bytes() const { return double(x_.bytes() + w_.bytes() + y_.bytes()); }
  double operations() const { return 2. * shape_.m * shape_.k * shape_.n; }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    check(cublasLtMatmulDescSetAttribute(what_, attribute, &value, sizeof value));
  }

  shape shape_;
  gpu::buffer<Element> x_, w_, y_, bias_;
  cublasLtHandle_t handle_{};
  cublasLtMatmulDesc_t what_{};
  cublasLtMatrixLayout_t w_layout_{}, x_layout_{}, y_layout_{};
};

struct timing {
  double best, first;  // microseconds: of the fastest algorithm, of the one that cuBLASLt puts first
  double teraflops, terabytes;
};

template <class Element>
timing measure(shape s, bool bias_and_relu, const gpu::buffer<char>& workspace, const gpu::stream& on) {
  const product<Element> multiply(s, bias_and_relu);
  const auto with = [&](const auto& algorithm) {
    return [&] { multiply(algorithm.algo, workspace.data(), on); };
  };
  const auto found = multiply.algorithms(12);
  if (found.empty()) throw std::runtime_error("cuBLASLt has no algorithm");
  const int calls = multiply.operations() > 2e11 ? 2 : 20;
  std::size_t fastest = 0;
  double least = 1e30;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double us = gpu::time(on, with(found[i]), calls, 3);
    if (us < least) least = us, fastest = i;
  }
  const double first = gpu::time(on, with(found[0]), calls);
  const double best = std::min(first, gpu::time(on, with(found[fastest]), calls));
  return {best, first, multiply.operations() / best * 1e-6, multiply.bytes() / best * 1e-6};
}

template <class Element>
void table(const char* name, const gpu::buffer<char>& workspace, const gpu::stream& on) {
  const double large = measure<Element>({8192, 8192, 8192}, false, workspace, on).teraflops;
  std::printf("%s: 8192 x 8192 x 8192 at %.0f TFLOP/s, 1.00 below\n\n", name, large);
  std::printf("| pixels x inputs -> outputs | us | first choice, us | TFLOP/s | share of that | TB/s |\n");
  std::printf("|---|---|---|---|---|---|\n");
  const auto row = [&](shape s) {
    const timing t = measure<Element>(s, true, workspace, on);
    std::printf("| %d x %d -> %d | %.2f | %.2f | %.0f | %.2f | %.2f |\n", s.m, s.k, s.n, t.best, t.first,
                t.teraflops, t.teraflops / large, t.terabytes);
    std::fflush(stdout);
  };
  for (const int batch : {1, 8, 32}) {
    for (const auto [extent, k, n] : xception65) row({extent * extent * batch, k, n});
  }
  std::printf("\n");
}

}  // namespace

int main() {
  return gpu::run([] {
    const gpu::stream on;
    const gpu::buffer<char> workspace(workspace_bytes);
    table<__half>("fp16", workspace, on);
    table<__nv_bfloat16>("bf16", workspace, on);
  });
}
