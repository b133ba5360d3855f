// int, of any size, and bool. What fits into a word is a word in the object; the rest lies behind it in limbs, by GMP's
// functions for natural numbers, which allocate nothing: so that running out of memory is std::bad_alloc here too.
//
//      count  type  size = 0  word              -2^63 … 2^63 - 1
//      count  type  size = n  sign  limb …      all others; the lowest limb first, the highest isn't 0     (I1)
//
// From -5 to 256 there is one immortal object each (Builtins::integer); no other int is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tarn/builtins/operations.h>

namespace tarn {

class Builtins;

class Int : public Sized<Int, std::uint64_t> {
 public:
  using Limb = std::uint64_t;
  static constexpr const char* type_name = "int";
  static constexpr bool items_start_undefined = true;

  // For Builtins: of a word, or the sign (-1, 1) of limbs that are yet to be filled in.
  explicit Int(std::int64_t word) noexcept : word_(word) {}

  [[nodiscard]] bool is_word() const noexcept { return size() == 0; }
  // Only if it is one.
  [[nodiscard]] std::int64_t word() const noexcept { return word_; }
  [[nodiscard]] int sign() const noexcept { return word_ > 0 ? 1 : word_ < 0 ? -1 : 0; }
  [[nodiscard]] std::size_t bit_length() const noexcept;

  // Rounded half to even. OverflowError beyond a double.
  [[nodiscard]] double to_double() const;
  // In a base from 2 to 36, without a prefix. Quadratic in the digits, but for powers of two. std::bad_alloc.
  [[nodiscard]] std::string to_text(unsigned base = 10) const;

  // int(text, base): signs, blanks, underscores and prefixes as Python has them; base 0 follows the prefix. ValueError.
  [[nodiscard]] static Ref<Int> parse(Builtins& builtins, std::string_view text,
                                      unsigned base = 10);
  // int(value): towards zero. OverflowError, ValueError.
  [[nodiscard]] static Ref<Int> from_double(Builtins& builtins, double value);

  [[nodiscard]] std::string repr() const { return to_text(); }
  [[nodiscard]] std::size_t hash() const noexcept {
    constexpr std::int64_t modulus = (std::int64_t{1} << 61) - 1;
    return is_word() && word_ < modulus && word_ > -modulus
               ? static_cast<std::size_t>(word_ == -1 ? -2 : word_)
               : hash_of_many_bits();
  }
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const noexcept;

 private:
  [[nodiscard]] std::size_t hash_of_many_bits() const noexcept;

  std::int64_t word_;
};

// True and False are an int each, of this type; there are no others.
class Bool final : public Int {
 public:
  using Base = Int;
  static constexpr const char* type_name = "bool";

  explicit Bool(bool value) noexcept : Int(value ? 1 : 0) {}
  [[nodiscard]] bool value() const noexcept { return word() != 0; }
  [[nodiscard]] std::string repr() const { return value() ? "True" : "False"; }
};

class NoneType final : public Object {
 public:
  static constexpr const char* type_name = "NoneType";

  [[nodiscard]] std::string repr() const { return "None"; }
  // Python 3.12's; before, it was the object's address.
  [[nodiscard]] std::size_t hash() const noexcept { return 0xFCA86420; }
};

}  // namespace tarn
