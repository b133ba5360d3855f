// Arithmetic: words first, limbs where a word overflows, doubles as soon as one operand is a float.
#include <tarn/builtins/builtins.h>

#include <bit>
#include <cmath>

#include "builtins/dict_views.h"
#include "builtins/int_value.h"
#include "builtins/support.h"

namespace tarn {

namespace {

using builtins::Limb;
using builtins::Limbs;
using builtins::LimbSpan;
using builtins::Magnitude;
using builtins::own;
using builtins::SetOperation;

const Int* as_int(const Object& object) {
  return is_exactly<Int>(object) || is<Int>(object) ? static_cast<const Int*>(&object) : nullptr;
}
bool is_number(const Object& object) { return is<Float>(object) || as_int(object) != nullptr; }

double as_double(const Object& object) {
  return is<Float>(object) ? static_cast<const Float&>(object).value()
                           : static_cast<const Int&>(object).to_double();
}

[[noreturn]] void unsupported(const char* symbol, const Object& left, const Object& right) {
  throw TypeError(std::string("unsupported operand type(s) for ") + symbol + ": " +
                  builtins::quoted_type(left) + " and " + builtins::quoted_type(right));
}

// Signed addition of magnitudes.
Ref<Int> add_signed(Builtins& all, bool left_negative, LimbSpan left, bool right_negative,
                    LimbSpan right) {
  if (left_negative == right_negative) {
    return all.make_integer(left_negative, builtins::add_naturals(left, right));
  }
  if (builtins::compare_naturals(left, right) >= 0) {
    return all.make_integer(left_negative, builtins::subtract_naturals(left, right));
  }
  return all.make_integer(right_negative, builtins::subtract_naturals(right, left));
}

Ref<Int> add_ints(const Int& left, const Int& right) {
  Builtins& all = Builtins::of(left);
  std::int64_t sum = 0;
  if (left.is_word() && right.is_word() &&
      !__builtin_add_overflow(left.word(), right.word(), &sum)) {
    return all.integer(sum);
  }
  const Magnitude l(left);
  const Magnitude r(right);
  return add_signed(all, l.is_negative(), l.limbs(), r.is_negative(), r.limbs());
}

Ref<Int> subtract_ints(const Int& left, const Int& right) {
  Builtins& all = Builtins::of(left);
  std::int64_t difference = 0;
  if (left.is_word() && right.is_word() &&
      !__builtin_sub_overflow(left.word(), right.word(), &difference)) {
    return all.integer(difference);
  }
  const Magnitude l(left);
  const Magnitude r(right);
  return add_signed(all, l.is_negative(), l.limbs(), !r.is_negative(), r.limbs());
}

Ref<Int> multiply_ints(const Int& left, const Int& right) {
  Builtins& all = Builtins::of(left);
  std::int64_t product = 0;
  if (left.is_word() && right.is_word() &&
      !__builtin_mul_overflow(left.word(), right.word(), &product)) {
    return all.integer(product);
  }
  const Magnitude l(left);
  const Magnitude r(right);
  return all.make_integer(l.is_negative() != r.is_negative(),
                          builtins::multiply_naturals(l.limbs(), r.limbs()));
}

// Rounded down; the remainder has the divisor's sign. One of both is null when it isn't asked for.
void divide_ints(const Int& left, const Int& right, Ref<Int>* quotient, Ref<Int>* remainder) {
  Builtins& all = Builtins::of(left);
  if (right.sign() == 0) {
    throw ZeroDivisionError(quotient == nullptr ? "integer modulo by zero"
                                                : "integer division or modulo by zero");
  }
  if (left.is_word() && right.is_word() && !(left.word() == INT64_MIN && right.word() == -1)) {
    const std::int64_t rest = left.word() % right.word();
    const bool rounds = rest != 0 && (rest < 0) != (right.word() < 0);
    if (quotient != nullptr) {
      *quotient = all.integer(left.word() / right.word() - (rounds ? 1 : 0));
    }
    if (remainder != nullptr) {
      *remainder = all.integer(rounds ? rest + right.word() : rest);
    }
    return;
  }
  const Magnitude l(left);
  const Magnitude r(right);
  Limbs rest;
  Limbs whole = builtins::divide_naturals(l.limbs(), r.limbs(), rest);
  if (!rest.empty() && l.is_negative() != r.is_negative()) {
    constexpr Limb one = 1;
    whole = builtins::add_naturals(whole, LimbSpan(&one, 1));
    rest = builtins::subtract_naturals(r.limbs(), rest);
  }
  if (quotient != nullptr) {
    *quotient = all.make_integer(l.is_negative() != r.is_negative(), whole);
  }
  if (remainder != nullptr) {
    *remainder = all.make_integer(r.is_negative(), rest);
  }
}

// The quotient to 55 bits or more and whether there's more to it, which then is rounded once.
double true_quotient(const Int& left, const Int& right) {
  if (right.sign() == 0) {
    throw ZeroDivisionError("division by zero");
  }
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  if (left.is_word() && right.is_word() && left.word() <= exact && left.word() >= -exact &&
      right.word() <= exact && right.word() >= -exact) {
    return static_cast<double>(left.word()) / static_cast<double>(right.word());
  }
  const Magnitude l(left);
  const Magnitude r(right);
  const auto bits_left = static_cast<std::int64_t>(builtins::bits_of(l.limbs()));
  const auto bits_right = static_cast<std::int64_t>(builtins::bits_of(r.limbs()));
  const std::int64_t shift = 66 - (bits_left - bits_right);
  bool lost = false;
  Limbs rest;
  Limbs quotient;
  if (shift >= 0) {
    quotient = builtins::divide_naturals(
        builtins::shift_natural_left(l.limbs(), static_cast<std::size_t>(shift)), r.limbs(), rest);
  } else {
    quotient = builtins::divide_naturals(
        builtins::shift_natural_right(l.limbs(), static_cast<std::size_t>(-shift), lost), r.limbs(),
        rest);
  }
  const double value = builtins::to_nearest(quotient, -shift, lost || !rest.empty());
  if (std::isinf(value)) {
    throw OverflowError("integer division result too large for a float");
  }
  return l.is_negative() != r.is_negative() ? -value : value;
}

// As float_floor_div and float_rem of CPython.
void divide_doubles(double left, double right, const char* by_zero, double& quotient,
                    double& remainder) {
  if (right == 0) {
    throw ZeroDivisionError(by_zero);
  }
  remainder = std::fmod(left, right);
  double whole = (left - remainder) / right;
  if (remainder != 0) {
    if ((right < 0) != (remainder < 0)) {
      remainder += right;
      whole -= 1;
    }
  } else {
    remainder = std::copysign(0.0, right);
  }
  if (whole != 0) {
    quotient = std::floor(whole);
    quotient += whole - quotient > 0.5 ? 1 : 0;
  } else {
    quotient = std::copysign(0.0, left / right);
  }
}

double power_of_doubles(double base, double exponent) {
  if (base == 0 && exponent < 0 && std::isfinite(exponent)) {
    throw ZeroDivisionError("0.0 cannot be raised to a negative power");
  }
  if (base < 0 && std::isfinite(base) && std::isfinite(exponent) &&
      exponent != std::floor(exponent)) {
    throw ValueError("the power is a complex number, and there is no such type");
  }
  const double value = std::pow(base, exponent);
  if (std::isinf(value) && std::isfinite(base) && std::isfinite(exponent)) {
    throw OverflowError("(34, 'Numerical result out of range')");
  }
  return value;
}

Ref<Object> power_of_ints(const Int& base, const Int& exponent) {
  Builtins& all = Builtins::of(base);
  if (exponent.sign() < 0) {
    return all.floating(power_of_doubles(base.to_double(), exponent.to_double()));
  }
  if (base.is_word() && (base.word() == 0 || base.word() == 1 || base.word() == -1)) {
    const bool is_odd =
        ((exponent.is_word() ? static_cast<Limb>(exponent.word()) : exponent.items()[0]) & 1) != 0;
    return exponent.sign() == 0 || base.word() == 1 ? all.integer(1)
           : base.word() == 0                       ? all.integer(0)
                                                    : all.integer(is_odd ? -1 : 1);
  }
  if (!exponent.is_word()) {
    throw std::bad_alloc();  // no machine has so many bits
  }
  const auto times = static_cast<std::uint64_t>(exponent.word());
  const Magnitude magnitude(base);
  if (builtins::bits_of(magnitude.limbs()) - 1 >
      (std::uint64_t{1} << 42) / (times != 0 ? times : 1)) {
    throw std::bad_alloc();
  }
  constexpr Limb one = 1;
  Limbs result(1, one);
  for (int bit = static_cast<int>(std::bit_width(times)) - 1; bit >= 0; --bit) {
    result = builtins::multiply_naturals(result, result);
    if ((times >> bit & 1) != 0) {
      result = builtins::multiply_naturals(result, magnitude.limbs());
    }
  }
  return all.make_integer(magnitude.is_negative() && (times & 1) != 0, result);
}

// Two's complement, in so many limbs.
Limbs complement_of(const Int& value, std::size_t size) {
  const Magnitude magnitude(value);
  Limbs limbs(magnitude.limbs().begin(), magnitude.limbs().end());
  limbs.resize(size);
  if (magnitude.is_negative()) {
    Limb carry = 1;
    for (Limb& limb : limbs) {
      limb = ~limb + carry;
      carry = limb == 0 ? carry : 0;
    }
  }
  return limbs;
}

template <typename Operation>
Ref<Object> bitwise(const char* symbol, const Object& left, const Object& right,
                    Operation operation) {
  const Int* const l = as_int(left);
  const Int* const r = as_int(right);
  if (l == nullptr || r == nullptr) {
    unsupported(symbol, left, right);
  }
  Builtins& all = Builtins::of(left);
  if (is<Bool>(left) && is<Bool>(right)) {
    return all.boolean(operation(static_cast<Limb>(l->word()), static_cast<Limb>(r->word())) != 0);
  }
  if (l->is_word() && r->is_word()) {
    return all.integer(static_cast<std::int64_t>(
        operation(static_cast<Limb>(l->word()), static_cast<Limb>(r->word()))));
  }
  const std::size_t size = std::max(Magnitude(*l).limbs().size(), Magnitude(*r).limbs().size()) + 1;
  Limbs result = complement_of(*l, size);
  const Limbs other = complement_of(*r, size);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = operation(result[i], other[i]);
  }
  const bool is_negative = (result.back() >> 63) != 0;
  if (is_negative) {
    Limb carry = 1;
    for (Limb& limb : result) {
      limb = ~limb + carry;
      carry = limb == 0 ? carry : 0;
    }
  }
  return all.make_integer(is_negative, result);
}

std::size_t shift_count(const Int& by) {
  if (by.sign() < 0) {
    throw ValueError("negative shift count");
  }
  return by.is_word() ? static_cast<std::size_t>(by.word()) : SIZE_MAX;
}

// The sequence, and how often; null: this isn't it.
template <typename Sequence>
Ref<Object> repeated(const Object& sequence, const Object& times) {
  const Int* const count = as_int(times);
  if (!is<Sequence>(sequence) || count == nullptr) {
    return nullptr;
  }
  if (!count->is_word()) {
    throw OverflowError("cannot fit 'int' into an index-sized integer");
  }
  return static_cast<const Sequence&>(sequence).repeat(count->word());
}

Ref<Object> repeated_any(const Object& sequence, const Object& times) {
  for (const auto try_one : {&repeated<Str>, &repeated<Bytes>, &repeated<Tuple>, &repeated<List>}) {
    if (Ref<Object> result = try_one(sequence, times)) {
      return result;
    }
  }
  return nullptr;
}

template <typename AnySetOfBoth>
Ref<Object> combined_sets(const AnySetOfBoth& left, const AnySet& right, SetOperation operation) {
  switch (operation) {
    case SetOperation::join:
      return left.join(right);
    case SetOperation::intersect:
      return left.intersect(right);
    case SetOperation::subtract:
      return left.subtract(right);
    case SetOperation::symmetric_difference:
      return left.symmetric_difference(right);
  }
  return nullptr;
}

// Of sets, and of views of dicts as such. Null: these are none.
Ref<Object> combined(const Object& left, const Object& right, SetOperation operation) {
  if (as_int(left) != nullptr && as_int(right) != nullptr) {
    return nullptr;
  }
  if (is<AnySet>(left) && is<AnySet>(right)) {
    const auto& other = static_cast<const AnySet&>(right);
    return is<Set>(left) ? combined_sets(static_cast<const Set&>(left), other, operation)
                         : combined_sets(static_cast<const FrozenSet&>(left), other, operation);
  }
  if (builtins::is_set_view(left) || builtins::is_set_view(right)) {
    return builtins::combine_views(left, right, operation);
  }
  return nullptr;
}

template <typename Sequence>
Ref<Object> joined(const Object& left, const Object& right) {
  if (!is<Sequence>(left)) {
    return nullptr;
  }
  if (!is<Sequence>(right)) {
    if constexpr (std::is_same_v<Sequence, Bytes>) {
      throw TypeError(std::string("can't concat ") + right.type().name() + " to bytes");
    } else {
      throw TypeError(std::string("can only concatenate ") + left.type().name() + " (not \"" +
                      right.type().name() + "\") to " + left.type().name());
    }
  }
  return static_cast<const Sequence&>(left).join(static_cast<const Sequence&>(right));
}

template <typename OfInts, typename OfDoubles>
Ref<Object> calculate(const char* symbol, const Object& left, const Object& right, OfInts of_ints,
                      OfDoubles of_doubles) {
  const Int* const l = as_int(left);
  const Int* const r = as_int(right);
  if (l != nullptr && r != nullptr) {
    return of_ints(*l, *r);
  }
  if (!is_number(left) || !is_number(right)) {
    unsupported(symbol, left, right);
  }
  const double l_value = as_double(left);
  const double r_value = as_double(right);
  return Builtins::of(left).floating(of_doubles(l_value, r_value));
}

}  // namespace

Ref<Object> add(const Object& left, const Object& right) {
  if (!is_number(left)) {
    for (const auto try_one : {&joined<Str>, &joined<Bytes>, &joined<Tuple>, &joined<List>}) {
      if (Ref<Object> result = try_one(left, right)) {
        return result;
      }
    }
  }
  return calculate("+", left, right, add_ints, [](double l, double r) { return l + r; });
}

Ref<Object> subtract(const Object& left, const Object& right) {
  if (Ref<Object> result = combined(left, right, SetOperation::subtract)) {
    return result;
  }
  return calculate("-", left, right, subtract_ints, [](double l, double r) { return l - r; });
}

Ref<Object> multiply(const Object& left, const Object& right) {
  if (!is_number(left) || !is_number(right)) {
    if (Ref<Object> result = repeated_any(left, right)) {
      return result;
    }
    if (Ref<Object> result = repeated_any(right, left)) {
      return result;
    }
    for (const auto* pair : {&left, &right}) {
      const Object& other = pair == &left ? right : left;
      if (is<Str>(*pair) || is<Bytes>(*pair) || is<Tuple>(*pair) || is<List>(*pair)) {
        throw TypeError("can't multiply sequence by non-int of type " +
                        builtins::quoted_type(other));
      }
    }
  }
  return calculate("*", left, right, multiply_ints, [](double l, double r) { return l * r; });
}

Ref<Object> true_divide(const Object& left, const Object& right) {
  const auto of_ints = [](const Int& l, const Int& r) -> Ref<Object> {
    return Builtins::of(l).floating(true_quotient(l, r));
  };
  return calculate("/", left, right, of_ints, [](double l, double r) {
    if (r == 0) {
      throw ZeroDivisionError("float division by zero");
    }
    return l / r;
  });
}

Ref<Object> floor_divide(const Object& left, const Object& right) {
  const auto of_ints = [](const Int& l, const Int& r) {
    Ref<Int> quotient;
    divide_ints(l, r, &quotient, nullptr);
    return quotient;
  };
  return calculate("//", left, right, of_ints, [](double l, double r) {
    double quotient = 0;
    double rest = 0;
    divide_doubles(l, r, "float floor division by zero", quotient, rest);
    return quotient;
  });
}

Ref<Object> modulo(const Object& left, const Object& right) {
  const auto of_ints = [](const Int& l, const Int& r) {
    Ref<Int> rest;
    divide_ints(l, r, nullptr, &rest);
    return rest;
  };
  return calculate("%", left, right, of_ints, [](double l, double r) {
    double quotient = 0;
    double rest = 0;
    divide_doubles(l, r, "float modulo", quotient, rest);
    return rest;
  });
}

Ref<Object> power(const Object& left, const Object& right) {
  return calculate("** or pow()", left, right, power_of_ints, power_of_doubles);
}

Ref<Object> shift_left(const Object& left, const Object& right) {
  const Int* const value = as_int(left);
  const Int* const by = as_int(right);
  if (value == nullptr || by == nullptr) {
    unsupported("<<", left, right);
  }
  const std::size_t bits = shift_count(*by);
  Builtins& all = Builtins::of(left);
  if (value->sign() == 0) {
    return all.integer(0);
  }
  if (bits > std::size_t{1} << 42) {
    throw std::bad_alloc();
  }
  const Magnitude magnitude(*value);
  if (bits + builtins::bits_of(magnitude.limbs()) < 63) {
    return all.integer(
        static_cast<std::int64_t>(static_cast<std::uint64_t>(value->word()) << bits));
  }
  return all.make_integer(magnitude.is_negative(),
                          builtins::shift_natural_left(magnitude.limbs(), bits));
}

Ref<Object> shift_right(const Object& left, const Object& right) {
  const Int* const value = as_int(left);
  const Int* const by = as_int(right);
  if (value == nullptr || by == nullptr) {
    unsupported(">>", left, right);
  }
  const std::size_t bits = shift_count(*by);
  Builtins& all = Builtins::of(left);
  if (value->is_word()) {
    return all.integer(value->word() >> std::min<std::size_t>(bits, 63));
  }
  const Magnitude magnitude(*value);
  bool lost = false;
  Limbs result = builtins::shift_natural_right(magnitude.limbs(), bits, lost);
  if (lost && magnitude.is_negative()) {
    constexpr Limb one = 1;
    result = builtins::add_naturals(result, LimbSpan(&one, 1));
  }
  return all.make_integer(magnitude.is_negative(), result);
}

Ref<Object> bit_and(const Object& left, const Object& right) {
  if (Ref<Object> result = combined(left, right, SetOperation::intersect)) {
    return result;
  }
  return bitwise("&", left, right, [](Limb l, Limb r) { return l & r; });
}

Ref<Object> bit_or(const Object& left, const Object& right) {
  if (Ref<Object> result = combined(left, right, SetOperation::join)) {
    return result;
  }
  if (is<Dict>(left) && is<Dict>(right)) {
    return static_cast<const Dict&>(left).join(*own(static_cast<const Dict&>(right)));
  }
  return bitwise("|", left, right, [](Limb l, Limb r) { return l | r; });
}

Ref<Object> bit_xor(const Object& left, const Object& right) {
  if (Ref<Object> result = combined(left, right, SetOperation::symmetric_difference)) {
    return result;
  }
  return bitwise("^", left, right, [](Limb l, Limb r) { return l ^ r; });
}

namespace {
[[noreturn]] void bad_operand(const char* symbol, const Object& operand) {
  throw TypeError(std::string("bad operand type for ") + symbol + ": " +
                  builtins::quoted_type(operand));
}
}  // namespace

Ref<Object> negate(const Object& operand) {
  if (is<Float>(operand)) {
    return Builtins::of(operand).floating(-static_cast<const Float&>(operand).value());
  }
  if (const Int* const value = as_int(operand)) {
    return subtract_ints(*Builtins::of(operand).integer(0), *value);
  }
  bad_operand("unary -", operand);
}

Ref<Object> absolute(const Object& operand) {
  if (is<Float>(operand)) {
    return Builtins::of(operand).floating(std::fabs(static_cast<const Float&>(operand).value()));
  }
  if (const Int* const value = as_int(operand)) {
    if (value->sign() >= 0 && !is<Bool>(operand)) {
      return own(operand);
    }
    return value->sign() >= 0 ? Builtins::of(operand).integer(value->word())
                              : cast<Int>(negate(operand));
  }
  bad_operand("abs()", operand);
}

Ref<Object> invert(const Object& operand) {
  if (const Int* const value = as_int(operand)) {
    return subtract_ints(*Builtins::of(operand).integer(-1), *value);
  }
  bad_operand("unary ~", operand);
}

}  // namespace tarn
