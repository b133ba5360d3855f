// What Python does with any object: compare, hash, show, iterate, index, calculate. Each works through the type's slots,
// so that objects of a program's own take part: with compare(), hash(), repr(), iterate() and next() of theirs.
//
// tarn::repr(object) and tarn::hash(object) are in <tarn/object/heap.h>.
//
// Thread rules: the heap's. Comparing and hashing may run a program's own code, and so may whatever makes an object (the
// collector may run there): arguments are held by the caller for as long as a call lasts.
#pragma once

#include <cstddef>
#include <string>

#include <tarn/builtins/errors.h>
#include <tarn/object/heap.h>

namespace tarn {

class Int;

// `left operator right`: what the types say, the right one first if it's derived from the left one, and in the end whether
// both are the same object. TypeError where there is no order; RecursionError beyond a depth of 1000.
[[nodiscard]] bool rich_compare(const Object& left, const Object& right,
                                CompareOperator comparison);

// The same object, or equal: what containers ask.
[[nodiscard]] inline bool same_or_equal(const Object& left, const Object& right) {
  return &left == &right || rich_compare(left, right, CompareOperator::equal);
}

// Whether it counts as true. len(). `container[key]`. `item in container`. TypeError where the type has none.
[[nodiscard]] bool truth(const Object& object);
[[nodiscard]] std::size_t length(const Object& object);
[[nodiscard]] Ref<Object> item_of(const Object& container, const Object& key);
[[nodiscard]] bool contains(Object& container, const Object& item);

// An iterator; an iterator's next object, null at the end. TypeError.
[[nodiscard]] Ref<Object> iterate(Object& object);
[[nodiscard]] Ref<Object> next_of(Object& iterator);

// for (const Ref<Object>& item : tarn::each(*list)) …
class Each {
 public:
  struct End {};
  class Iterator {
   public:
    explicit Iterator(Object& iterator) : iterator_(&iterator), item_(next_of(iterator)) {}
    const Ref<Object>& operator*() const noexcept { return item_; }
    Iterator& operator++() {
      item_ = next_of(*iterator_);
      return *this;
    }
    bool operator==(End) const noexcept { return !item_; }

   private:
    Object* iterator_;
    Ref<Object> item_;
  };

  explicit Each(Object& object) : iterator_(iterate(object)) {}
  [[nodiscard]] Iterator begin() const { return Iterator(*iterator_); }
  [[nodiscard]] static End end() noexcept { return {}; }

 private:
  Ref<Object> iterator_;
};
[[nodiscard]] inline Each each(Object& object) { return Each(object); }

// Arithmetic of int, bool and float; add joins and multiply repeats str, bytes, tuple and list too. What has no
// result among the built-in types (a negative number to a fraction's power is complex) is a ValueError.
[[nodiscard]] Ref<Object> add(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> subtract(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> multiply(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> true_divide(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> floor_divide(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> modulo(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> power(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> shift_left(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> shift_right(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> bit_and(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> bit_or(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> bit_xor(const Object& left, const Object& right);
[[nodiscard]] Ref<Object> negate(const Object& operand);
[[nodiscard]] Ref<Object> absolute(const Object& operand);
[[nodiscard]] Ref<Object> invert(const Object& operand);

// An item's place or a slice's bound, from the end where it's negative, as in Python.
using Index = std::ptrdiff_t;

}  // namespace tarn
