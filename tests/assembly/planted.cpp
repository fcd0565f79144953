// Tiles that no register file holds, a limit that no loop keeps, and products that are rounded: check.py must find them.
#include <atrous/backend/openmp/product.hpp>

#include "loops.hpp"

namespace planted {

struct high_tile_avx2 : atrous::simd::avx2 {
  static constexpr int rows = 10;
};
struct high_tile_avx512 : atrous::simd::avx512 {
  static constexpr int rows = 16;
};
template <class Tag, int Others>
using multiply = assembly::inner_loop<atrous::cpu::product<float>, Tag, Tag::rows * Tag::vectors, Others>;

/// y = x y, rounded.
struct rounded {
  const float* x = nullptr;
  float* y = nullptr;
  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    using lanes = atrous::simd::lanes<float, Isa::bytes>;
    for (int i = 0; i < 1024; i += lanes::width) lanes::at(y + i).value *= lanes::at(x + i).value;
  }
};

}  // namespace planted

namespace atrous::simd {
template void run_avx2(const planted::multiply<planted::high_tile_avx2, 100>&);
template void run_avx2(const planted::multiply<avx2, 3>&);
template void run_avx2(const assembly::inner_loop<planted::rounded, avx2, 1, 9>&);
template void run_avx512(const planted::multiply<planted::high_tile_avx512, 200>&);
}  // namespace atrous::simd
