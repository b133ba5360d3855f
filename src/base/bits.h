// Powers of two, and rounding to them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tarn::base {

[[nodiscard]] constexpr bool is_power_of_two(std::size_t value) noexcept {
  return std::has_single_bit(value);
}

// `multiple` is a power of two. The caller rules out overflow.
[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t multiple) noexcept {
  return (value + multiple - 1) & ~(multiple - 1);
}

[[nodiscard]] constexpr std::size_t round_down(std::size_t value, std::size_t multiple) noexcept {
  return value & ~(multiple - 1);
}

// The exponent of a power of two.
[[nodiscard]] constexpr unsigned shift_of(std::size_t power_of_two) noexcept {
  return static_cast<unsigned>(std::countr_zero(power_of_two));
}

[[nodiscard]] inline std::uintptr_t address_of(const void* pointer) noexcept {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace tarn::base
