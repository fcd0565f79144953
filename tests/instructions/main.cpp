// Prints the name of everything that Callgrind counts, in turn. The wider sets are left out where there are none.
#include "counted.hpp"

int main() {
  using enum atrous::simd::instruction_set;
  instructions::count_kernels<baseline>();
  instructions::count_network<baseline>();
  if (!atrous::simd::has(avx2)) return 0;
  instructions::count_kernels<avx2>();
  instructions::count_network<avx2>();
}
