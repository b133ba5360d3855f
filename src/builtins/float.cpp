#include <tarn/builtins/builtins.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "builtins/int_value.h"
#include "builtins/support.h"
#include "builtins/unicode.h"

namespace tarn {

// The shortest digits, written as Python does: with an exponent below 1e-4 and from 1e16 on.
std::string Float::repr() const {
  if (std::isnan(value_)) {
    return "nan";
  }
  if (std::isinf(value_)) {
    return value_ < 0 ? "-inf" : "inf";
  }
  char text[40];
  const auto result =
      std::to_chars(std::begin(text), std::end(text), value_, std::chars_format::scientific);
  std::string_view written(text, static_cast<std::size_t>(result.ptr - text));
  std::string shown;
  if (written.front() == '-') {
    shown = "-";
    written.remove_prefix(1);
  }
  const std::size_t e = written.find('e');
  const int exponent = std::atoi(std::string(written.substr(e + 1)).c_str());
  std::string digits(1, written[0]);
  if (e > 2) {
    digits += written.substr(2, e - 2);
  }
  if (exponent < -4 || exponent >= 16) {
    shown += digits.substr(0, 1);
    if (digits.size() > 1) {
      shown += '.' + digits.substr(1);
    }
    shown += exponent < 0 ? "e-" : "e+";
    const std::string number = std::to_string(std::abs(exponent));
    return shown + (number.size() < 2 ? "0" : "") + number;
  }
  if (exponent < 0) {
    return shown + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return shown + digits + std::string(whole - digits.size(), '0') + ".0";
  }
  return shown + digits.substr(0, whole) + '.' + digits.substr(whole);
}

// The number modulo 2^61 - 1, so that ints and floats that are equal have the same; as CPython's _Py_HashDouble.
std::size_t Float::hash() const noexcept {
  constexpr int width = 61;
  constexpr std::uint64_t modulus = (std::uint64_t{1} << width) - 1;
  if (std::isnan(value_)) {
    return reinterpret_cast<std::uintptr_t>(this) >> 4;  // each NaN is another one
  }
  if (std::isinf(value_)) {
    constexpr std::uint64_t hash_of_infinity = 314159;
    return value_ > 0 ? hash_of_infinity : std::uint64_t{0} - hash_of_infinity;
  }
  int exponent = 0;
  double mantissa = std::frexp(std::fabs(value_), &exponent);
  std::uint64_t rest = 0;
  while (mantissa != 0) {
    rest = ((rest << 28) & modulus) | rest >> (width - 28);
    mantissa *= 268435456.0;  // 2^28
    exponent -= 28;
    const auto part = static_cast<std::uint64_t>(mantissa);
    mantissa -= static_cast<double>(part);
    rest += part;
    rest = rest >= modulus ? rest - modulus : rest;
  }
  exponent = exponent >= 0 ? exponent % width : width - 1 - ((-1 - exponent) % width);
  rest = ((rest << exponent) & modulus) | rest >> (width - exponent);
  return builtins::as_hash(value_ < 0 ? std::uint64_t{0} - rest : rest);
}

Comparison Float::compare(const Object& other, CompareOperator comparison) const noexcept {
  if (is<Float>(other)) {
    const double right = static_cast<const Float&>(other).value();
    if (std::isnan(value_) || std::isnan(right)) {
      return builtins::answer(comparison == CompareOperator::not_equal);
    }
    return builtins::answer_order(value_ < right ? -1 : value_ > right ? 1 : 0, comparison);
  }
  if (is<Int>(other)) {
    if (std::isnan(value_)) {
      return builtins::answer(comparison == CompareOperator::not_equal);
    }
    return builtins::answer_order(
        -builtins::compare_with_double(static_cast<const Int&>(other), value_), comparison);
  }
  return Comparison::not_implemented;
}

double Float::parse(std::string_view text) {
  const std::string_view whole = text;
  const auto is_blank = [](char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
  };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  std::string plain;  // without underscores, which stand between digits only
  bool is_well_formed = !text.empty();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    if (text[i] != '_') {
      plain.push_back(text[i]);
    } else if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) {
      is_well_formed = false;
    }
  }
  const bool has_sign = !plain.empty() && (plain[0] == '+' || plain[0] == '-');
  const char* const first = plain.data() + (has_sign ? 1 : 0);
  const char* const last = plain.data() + plain.size();
  double value = 0;
  if (is_well_formed && first != last && *first != '-' && *first != '+') {
    const auto result = std::from_chars(first, last, value);
    const std::string_view rest(first, static_cast<std::size_t>(last - first));
    is_well_formed = result.ptr == last && rest.find('(') == std::string_view::npos;
    if (is_well_formed && result.ec == std::errc::result_out_of_range) {
      value = std::strtod(first, nullptr);  // infinity, or 0, or what is next to it
    }
  } else {
    is_well_formed = false;
  }
  if (!is_well_formed) {
    throw ValueError("could not convert string to float: " + builtins::repr_of_any_text(whole));
  }
  return has_sign && plain[0] == '-' ? -value : value;
}

}  // namespace tarn
