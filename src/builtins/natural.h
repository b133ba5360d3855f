// Natural numbers as limbs, the lowest first: what ints beyond a word are made of.
//
// GMP does the work, by those of its low-level functions that need no memory of their own. The others would abort a program
// that is out of memory, or ask for functions that are the whole process's: so products are cut into pieces small enough
// (Karatsuba above them), and quotients come from the function that is given its scratch space. tests/builtins has a test
// that GMP allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tarn::builtins {

using Limb = std::uint64_t;
using Limbs = std::vector<Limb>;  // no leading zeros, here and below; std::bad_alloc
using LimbSpan = std::span<const Limb>;

inline void strip(Limbs& number) {
  while (!number.empty() && number.back() == 0) {
    number.pop_back();
  }
}
[[nodiscard]] LimbSpan stripped(LimbSpan number) noexcept;

[[nodiscard]] int compare_naturals(LimbSpan left, LimbSpan right) noexcept;
[[nodiscard]] std::size_t bits_of(LimbSpan number) noexcept;

[[nodiscard]] Limbs add_naturals(LimbSpan left, LimbSpan right);
// left >= right
[[nodiscard]] Limbs subtract_naturals(LimbSpan left, LimbSpan right);
[[nodiscard]] Limbs multiply_naturals(LimbSpan left, LimbSpan right);
// The divisor isn't 0. The remainder takes the place of what `remainder` was.
[[nodiscard]] Limbs divide_naturals(LimbSpan number, LimbSpan divisor, Limbs& remainder);
[[nodiscard]] Limbs shift_natural_left(LimbSpan number, std::size_t bits);
// Rounded down; `lost` says whether a bit that was set has gone.
[[nodiscard]] Limbs shift_natural_right(LimbSpan number, std::size_t bits, bool& lost);

// Digits from 0-9 and a-z.
[[nodiscard]] std::string digits_of(LimbSpan number, unsigned base);
// `digits`: their values, the highest first.
[[nodiscard]] Limbs natural_of(std::span<const std::uint8_t> digits, unsigned base);

// The double nearest to number * 2^exponent, half to even; `sticky`: and a bit more than that. Infinity beyond.
[[nodiscard]] double to_nearest(LimbSpan number, std::int64_t exponent, bool sticky) noexcept;

}  // namespace tarn::builtins
