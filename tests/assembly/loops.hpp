// SPDX-License-Identifier: MIT
#pragma once
// A kernel whose name in the object file says what check.py is to find in its inner loops.
namespace assembly {

/// Job compiled with the properties of Tag. Some inner loop of it has `Fmas` multiply-adds of whole vectors a turn, or a
/// multiple of that, and to each `Fmas` of them at most `Others` other instructions.
template <class Job, class Tag, int Fmas, int Others>
struct inner_loop {
  Job job{};
  template <class Isa>
  [[gnu::always_inline]] void operator()() const {
    job.template operator()<Tag>();
  }
};

}  // namespace assembly
