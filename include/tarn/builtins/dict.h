// dict: in the order of insertion. Keys that compare equal but are different objects keep the first one, as in Python.
//
// A key's own comparison or hash may change the dict it's looked up in, or clear it: the search begins anew. Iterators
// notice that it has changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <tarn/builtins/hash_table.h>

namespace tarn {

class Builtins;
class DictItems;
class DictKeys;
class DictValues;
class Tuple;

enum class DictPart : std::uint8_t { keys, values, items };

class Dict final : public detail::HashTable<detail::DictEntry> {
 public:
  static constexpr const char* type_name = "dict";

  // Null: there's no such key. TypeError: it can't be hashed. Here and below: what a key's own functions throw.
  [[nodiscard]] Ref<Object> get(const Object& key) const;
  // KeyError.
  [[nodiscard]] Ref<Object> at(const Object& key) const;
  [[nodiscard]] bool contains(const Object& key) const {
    return find(key, tarn::hash(key)) != detail::no_entry;
  }
  // std::bad_alloc leaves the dict as it was.
  void set(Ref<Object> key, Ref<Object> value);
  // The value that's there, or else `value`, which is then.
  Ref<Object> set_default(Ref<Object> key, Ref<Object> value);
  // KeyError.
  void erase(const Object& key) { (void)pop(key); }
  Ref<Object> pop(const Object& key);
  // The pair that was inserted last. KeyError when there is none.
  Ref<Tuple> pop_item();
  void update(Dict& other);
  // |: the right one's values where both have a key.
  [[nodiscard]] Ref<Dict> join(Dict& other) const;
  void clear() noexcept;
  [[nodiscard]] Ref<Dict> copy() const;

  // The nth pair in order, from position 0 on; false: there are no more. `position` goes on to the next.
  [[nodiscard]] bool next_pair(std::size_t& position, Ref<Object>& key,
                               Ref<Object>& value) const noexcept;

  // Iterators; RuntimeError when the dict has changed in between. iterate() goes over keys.
  [[nodiscard]] Ref<Object> iterate();
  [[nodiscard]] Ref<Object> iterate_values();
  [[nodiscard]] Ref<Object> iterate_items();

  // Views: <tarn/builtins/dict_views.h>.
  [[nodiscard]] Ref<DictKeys> keys();
  [[nodiscard]] Ref<DictValues> values();
  [[nodiscard]] Ref<DictItems> items();

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const;  // TypeError
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const;

 private:
  friend class Builtins;
  friend class DictIterator;
  friend class Instance;
};

}  // namespace tarn
