// set. It is shown and iterated over in the order of insertion; CPython's order is another one.
#pragma once

#include <cstddef>
#include <string>

#include <tarn/builtins/hash_table.h>

namespace tarn {

class Builtins;

class Set final : public detail::HashTable<detail::SetEntry> {
 public:
  static constexpr const char* type_name = "set";

  [[nodiscard]] bool contains(const Object& item) const {
    return find(item, tarn::hash(item)) != detail::no_entry;
  }
  // Whether it's new. std::bad_alloc leaves the set as it was.
  bool add(Ref<Object> item);
  // Whether it was there; remove: KeyError when it wasn't.
  bool discard(const Object& item);
  void remove(const Object& item);
  // The last one added. KeyError when there is none.
  Ref<Object> pop();
  void update(Object& source);
  void clear() noexcept;
  [[nodiscard]] Ref<Set> copy() const;

  [[nodiscard]] Ref<Set> join(const Set& other) const;                  // |
  [[nodiscard]] Ref<Set> intersect(const Set& other) const;             // &
  [[nodiscard]] Ref<Set> subtract(const Set& other) const;              // -
  [[nodiscard]] Ref<Set> symmetric_difference(const Set& other) const;  // ^
  [[nodiscard]] bool is_subset_of(const Set& other) const;

  [[nodiscard]] bool next_item(std::size_t& position, Ref<Object>& item) const noexcept;
  // RuntimeError when the set has changed in between.
  [[nodiscard]] Ref<Object> iterate();

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const;  // TypeError
  // < and <= ask for subsets.
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const;

 private:
  friend class SetIterator;
};

}  // namespace tarn
