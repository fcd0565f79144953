// SPDX-License-Identifier: MIT
#pragma once
// How the C decoders report errors: their handlers may not return, and an exception may not cross C code.
// So a handler jumps back to completes(), which runs one step of the work; a step, and all that it calls,
// owns no object with a destructor, and exceptions are thrown only after completes() has returned.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

namespace atrous {

/// The base of a decoder's state: where its error handler jumps to, and what the handler said.
struct error_jump {
  std::jmp_buf target;
  std::array<char, 256> text{};

  /// Ends the running step with a message.
  [[noreturn]] void leave(const char* message) {
    std::memcpy(text.data(), message, std::min(std::strlen(message), text.size() - 1));
    std::longjmp(target, 1);
  }
};

/// Runs a step; false where an error handler ended it, then state.text tells why.
template <class State>
bool completes(State& state, void (*step)(State&)) {
  if (setjmp(state.target) != 0) return false;
  step(state);
  return true;
}

}  // namespace atrous
