#include <tarn/builtins/dict_views.h>

#include "builtins/iterators.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

Ref<Object> Dict::get(const Object& key) const {
  const std::size_t index = find(key, tarn::hash(key));
  return index != detail::no_entry ? Ref<Object>(entry(index).value) : nullptr;
}

Ref<Object> Dict::at(const Object& key) const {
  Ref<Object> value = get(key);
  if (!value) {
    throw KeyError(tarn::repr(key));
  }
  return value;
}

void Dict::set(Ref<Object> key, Ref<Object> value) {
  const std::size_t hash = tarn::hash(*key);
  for (;;) {
    const detail::Place place = find_place(*key, hash);
    if (place.index != detail::no_entry) {
      entry(place.index).value = std::move(value);  // the old one dies last
      return;
    }
    if (has_room()) {
      append(hash, std::move(key), place.slot).value = std::move(value);
      return;
    }
    grow();  // may run code of the program's: then the key may be there
  }
}

Ref<Object> Dict::set_default(Ref<Object> key, Ref<Object> value) {
  const std::size_t hash = tarn::hash(*key);
  for (;;) {
    const detail::Place place = find_place(*key, hash);
    if (place.index != detail::no_entry) {
      return entry(place.index).value;
    }
    if (has_room()) {
      append(hash, std::move(key), place.slot).value = value;
      return value;
    }
    grow();
  }
}

Ref<Object> Dict::pop(const Object& key) {
  const std::size_t index = find(key, tarn::hash(key));
  if (index == detail::no_entry) {
    throw KeyError(tarn::repr(key));
  }
  detail::DictEntry taken = take(index);
  return taken.value.take();
}

Ref<Tuple> Dict::pop_item() {
  Ref<Tuple> pair = type().heap().make_sized<Tuple>(2);
  const std::size_t index = last_entry();
  if (index == detail::no_entry) {
    throw KeyError("'popitem(): dictionary is empty'");
  }
  detail::DictEntry taken = take(index);
  pair->items()[0] = taken.key.take();
  pair->items()[1] = taken.value.take();
  return pair;
}

void Dict::update(Dict& other) {
  const Ref<Dict> held = own(other);
  const std::size_t size = other.size();
  std::size_t position = 0;
  Ref<Object> key;
  Ref<Object> value;
  while (&other != this && other.next_pair(position, key, value)) {
    set(key, value);
    if (other.size() != size) {
      throw RuntimeError("dict mutated during update");
    }
  }
}

void Dict::clear() noexcept { const auto old = take_all(); }

Ref<Dict> Dict::copy() const {
  const Ref<Dict> held = own(*this);
  Ref<Dict> result = type().heap().make<Dict>();
  // Whole when the walk came to the end: while this one is being cleared, its size counts what has gone already.
  std::size_t i = 0;
  do {
    (void)result->take_all();
    result->grow_to(size());  // may change this one
    for (i = next_entry(0); i != detail::no_entry && result->has_room(); i = next_entry(i + 1)) {
      const detail::DictEntry& from = entry(i);
      result->append(from.hash, from.key, result->free_slot(from.hash)).value = from.value;
    }
  } while (i != detail::no_entry);
  return result;
}

bool Dict::next_pair(std::size_t& position, Ref<Object>& key, Ref<Object>& value) const noexcept {
  const std::size_t index = next_entry(position);
  if (index == detail::no_entry) {
    return false;
  }
  position = index + 1;
  Ref<Object> next_key = entry(index).key;
  Ref<Object> next_value = entry(index).value;
  key.swap(next_key);  // what they were may die, and change the dict
  value.swap(next_value);
  return true;
}

namespace {
// Of the same layout, for the sake of their names.
struct DictKeyIterator final : DictIterator {
  using Base = DictIterator;
  static constexpr const char* type_name = "dict_keyiterator";
  using DictIterator::DictIterator;
};
struct DictValueIterator final : DictIterator {
  using Base = DictIterator;
  static constexpr const char* type_name = "dict_valueiterator";
  using DictIterator::DictIterator;
};
struct DictItemIterator final : DictIterator {
  using Base = DictIterator;
  static constexpr const char* type_name = "dict_itemiterator";
  using DictIterator::DictIterator;
};
}  // namespace

Ref<Object> Dict::iterate() {
  return type().heap().make<DictKeyIterator>(own(*this), DictPart::keys);
}
Ref<Object> Dict::iterate_values() {
  return type().heap().make<DictValueIterator>(own(*this), DictPart::values);
}
Ref<Object> Dict::iterate_items() {
  return type().heap().make<DictItemIterator>(own(*this), DictPart::items);
}

Ref<DictKeys> Dict::keys() { return type().heap().make<DictKeys>(own(*this)); }
Ref<DictValues> Dict::values() { return type().heap().make<DictValues>(own(*this)); }
Ref<DictItems> Dict::items() { return type().heap().make<DictItems>(own(*this)); }

Ref<Dict> Dict::join(Dict& other) const {
  Ref<Dict> result = copy();
  result->update(other);
  return result;
}

std::string Dict::repr() const {
  const builtins::ReprGuard guard(*this);
  if (guard.is_inside_itself()) {
    return "{...}";
  }
  std::string shown = "{";
  std::size_t position = 0;
  Ref<Object> key;
  Ref<Object> value;
  while (next_pair(position, key, value)) {
    shown += shown.size() == 1 ? "" : ", ";
    shown += builtins::repr_of(key);
    shown += ": ";
    shown += builtins::repr_of(value);
  }
  return shown + "}";
}

std::size_t Dict::hash() const { throw TypeError("unhashable type: 'dict'"); }

Comparison Dict::compare(const Object& other, CompareOperator comparison) const {
  if (!is<Dict>(other) || !builtins::asks_equality(comparison)) {
    return Comparison::not_implemented;
  }
  const auto& right = static_cast<const Dict&>(other);
  const builtins::RecursionGuard depth(" in comparison");
  bool equal = size() == right.size();
  for (std::size_t i = next_entry(0); equal && i != detail::no_entry; i = next_entry(i + 1)) {
    const Ref<Object> key = entry(i).key;
    const Ref<Object> value = entry(i).value;
    const std::size_t index = right.find(*key, entry(i).hash);
    const Ref<Object> other_value =
        index != detail::no_entry ? Ref<Object>(right.entry(index).value) : nullptr;
    equal = other_value && value && same_or_equal(*value, *other_value);
  }
  return builtins::answer(equal == (comparison == CompareOperator::equal));
}

}  // namespace tarn
