// Tiles that no register file holds, and a limit that no loop keeps: check.py must find them.
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

}  // namespace planted

namespace atrous::simd {
template void run_avx2(const planted::multiply<planted::high_tile_avx2, 100>&);
template void run_avx2(const planted::multiply<avx2, 3>&);
template void run_avx512(const planted::multiply<planted::high_tile_avx512, 200>&);
}  // namespace atrous::simd
