// A Lox value in eight bytes: a number, nil, a truth value, or an object.
//
//   bits below singleton_tag      a number: the double itself. No arithmetic makes a NaN above it.
//   singleton_tag | small         nil, false, true, and the mark of a variable that isn't defined
//   borrowed_tag | address        an object that some other value keeps alive
//   owned_tag | address           an object, and one of its counts
//
// The tags ascend, so each question about a value is one comparison. The last two are what makes reference
// counts cheap on the operand stack: reading a local variable or a constant copies its bits with the borrowed
// tag and leaves the count alone, and who pops a value only has to ask whether it is owned.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include <tarn/object.h>

namespace lox {

class Value {
 public:
  static constexpr std::uint64_t singleton_tag = std::uint64_t{0xfffc} << 48;
  static constexpr std::uint64_t borrowed_tag = std::uint64_t{0xfffe} << 48;
  static constexpr std::uint64_t owned_tag = std::uint64_t{0xffff} << 48;
  static constexpr std::uint64_t owned_bit = borrowed_tag ^ owned_tag;
  static constexpr std::uint64_t address_mask = (std::uint64_t{1} << 48) - 1;

  Value() = default;
  static constexpr Value from_bits(std::uint64_t bits) { return Value(bits); }
  static constexpr Value number(double number) {
    return Value(std::bit_cast<std::uint64_t>(number));
  }
  static constexpr Value nil() { return Value(singleton_tag | 1); }
  static constexpr Value boolean(bool truth) { return Value(singleton_tag | (truth ? 3U : 2U)); }
  static constexpr Value undefined() { return Value(singleton_tag | 4); }
  static Value borrowed(const tarn::Object* object) {
    return Value(borrowed_tag | reinterpret_cast<std::uint64_t>(object));
  }
  // Takes over one count that the caller has.
  static Value owned(const tarn::Object* object) {
    return Value(owned_tag | reinterpret_cast<std::uint64_t>(object));
  }
  template <class T>
  static Value owned(tarn::Ref<T> ref) {
    return owned(static_cast<const tarn::Object*>(ref.release()));
  }

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool is_number() const { return bits_ < singleton_tag; }
  constexpr bool is_object() const { return bits_ >= borrowed_tag; }
  constexpr bool is_owned() const { return bits_ >= owned_tag; }
  constexpr bool is_nil() const { return bits_ == nil().bits_; }
  constexpr bool is_undefined() const { return bits_ == undefined().bits_; }
  // nil and false are false, all else is true.
  constexpr bool is_false() const { return bits_ == nil().bits_ || bits_ == boolean(false).bits_; }
  constexpr bool is_boolean() const {
    return bits_ == boolean(false).bits_ || bits_ == boolean(true).bits_;
  }

  constexpr double as_number() const { return std::bit_cast<double>(bits_); }
  tarn::Object* object() const { return reinterpret_cast<tarn::Object*>(bits_ & address_mask); }
  template <class T>
  T* as() const {
    return static_cast<T*>(object());
  }
  // The same value without a count of its own.
  constexpr Value as_borrowed() const { return is_owned() ? Value(bits_ ^ owned_bit) : *this; }

  // The same object or singleton, whoever owns it. Not for numbers: NaN isn't itself, and 0 is -0.
  constexpr bool same(Value other) const {
    return (bits_ | owned_bit) == (other.bits_ | owned_bit);
  }

 private:
  explicit constexpr Value(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_;
};

static_assert(sizeof(Value) == 8 && std::is_trivially_copyable_v<Value>);

// Lets go of a value that was taken off the stack, or out of an object.
inline void release(Value value) {
  if (value.is_owned()) {
    tarn::detail::release(*value.object());
  }
}

// The same value, owned: of a borrowed object a count is taken.
inline Value to_owned(Value value) {
  if (value.is_object() && !value.is_owned()) {
    tarn::detail::retain(*value.object());
    return Value::from_bits(value.bits() | Value::owned_bit);
  }
  return value;
}

// Another one of the value, owned.
inline Value copy_owned(Value value) {
  if (!value.is_object()) {
    return value;
  }
  tarn::detail::retain(*value.object());
  return Value::from_bits(value.bits() | Value::owned_bit);
}

// A collection under way hears of each reference that becomes part of an object.
inline void became_member(tarn::Object& object) {
  if (tarn::detail::barrier_is_up.is_up()) [[unlikely]] {
    tarn::detail::barrier(object);
  }
}

// A value that is part of an object: always owned. It is to a Value what tarn::Member is to tarn::Ref.
class Field {
 public:
  Field() : value_(Value::nil()) {}
  ~Field() { release(value_); }
  Field(const Field&) = delete;
  Field& operator=(const Field&) = delete;
  Field(Field&& other) noexcept : value_(other.value_) { other.value_ = Value::nil(); }
  Field& operator=(Field&& other) noexcept {
    set(other.value_);
    other.value_ = Value::nil();
    return *this;
  }

  Value get() const { return value_; }
  // Where the value lies: as long as the object lives, and to be read only.
  Value* address() { return &value_; }
  // The owned value becomes part of the object; the old one goes last.
  void set(Value owned) {
    const Value old = value_;
    begin(owned);
    release(old);
  }
  // As set, of a field that holds no object.
  void begin(Value owned) {
    value_ = owned;
    if (owned.is_object()) {
      became_member(*owned.object());
    }
  }
  void clear() {
    const Value old = value_;
    value_ = Value::nil();
    release(old);
  }

 private:
  Value value_;
};
static_assert(sizeof(Field) == sizeof(Value));

}  // namespace lox

template <>
struct tarn::Traced<lox::Field> {
  static void traverse(const lox::Field& field, Visitor& visitor) {
    if (!field.get().is_object()) {
      return;
    }
    Object* const object = field.get().object();
    visitor(&object, 1);
  }
  static void clear(lox::Field& field) noexcept { field.clear(); }
  template <typename Each>
  static void each_member(const lox::Field&, Each) {}
};
