#include <tarn/builtins/builtins.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "builtins/int_value.h"
#include "builtins/support.h"
#include "builtins/unicode.h"

namespace tarn {

using builtins::Limbs;
using builtins::LimbSpan;
using builtins::Magnitude;

std::size_t Int::bit_length() const noexcept { return builtins::bits_of(Magnitude(*this).limbs()); }

double Int::to_double() const {
  if (is_word()) {
    return static_cast<double>(word_);
  }
  const double value = builtins::to_nearest(items(), 0, false);
  if (std::isinf(value)) {
    throw OverflowError("int too large to convert to float");
  }
  return word_ < 0 ? -value : value;
}

std::string Int::to_text(unsigned base) const {
  if (base < 2 || base > 36) {
    throw ValueError("int.to_text() base must be >= 2 and <= 36");
  }
  if (is_word()) {
    char text[70];
    const auto result =
        std::to_chars(std::begin(text), std::end(text), word_, static_cast<int>(base));
    return std::string(text, result.ptr);
  }
  std::string digits = builtins::digits_of(items(), base);
  return word_ < 0 ? "-" + digits : digits;
}

namespace {

bool is_blank(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

unsigned digit_value(char letter) {
  if (letter >= '0' && letter <= '9') {
    return static_cast<unsigned>(letter - '0');
  }
  const char lower = static_cast<char>(letter | 0x20);
  return lower >= 'a' && lower <= 'z' ? static_cast<unsigned>(lower - 'a') + 10 : 99;
}

unsigned base_of_prefix(std::string_view text) {
  if (text.size() >= 2 && text[0] == '0') {
    switch (text[1] | 0x20) {
      case 'x':
        return 16;
      case 'o':
        return 8;
      case 'b':
        return 2;
      default:
        break;
    }
  }
  return 0;
}

}  // namespace

Ref<Int> Int::parse(Builtins& builtins, std::string_view text, unsigned base) {
  if (base == 1 || base > 36) {
    throw ValueError("int() base must be >= 2 and <= 36, or 0");
  }
  const auto fail = [&, whole = text]() -> Ref<Int> {
    throw ValueError("invalid literal for int() with base " + std::to_string(base) + ": " +
                     builtins::repr_of_any_text(whole));
  };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  bool is_negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const unsigned prefix = base_of_prefix(text);
  unsigned radix = base;
  bool only_zeros = false;
  if (base == 0) {
    radix = prefix != 0 ? prefix : 10;
    only_zeros = prefix == 0 && text.size() > 1 && text.front() == '0';
  }
  bool after_digit = false;  // an underscore stands between digits, or after the prefix
  if (prefix != 0 && prefix == radix) {
    text.remove_prefix(2);
    after_digit = true;
  }
  std::vector<std::uint8_t> digits;
  digits.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_' && after_digit && i + 1 < text.size()) {
      after_digit = false;
      continue;
    }
    const unsigned digit = digit_value(text[i]);
    if (digit >= radix || (only_zeros && digit != 0)) {
      return fail();
    }
    digits.push_back(static_cast<std::uint8_t>(digit));
    after_digit = true;
  }
  if (digits.empty()) {
    return fail();
  }
  return builtins.make_integer(is_negative, builtins::natural_of(digits, radix));
}

Ref<Int> Int::from_double(Builtins& builtins, double value) {
  if (std::isinf(value)) {
    throw OverflowError("cannot convert float infinity to integer");
  }
  if (std::isnan(value)) {
    throw ValueError("cannot convert float NaN to integer");
  }
  constexpr double beyond = 9223372036854775808.0;
  if (value < beyond && value >= -beyond) {
    return builtins.integer(static_cast<std::int64_t>(value));
  }
  int exponent = 0;
  const double mantissa = std::frexp(std::fabs(value), &exponent);
  const auto bits = static_cast<Limb>(std::ldexp(mantissa, 53));
  return builtins.make_integer(
      value < 0,
      builtins::shift_natural_left(LimbSpan(&bits, 1), static_cast<std::size_t>(exponent - 53)));
}

// Modulo 2^61 - 1, where 2^64 is 8.
std::size_t Int::hash_of_many_bits() const noexcept {
  constexpr std::uint64_t modulus = (std::uint64_t{1} << 61) - 1;
  const Magnitude magnitude(*this);
  const LimbSpan limbs = magnitude.limbs();
  std::uint64_t rest = 0;
  for (std::size_t i = limbs.size(); i-- > 0;) {
    const std::uint64_t high = ((rest << 3) & modulus) | (rest >> 58);
    rest = high + (limbs[i] & modulus) + (limbs[i] >> 61);
    rest = (rest & modulus) + (rest >> 61);
    rest = rest == modulus ? 0 : rest;
  }
  return builtins::as_hash(magnitude.is_negative() ? std::uint64_t{0} - rest : rest);
}

Comparison Int::compare(const Object& other, CompareOperator comparison) const noexcept {
  if (is<Int>(other)) {
    return builtins::answer_order(builtins::compare_ints(*this, static_cast<const Int&>(other)),
                                  comparison);
  }
  if (is<Float>(other)) {
    const double value = static_cast<const Float&>(other).value();
    if (std::isnan(value)) {
      return builtins::answer(comparison == CompareOperator::not_equal);
    }
    return builtins::answer_order(builtins::compare_with_double(*this, value), comparison);
  }
  return Comparison::not_implemented;
}

Ref<Int> Builtins::make_integer(bool is_negative, LimbSpan magnitude) {
  magnitude = builtins::stripped(magnitude);
  if (magnitude.size() <= 1) {
    const std::uint64_t value = magnitude.empty() ? 0 : magnitude[0];
    constexpr std::uint64_t beyond = std::uint64_t{1} << 63;
    if (is_negative ? value <= beyond : value < beyond) {
      return integer(static_cast<std::int64_t>(is_negative ? std::uint64_t{0} - value : value));
    }
  }
  Ref<Int> result = heap_.make_sized<Int>(magnitude.size(), is_negative ? -1 : 1);
  std::copy(magnitude.begin(), magnitude.end(), result->items().begin());
  return result;
}

}  // namespace tarn

namespace tarn::builtins {

int compare_ints(const Int& left, const Int& right) noexcept {
  if (left.is_word() && right.is_word()) {
    return left.word() < right.word() ? -1 : left.word() > right.word() ? 1 : 0;
  }
  const Magnitude of_left(left);
  const Magnitude of_right(right);
  if (left.sign() != right.sign()) {
    return left.sign() < right.sign() ? -1 : 1;
  }
  const int order = compare_naturals(of_left.limbs(), of_right.limbs());
  return left.sign() < 0 ? -order : order;
}

int compare_with_double(const Int& left, double right) noexcept {
  if (std::isinf(right)) {
    return right > 0 ? -1 : 1;
  }
  const int sign = right > 0 ? 1 : right < 0 ? -1 : 0;
  if (left.sign() != sign) {
    return left.sign() < sign ? -1 : 1;
  }
  if (sign == 0) {
    return 0;
  }
  const Magnitude magnitude(left);
  int exponent = 0;
  const double mantissa = std::frexp(std::fabs(right), &exponent);  // |right| < 2^exponent
  const auto bits = static_cast<std::int64_t>(bits_of(magnitude.limbs()));
  int order = 0;
  if (bits != exponent) {
    order = bits < exponent ? -1 : 1;
  } else {
    // As many bits before the point: limb by limb, from above, with what comes behind the point at the end.
    double rest =
        std::ldexp(mantissa, exponent - 64 * static_cast<int>(magnitude.limbs().size() - 1));
    for (std::size_t i = magnitude.limbs().size(); order == 0 && i-- > 0;) {
      const double whole = std::floor(rest);
      const auto limb = static_cast<Limb>(whole);
      order = magnitude.limbs()[i] < limb ? -1 : magnitude.limbs()[i] > limb ? 1 : 0;
      rest = std::ldexp(rest - whole, i == 0 ? 0 : 64);
    }
    order = order == 0 && rest > 0 ? -1 : order;
  }
  return sign < 0 ? -order : order;
}

}  // namespace tarn::builtins
