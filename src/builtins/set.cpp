#include <tarn/builtins/set.h>

#include "builtins/iterators.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

bool Set::add(Ref<Object> item) {
  const std::size_t hash = tarn::hash(*item);
  for (;;) {
    const detail::Place place = find_place(*item, hash);
    if (place.index != detail::no_entry) {
      return false;
    }
    if (has_room()) {
      (void)append(hash, std::move(item), place.slot);
      return true;
    }
    grow();  // may run code of the program's: then the item may be there
  }
}

bool Set::discard(const Object& item) {
  const std::size_t index = find(item, tarn::hash(item));
  if (index == detail::no_entry) {
    return false;
  }
  const detail::SetEntry taken = take(index);
  return true;
}

void Set::remove(const Object& item) {
  if (!discard(item)) {
    throw KeyError(tarn::repr(item));
  }
}

Ref<Object> Set::pop() {
  const std::size_t index = last_entry();
  if (index == detail::no_entry) {
    throw KeyError("'pop from an empty set'");
  }
  detail::SetEntry taken = take(index);
  return taken.key.take();
}

void Set::update(Object& source) {
  if (&source == this) {
    return;
  }
  for (const Ref<Object>& item : each(source)) {
    (void)add(item);
  }
}

void Set::clear() noexcept { const auto old = take_all(); }

Ref<Set> Set::copy() const {
  const Ref<Set> held = own(*this);
  Ref<Set> result = type().heap().make<Set>();
  while (result->size() != size()) {
    (void)result->take_all();
    result->grow_to(size());  // may change this one
    for (std::size_t i = next_entry(0); i != detail::no_entry && result->has_room();
         i = next_entry(i + 1)) {
      (void)result->append(entry(i).hash, entry(i).key, result->free_slot(entry(i).hash));
    }
  }
  return result;
}

Ref<Set> Set::join(const Set& other) const {
  Ref<Set> result = copy();
  std::size_t position = 0;
  Ref<Object> item;
  while (other.next_item(position, item)) {
    (void)result->add(item);
  }
  return result;
}

Ref<Set> Set::intersect(const Set& other) const {
  Ref<Set> result = type().heap().make<Set>();
  std::size_t position = 0;
  Ref<Object> item;
  // As CPython: over the smaller one.
  const Set& smaller = other.size() > size() ? *this : other;
  const Set& larger = other.size() > size() ? other : *this;
  while (smaller.next_item(position, item)) {
    if (larger.contains(*item)) {
      (void)result->add(item);
    }
  }
  return result;
}

Ref<Set> Set::subtract(const Set& other) const {
  Ref<Set> result = type().heap().make<Set>();
  std::size_t position = 0;
  Ref<Object> item;
  while (next_item(position, item)) {
    if (!other.contains(*item)) {
      (void)result->add(item);
    }
  }
  return result;
}

Ref<Set> Set::symmetric_difference(const Set& other) const {
  Ref<Set> result = subtract(other);
  std::size_t position = 0;
  Ref<Object> item;
  while (other.next_item(position, item)) {
    if (!contains(*item)) {
      (void)result->add(item);
    }
  }
  return result;
}

bool Set::is_subset_of(const Set& other) const {
  if (size() > other.size()) {
    return false;
  }
  for (std::size_t i = next_entry(0); i != detail::no_entry; i = next_entry(i + 1)) {
    const Ref<Object> item = entry(i).key;
    if (other.find(*item, entry(i).hash) == detail::no_entry) {
      return false;
    }
  }
  return true;
}

bool Set::next_item(std::size_t& position, Ref<Object>& item) const noexcept {
  const std::size_t index = next_entry(position);
  if (index == detail::no_entry) {
    return false;
  }
  position = index + 1;
  Ref<Object> next = entry(index).key;
  item.swap(next);  // what it was may die, and change the set
  return true;
}

Ref<Object> Set::iterate() { return type().heap().make<SetIterator>(own(*this)); }

std::string Set::repr() const {
  if (size() == 0) {
    return "set()";
  }
  const builtins::ReprGuard guard(*this);
  if (guard.is_inside_itself()) {
    return "set(...)";
  }
  std::string shown = "{";
  std::size_t position = 0;
  Ref<Object> item;
  while (next_item(position, item)) {
    shown += shown.size() == 1 ? "" : ", ";
    shown += builtins::repr_of(item);
  }
  return shown + "}";
}

std::size_t Set::hash() const { throw TypeError("unhashable type: 'set'"); }

Comparison Set::compare(const Object& other, CompareOperator comparison) const {
  if (!is<Set>(other)) {
    return Comparison::not_implemented;
  }
  const auto& right = static_cast<const Set&>(other);
  const builtins::RecursionGuard depth(" in comparison");
  switch (comparison) {
    case CompareOperator::equal:
      return builtins::answer(size() == right.size() && is_subset_of(right));
    case CompareOperator::not_equal:
      return builtins::answer(size() != right.size() || !is_subset_of(right));
    case CompareOperator::less:
      return builtins::answer(size() < right.size() && is_subset_of(right));
    case CompareOperator::less_equal:
      return builtins::answer(is_subset_of(right));
    case CompareOperator::greater:
      return builtins::answer(size() > right.size() && right.is_subset_of(*this));
    case CompareOperator::greater_equal:
      return builtins::answer(right.is_subset_of(*this));
  }
  return Comparison::not_implemented;
}

}  // namespace tarn
