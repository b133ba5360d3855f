#include <tarn/builtins/set.h>

#include "builtins/iterators.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

std::size_t AnySet::hash_of(const Object& item) {
  return is_exactly<Set>(item) ? static_cast<const Set&>(item).hash_of_items() : tarn::hash(item);
}

// CPython's: the order makes no difference.
std::size_t AnySet::hash_of_items() const noexcept {
  std::uint64_t all = 0;
  for (std::size_t i = next_entry(0); i != detail::no_entry; i = next_entry(i + 1)) {
    const std::uint64_t hash = entry(i).hash;
    all ^= ((hash ^ 89869747U) ^ (hash << 16)) * 3644798167U;
  }
  all ^= (std::uint64_t{size()} + 1) * 1927868237U;
  all ^= (all >> 11) ^ (all >> 25);
  all = all * 69069U + 907133923U;
  return all == SIZE_MAX ? 590923713U : all;
}

bool AnySet::add_item(Ref<Object> item) {
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

void AnySet::add_all(Object& source) {
  if (&source == this) {
    return;
  }
  for (const Ref<Object>& item : each(source)) {
    (void)add_item(item);
  }
}

void AnySet::take_copy(const AnySet& other) {
  const Ref<AnySet> held = own(other);
  std::size_t i = 0;
  do {  // as Dict::copy
    (void)take_all();
    grow_to(other.size());  // may change the other one
    for (i = other.next_entry(0); i != detail::no_entry && has_room();
         i = other.next_entry(i + 1)) {
      const std::size_t hash = other.entry(i).hash;
      (void)append(hash, other.entry(i).key, free_slot(hash));
    }
  } while (i != detail::no_entry);
}

void AnySet::put_union(AnySet& result, const AnySet& other) const {
  result.take_copy(*this);
  std::size_t position = 0;
  Ref<Object> item;
  while (other.next_item(position, item)) {
    (void)result.add_item(item);
  }
}

// As CPython: over the smaller one.
void AnySet::put_intersection(AnySet& result, const AnySet& other) const {
  const AnySet& smaller = other.size() > size() ? *this : other;
  const AnySet& larger = other.size() > size() ? other : *this;
  std::size_t position = 0;
  Ref<Object> item;
  while (smaller.next_item(position, item)) {
    if (larger.contains(*item)) {
      (void)result.add_item(item);
    }
  }
}

void AnySet::put_difference(AnySet& result, const AnySet& left, const AnySet& right) {
  std::size_t position = 0;
  Ref<Object> item;
  while (left.next_item(position, item)) {
    if (!right.contains(*item)) {
      (void)result.add_item(item);
    }
  }
}

bool AnySet::is_subset_of(const AnySet& other) const {
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

bool AnySet::next_item(std::size_t& position, Ref<Object>& item) const noexcept {
  const std::size_t index = next_entry(position);
  if (index == detail::no_entry) {
    return false;
  }
  position = index + 1;
  Ref<Object> next = entry(index).key;
  item.swap(next);  // what it was may die, and change the set
  return true;
}

Ref<Object> AnySet::iterate() { return type().heap().make<SetIterator>(own(*this)); }

std::string AnySet::repr_as(const char* name, bool is_plain) const {
  if (size() == 0) {
    return std::string(name) + "()";
  }
  const builtins::ReprGuard guard(*this);
  if (guard.is_inside_itself()) {
    return std::string(name) + "(...)";
  }
  std::string shown = is_plain ? "{" : std::string(name) + "({";
  const std::size_t start = shown.size();
  std::size_t position = 0;
  Ref<Object> item;
  while (next_item(position, item)) {
    shown += shown.size() == start ? "" : ", ";
    shown += builtins::repr_of(item);
  }
  return shown + (is_plain ? "}" : "})");
}

Comparison AnySet::compare(const Object& other, CompareOperator comparison) const {
  if (!is<AnySet>(other)) {
    return Comparison::not_implemented;
  }
  const auto& right = static_cast<const AnySet&>(other);
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

bool Set::discard(const Object& item) {
  const std::size_t index = find(item, hash_of(item));
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

void Set::clear() noexcept { const auto old = take_all(); }

Ref<Set> Set::copy() const {
  Ref<Set> result = type().heap().make<Set>();
  result->take_copy(*this);
  return result;
}

std::size_t Set::hash() const { throw TypeError("unhashable type: 'set'"); }

Ref<Set> Set::join(const AnySet& other) const {
  Ref<Set> result = type().heap().make<Set>();
  put_union(*result, other);
  return result;
}

Ref<Set> Set::intersect(const AnySet& other) const {
  Ref<Set> result = type().heap().make<Set>();
  put_intersection(*result, other);
  return result;
}

Ref<Set> Set::subtract(const AnySet& other) const {
  Ref<Set> result = type().heap().make<Set>();
  put_difference(*result, *this, other);
  return result;
}

Ref<Set> Set::symmetric_difference(const AnySet& other) const {
  Ref<Set> result = subtract(other);
  put_difference(*result, other, *this);
  return result;
}

Ref<FrozenSet> FrozenSet::join(const AnySet& other) const {
  Ref<FrozenSet> result = type().heap().make<FrozenSet>();
  put_union(*result, other);
  return result;
}

Ref<FrozenSet> FrozenSet::intersect(const AnySet& other) const {
  Ref<FrozenSet> result = type().heap().make<FrozenSet>();
  put_intersection(*result, other);
  return result;
}

Ref<FrozenSet> FrozenSet::subtract(const AnySet& other) const {
  Ref<FrozenSet> result = type().heap().make<FrozenSet>();
  put_difference(*result, *this, other);
  return result;
}

Ref<FrozenSet> FrozenSet::symmetric_difference(const AnySet& other) const {
  Ref<FrozenSet> result = subtract(other);
  put_difference(*result, other, *this);
  return result;
}

}  // namespace tarn
