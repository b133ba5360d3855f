// set, and frozenset, which doesn't change and can be hashed. They are shown and iterated over in the order of insertion;
// CPython's order is another one. Operations take either; what they return is as the left one.
#pragma once

#include <cstddef>
#include <string>

#include <tarn/builtins/hash_table.h>

namespace tarn {

class Builtins;

// What both can do.
class AnySet : public detail::HashTable<detail::SetEntry> {
 public:
  static constexpr const char* type_name = "any set";

  // A set that is asked for is taken for the frozenset with its items.
  [[nodiscard]] bool contains(const Object& item) const {
    return find(item, hash_of(item)) != detail::no_entry;
  }
  [[nodiscard]] bool is_subset_of(const AnySet& other) const;

  [[nodiscard]] bool next_item(std::size_t& position, Ref<Object>& item) const noexcept;
  // RuntimeError when the set has changed in between.
  [[nodiscard]] Ref<Object> iterate();

  // < and <= ask for subsets.
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const;

 protected:
  AnySet() noexcept = default;

  // Of an item that is asked for.
  [[nodiscard]] static std::size_t hash_of(const Object& item);
  [[nodiscard]] std::size_t hash_of_items() const noexcept;

  bool add_item(Ref<Object> item);
  void add_all(Object& source);
  // What there is of `other`, into this one, which is empty.
  void take_copy(const AnySet& other);

  // Results, into one that is empty.
  void put_union(AnySet& result, const AnySet& other) const;
  void put_intersection(AnySet& result, const AnySet& other) const;
  static void put_difference(AnySet& result, const AnySet& left, const AnySet& right);

  [[nodiscard]] std::string repr_as(const char* name, bool is_plain) const;
};

class Set final : public AnySet {
 public:
  using Base = AnySet;
  static constexpr const char* type_name = "set";

  // Whether it's new. std::bad_alloc leaves the set as it was.
  bool add(Ref<Object> item) { return add_item(std::move(item)); }
  // Whether it was there; remove: KeyError when it wasn't.
  bool discard(const Object& item);
  void remove(const Object& item);
  // The last one added. KeyError when there is none.
  Ref<Object> pop();
  void update(Object& source) { add_all(source); }
  void clear() noexcept;
  [[nodiscard]] Ref<Set> copy() const;

  [[nodiscard]] Ref<Set> join(const AnySet& other) const;                  // |
  [[nodiscard]] Ref<Set> intersect(const AnySet& other) const;             // &
  [[nodiscard]] Ref<Set> subtract(const AnySet& other) const;              // -
  [[nodiscard]] Ref<Set> symmetric_difference(const AnySet& other) const;  // ^

  [[nodiscard]] std::string repr() const { return repr_as("set", true); }
  [[nodiscard]] std::size_t hash() const;  // TypeError
};

// Builtins::frozenset makes them, and frozenset_of.
class FrozenSet final : public AnySet {
 public:
  using Base = AnySet;
  static constexpr const char* type_name = "frozenset";

  [[nodiscard]] Ref<FrozenSet> join(const AnySet& other) const;
  [[nodiscard]] Ref<FrozenSet> intersect(const AnySet& other) const;
  [[nodiscard]] Ref<FrozenSet> subtract(const AnySet& other) const;
  [[nodiscard]] Ref<FrozenSet> symmetric_difference(const AnySet& other) const;

  [[nodiscard]] std::string repr() const { return repr_as("frozenset", false); }
  [[nodiscard]] std::size_t hash() const noexcept { return hash_of_items(); }

 private:
  friend class Builtins;
};

}  // namespace tarn
