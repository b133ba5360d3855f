#include "builtins/natural.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <gmp.h>

namespace tarn::builtins {

static_assert(sizeof(mp_limb_t) == sizeof(Limb) && GMP_NAIL_BITS == 0);

namespace {

// Up to so many limbs GMP multiplies on the stack.
constexpr std::size_t piece = 96;

mp_limb_t* gmp(Limb* limbs) noexcept { return reinterpret_cast<mp_limb_t*>(limbs); }
const mp_limb_t* gmp(const Limb* limbs) noexcept {
  return reinterpret_cast<const mp_limb_t*>(limbs);
}
mp_size_t gmp(std::size_t size) noexcept { return static_cast<mp_size_t>(size); }

// result[0, left + right) = left * right; neither is empty. Not one of both.
void multiply_pieces(Limb* result, LimbSpan left, LimbSpan right) noexcept {
  if (left.size() < right.size()) {
    std::swap(left, right);
  }
  (void)mpn_mul(gmp(result), gmp(left.data()), gmp(left.size()), gmp(right.data()),
                gmp(right.size()));
}

// Adds `number` to the limbs from `result` on; what's carried fits into the limbs behind.
void add_at(Limb* result, LimbSpan number) noexcept {
  if (number.empty()) {
    return;
  }
  Limb carry = mpn_add_n(gmp(result), gmp(result), gmp(number.data()), gmp(number.size()));
  for (Limb* place = result + number.size(); carry != 0; ++place) {
    carry = ++*place == 0 ? 1 : 0;
  }
}

void multiply_into(Limb* result, LimbSpan left, LimbSpan right);

// Both of n limbs: (a1 B + a0)(b1 B + b0) = a1 b1 B² + ((a1 + a0)(b1 + b0) - a1 b1 - a0 b0) B + a0 b0.
void karatsuba(Limb* result, LimbSpan left, LimbSpan right) {
  const std::size_t half = left.size() / 2;
  const LimbSpan a0 = left.first(half);
  const LimbSpan a1 = left.subspan(half);
  const LimbSpan b0 = right.first(half);
  const LimbSpan b1 = right.subspan(half);
  multiply_into(result, a0, b0);
  multiply_into(result + 2 * half, a1, b1);
  const std::size_t most = a1.size() + 1;
  Limbs sums(4 * most);
  const std::span<Limb> a(sums.data(), most);
  const std::span<Limb> b(sums.data() + most, most);
  const std::span<Limb> middle(sums.data() + 2 * most, 2 * most);
  a[most - 1] = mpn_add(gmp(a.data()), gmp(a1.data()), gmp(a1.size()), gmp(a0.data()), gmp(half));
  b[most - 1] = mpn_add(gmp(b.data()), gmp(b1.data()), gmp(b1.size()), gmp(b0.data()), gmp(half));
  multiply_into(middle.data(), a, b);
  (void)mpn_sub(gmp(middle.data()), gmp(middle.data()), gmp(middle.size()), gmp(result),
                gmp(2 * half));
  (void)mpn_sub(gmp(middle.data()), gmp(middle.data()), gmp(middle.size()), gmp(result + 2 * half),
                gmp(2 * a1.size()));
  add_at(result + half, stripped(middle));
}

// result[0, left + right), whatever was there, = left * right.
void multiply_into(Limb* result, LimbSpan left, LimbSpan right) {
  if (left.size() < right.size()) {
    std::swap(left, right);
  }
  if (right.empty()) {
    std::fill_n(result, left.size(), 0);
  } else if (left.size() <= piece) {
    multiply_pieces(result, left, right);
  } else if (left.size() == right.size()) {
    karatsuba(result, left, right);
  } else {
    // The longer one in pieces of the shorter one's length, or of what GMP takes.
    std::fill_n(result, left.size() + right.size(), 0);
    const std::size_t step = std::max(right.size(), piece);
    Limbs product(step + right.size());
    for (std::size_t start = 0; start < left.size(); start += step) {
      const LimbSpan part = left.subspan(start, std::min(step, left.size() - start));
      multiply_into(product.data(), part, right);
      add_at(result + start, stripped(LimbSpan(product).first(part.size() + right.size())));
    }
  }
}

struct BaseFacts {
  unsigned digits_per_limb;
  Limb power;  // base to that
};
BaseFacts facts_of(unsigned base) noexcept {
  BaseFacts facts{0, 1};
  while (facts.power <= UINT64_MAX / base) {
    facts.power *= base;
    ++facts.digits_per_limb;
  }
  return facts;
}

// Below this many limbs one by one, above by halves.
constexpr std::size_t few_limbs = 30;

constexpr char digit_letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

// Appends the digits, with leading zeros up to `width`.
void append_few(std::string& text, Limbs number, unsigned base, std::size_t width) {
  const BaseFacts facts = facts_of(base);
  std::string reversed;
  while (!number.empty()) {
    Limb rest =
        mpn_divrem_1(gmp(number.data()), 0, gmp(number.data()), gmp(number.size()), facts.power);
    strip(number);
    for (unsigned i = 0; i < facts.digits_per_limb && (!number.empty() || rest != 0); ++i) {
      reversed.push_back(digit_letters[rest % base]);
      rest /= base;
    }
  }
  text.append(width > reversed.size() ? width - reversed.size() : 0, '0');
  text.append(reversed.rbegin(), reversed.rend());
}

// powers[i] is base^(digits << i).
void append_digits(std::string& text, LimbSpan number, unsigned base,
                   const std::vector<Limbs>& powers, std::size_t level, std::size_t digits,
                   std::size_t width) {
  if (level == 0 || number.size() <= few_limbs) {
    append_few(text, Limbs(number.begin(), number.end()), base, width);
    return;
  }
  const std::size_t low_digits = digits << (level - 1);
  Limbs low;
  const Limbs high = divide_naturals(number, powers[level - 1], low);
  if (high.empty() && width == 0) {
    append_digits(text, low, base, powers, level - 1, digits, 0);
    return;
  }
  append_digits(text, high, base, powers, level - 1, digits,
                width > low_digits ? width - low_digits : 0);
  append_digits(text, low, base, powers, level - 1, digits, low_digits);
}

}  // namespace

LimbSpan stripped(LimbSpan number) noexcept {
  while (!number.empty() && number.back() == 0) {
    number = number.first(number.size() - 1);
  }
  return number;
}

int compare_naturals(LimbSpan left, LimbSpan right) noexcept {
  if (left.size() != right.size()) {
    return left.size() < right.size() ? -1 : 1;
  }
  const int order =
      left.empty() ? 0 : mpn_cmp(gmp(left.data()), gmp(right.data()), gmp(left.size()));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::size_t bits_of(LimbSpan number) noexcept {
  return number.empty()
             ? 0
             : 64 * number.size() - static_cast<std::size_t>(std::countl_zero(number.back()));
}

Limbs add_naturals(LimbSpan left, LimbSpan right) {
  if (left.size() < right.size()) {
    std::swap(left, right);
  }
  Limbs sum(left.size() + 1);
  if (right.empty()) {
    std::copy(left.begin(), left.end(), sum.begin());
  } else {
    sum.back() = mpn_add(gmp(sum.data()), gmp(left.data()), gmp(left.size()), gmp(right.data()),
                         gmp(right.size()));
  }
  strip(sum);
  return sum;
}

Limbs subtract_naturals(LimbSpan left, LimbSpan right) {
  Limbs difference(left.begin(), left.end());
  if (!right.empty()) {
    (void)mpn_sub(gmp(difference.data()), gmp(left.data()), gmp(left.size()), gmp(right.data()),
                  gmp(right.size()));
  }
  strip(difference);
  return difference;
}

Limbs multiply_naturals(LimbSpan left, LimbSpan right) {
  if (left.empty() || right.empty()) {
    return {};
  }
  Limbs product(left.size() + right.size());
  multiply_into(product.data(), left, right);
  strip(product);
  return product;
}

Limbs divide_naturals(LimbSpan number, LimbSpan divisor, Limbs& remainder) {
  if (compare_naturals(number, divisor) < 0) {
    remainder.assign(number.begin(), number.end());
    return {};
  }
  Limbs quotient(number.size() - divisor.size() + 1);
  if (divisor.size() == 1) {
    const Limb rest =
        mpn_divrem_1(gmp(quotient.data()), 0, gmp(number.data()), gmp(number.size()), divisor[0]);
    remainder.assign(rest != 0 ? 1 : 0, rest);
    strip(quotient);
    return quotient;
  }
  Limbs rest(number.begin(), number.end());
  Limbs scratch(
      static_cast<std::size_t>(mpn_sec_div_qr_itch(gmp(number.size()), gmp(divisor.size()))));
  quotient.back() = mpn_sec_div_qr(gmp(quotient.data()), gmp(rest.data()), gmp(rest.size()),
                                   gmp(divisor.data()), gmp(divisor.size()), gmp(scratch.data()));
  rest.resize(divisor.size());
  strip(rest);
  strip(quotient);
  remainder = std::move(rest);
  return quotient;
}

Limbs shift_natural_left(LimbSpan number, std::size_t bits) {
  if (number.empty()) {
    return {};
  }
  const std::size_t whole = bits / 64;
  Limbs shifted(number.size() + whole + 1);
  if (const auto rest = static_cast<unsigned>(bits % 64); rest != 0) {
    shifted.back() =
        mpn_lshift(gmp(shifted.data() + whole), gmp(number.data()), gmp(number.size()), rest);
  } else {
    std::copy(number.begin(), number.end(), shifted.begin() + static_cast<std::ptrdiff_t>(whole));
  }
  strip(shifted);
  return shifted;
}

Limbs shift_natural_right(LimbSpan number, std::size_t bits, bool& lost) {
  const std::size_t whole = bits / 64;
  if (whole >= number.size()) {
    lost = !number.empty();
    return {};
  }
  lost = std::any_of(number.begin(), number.begin() + static_cast<std::ptrdiff_t>(whole),
                     [](Limb limb) { return limb != 0; });
  const LimbSpan high = number.subspan(whole);
  Limbs shifted(high.begin(), high.end());
  if (const auto rest = static_cast<unsigned>(bits % 64); rest != 0) {
    lost = mpn_rshift(gmp(shifted.data()), gmp(high.data()), gmp(high.size()), rest) != 0 || lost;
  }
  strip(shifted);
  return shifted;
}

std::string digits_of(LimbSpan number, unsigned base) {
  if (number.empty()) {
    return "0";
  }
  std::string text;
  if (std::has_single_bit(base)) {
    const auto width = static_cast<unsigned>(std::countr_zero(base));
    const std::size_t count = (bits_of(number) + width - 1) / width;
    text.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bit = i * width;
      Limb digit = number[bit / 64] >> (bit % 64);
      if (bit % 64 + width > 64 && bit / 64 + 1 < number.size()) {
        digit |= number[bit / 64 + 1] << (64 - bit % 64);
      }
      text[count - 1 - i] = digit_letters[digit & (base - 1)];
    }
    return text;
  }
  const BaseFacts facts = facts_of(base);
  std::vector<Limbs> powers;
  const std::size_t digits = std::size_t{facts.digits_per_limb} * (few_limbs / 2);
  if (number.size() > few_limbs) {
    Limbs power{1};
    for (std::size_t i = 0; i < few_limbs / 2; ++i) {
      power = multiply_naturals(power, LimbSpan(&facts.power, 1));
    }
    powers.push_back(std::move(power));
    while (2 * powers.back().size() <= number.size()) {
      powers.push_back(multiply_naturals(powers.back(), powers.back()));
    }
  }
  append_digits(text, number, base, powers, powers.size(), digits, 0);
  return text;
}

Limbs natural_of(std::span<const std::uint8_t> digits, unsigned base) {
  while (!digits.empty() && digits.front() == 0) {
    digits = digits.subspan(1);
  }
  if (std::has_single_bit(base)) {
    const auto width = static_cast<unsigned>(std::countr_zero(base));
    Limbs number(digits.size() * width / 64 + 2);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const std::size_t bit = i * width;
      const Limb digit = digits[digits.size() - 1 - i];
      number[bit / 64] |= digit << (bit % 64);
      if (bit % 64 + width > 64) {
        number[bit / 64 + 1] |= digit >> (64 - bit % 64);
      }
    }
    strip(number);
    return number;
  }
  const BaseFacts facts = facts_of(base);
  if (digits.size() > std::size_t{facts.digits_per_limb} * few_limbs) {
    const std::size_t low = digits.size() / 2;
    Limbs power{1};
    Limbs square{base};
    for (std::size_t exponent = low; exponent != 0; exponent >>= 1) {
      if ((exponent & 1) != 0) {
        power = multiply_naturals(power, square);
      }
      if (exponent > 1) {
        square = multiply_naturals(square, square);
      }
    }
    const Limbs high = natural_of(digits.first(digits.size() - low), base);
    return add_naturals(multiply_naturals(high, power), natural_of(digits.last(low), base));
  }
  Limbs number;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a limb holds twelve digits of any base, at least
  number.reserve(digits.size() / facts.digits_per_limb + 2);
  for (std::size_t i = 0; i < digits.size();) {
    Limb chunk = 0;
    Limb power = 1;
    for (unsigned n = 0; n < facts.digits_per_limb && i < digits.size(); ++n, ++i) {
      chunk = chunk * base + digits[i];
      power *= base;
    }
    number.push_back(0);
    const std::size_t used = number.size() - 1;
    Limb carry =
        used == 0 ? 0 : mpn_mul_1(gmp(number.data()), gmp(number.data()), gmp(used), power);
    number.back() = carry;
    add_at(number.data(), LimbSpan(&chunk, 1));
    strip(number);
  }
  return number;
}

double to_nearest(LimbSpan number, std::int64_t exponent, bool sticky) noexcept {
  const auto bits = static_cast<std::int64_t>(bits_of(number));
  if (bits == 0) {
    return 0.0;
  }
  if (bits + exponent > 1024) {
    return std::numeric_limits<double>::infinity();
  }
  // So many bits are kept: 53, fewer where the result is subnormal.
  const std::int64_t kept = std::min<std::int64_t>(53, bits + exponent + 1074);
  if (kept < 0) {
    return 0.0;
  }
  const auto bit_at = [&](std::int64_t bit) {
    return bit >= 0 &&
           (number[static_cast<std::size_t>(bit) / 64] >> (static_cast<std::size_t>(bit) % 64) &
            1) != 0;
  };
  std::uint64_t mantissa = 0;
  const std::int64_t cut = bits - kept;  // the lowest kept bit
  for (std::int64_t bit = bits - 1; bit >= cut; --bit) {
    mantissa = mantissa << 1 | (bit_at(bit) ? 1U : 0U);
  }
  if (cut > 0 && bit_at(cut - 1)) {
    bool more = sticky || (mantissa & 1) != 0;
    for (std::int64_t bit = cut - 2; !more && bit >= 0; --bit) {
      more = bit_at(bit);
    }
    mantissa += more ? 1 : 0;
  }
  return std::ldexp(static_cast<double>(mantissa), static_cast<int>(exponent + cut));
}

}  // namespace tarn::builtins
