// Prints the name of everything that Callgrind counts, in turn. The wider sets are left out where there are none.
#include <cstdio>

#include "counted.hpp"

/// Callgrind counts inside of this function alone, which it knows by name, and starts a new sum whenever it returns.
extern "C" [[gnu::noinline]] void counted_region(const std::function<void()>& work) {
  work();
  asm volatile("" ::: "memory");  // after it, or `work` would be jumped to instead of called
}

void instructions::count(const char* set, const char* name, const std::function<void()>& work) {
  std::printf("%s, %s\n", set, name);
  std::fflush(stdout);
  counted_region(work);
}

int main() {
  using enum atrous::simd::instruction_set;
  instructions::count_kernels<baseline>("baseline");
  instructions::count_network<baseline>("baseline");
  if (!atrous::simd::has(avx2)) return 0;
  instructions::count_kernels<avx2>("avx2");
  instructions::count_network<avx2>("avx2");
}
