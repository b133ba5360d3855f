// What the compiler is told where it would otherwise guess wrong. tests/golden/ holds what comes of it.
#pragma once

namespace tarn::base {

// The value, of which the optimiser may assume nothing. Costs no instruction; the value passes through a
// register.
template <typename Value>
[[nodiscard, gnu::always_inline]] inline Value opaque(Value value) noexcept {
  asm("" : "+r"(value));
  return value;
}

}  // namespace tarn::base
