// The hot kernels for the instruction sets that have registers to spare, or not.
#include <atrous/backend/openmp/depthwise.hpp>
#include <atrous/backend/openmp/product.hpp>

#include "loops.hpp"

namespace assembly {

using namespace atrous;

// One term of a tile: every row's number has an address and is broadcast, every vector of weights is loaded, and as much
// fetched ahead; and the loop's own counting.
template <class Tag>
using multiply =
    inner_loop<cpu::product<float>, Tag, Tag::rows * Tag::vectors, 2 * Tag::rows + 2 * Tag::vectors + 4>;

// The same of pairs of integers; without dot products each is a multiplication and an addition.
template <class Tag, int Additions>
using multiply_integers = inner_loop<cpu::product<half, half, simd::pair>, Tag, Tag::rows * Tag::vectors,
                                     2 * Tag::rows + 2 * Tag::vectors + 4 + Additions>;

// One tap of four pixels; a row of three taps of four pixels that share them, or of eight.
template <class Tag, activation Before>
using any_window = inner_loop<cpu::depthwise_run<float, Before>, Tag, 4, Before == activation::none ? 8 : 20>;
template <class Tag, activation Before>
using lattice = inner_loop<cpu::depthwise_lattice<float, Before>, Tag, 12 * Tag::depthwise_rows,
                           Tag::depthwise_rows*(Before == activation::none ? 26 : 28)>;

}  // namespace assembly

namespace atrous::simd {
using enum activation;
template void run_avx2(const assembly::multiply<avx2>&);
template void run_avx2(const assembly::any_window<avx2, none>&);
template void run_avx2(const assembly::any_window<avx2, relu>&);
template void run_avx2(const assembly::lattice<avx2, none>&);
template void run_avx2(const assembly::lattice<avx2, relu>&);
template void run_avx512(const assembly::multiply<avx512>&);
template void run_avx512(const assembly::any_window<avx512, none>&);
template void run_avx512(const assembly::any_window<avx512, relu>&);
template void run_avx512(const assembly::lattice<avx512, none>&);
template void run_avx512(const assembly::lattice<avx512, relu>&);
#if !defined(__clang__)  // which has no such kernels
template void run_avx2(const assembly::multiply_integers<avx2, 12>&);
template void run_avx512(const assembly::multiply_integers<avx512, 28>&);
template void run_avx512_vnni(const assembly::multiply_integers<avx512_vnni, 0>&);
#endif
}  // namespace atrous::simd
