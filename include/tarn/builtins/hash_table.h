// What dict and set are made of: entries in the order in which they were inserted, and, when there are more than a few, a
// table of slots that leads to them.
//
//   entries   hash key value | hash key value | hash - - | hash key value ┊ room …
//                0                 1             deleted       3            size = 4
//   slots     - 3 - - 0 x - 1          -: empty   x: deleted          none up to 8 entries: they are looked through
//
//   T1  each entry has a key, or was deleted and has neither key nor value
//   T2  `used` entries have a key
//   T3  with slots: each entry with a key is in one slot, which is found from its hash before an empty one; at least a third
//       of the slots are neither taken nor deleted
//
// Keys' own comparisons run during a search and may change the table: `version` tells, and the search begins anew. So may
// the making of a larger table, in which a collection may run. Nothing of the program's runs while the table changes:
// what was removed is handed to the caller.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/builtins/operations.h>

namespace tarn {

namespace detail {

struct DictEntry {
  static constexpr const char* table_name = "dict entries";
  std::size_t hash = 0;
  Member<Object> key;
  Member<Object> value;
};

}  // namespace detail

// Key and value lie side by side: one range.
template <>
struct Traced<detail::DictEntry> {
  static_assert(offsetof(detail::DictEntry, value) ==
                offsetof(detail::DictEntry, key) + sizeof(Member<Object>));

  static void traverse(const detail::DictEntry& entry, Visitor& visitor) {
    visitor(detail::range_of(&entry.key), 2);
  }
  static void clear(detail::DictEntry& entry) noexcept {
    // The key dies last: its destructor may change the dict, where an entry has both or neither.
    const Ref<Object> key = entry.key.take();
    entry.value = nullptr;
  }
  template <typename Each>
  static void each_member(const detail::DictEntry& entry, Each each) {
    each(entry.key);
    each(entry.value);
  }
};

namespace detail {

struct SetEntry {
  static constexpr const char* table_name = "set entries";
  std::size_t hash = 0;
  Member<Object> key;
  static constexpr auto members = tarn::members(&SetEntry::key);
};

// The slots, of one, two or four bytes each.
struct Slots final : Sized<Slots, std::uint8_t> {
  static constexpr const char* type_name = "hash table slots";
  static constexpr std::uint32_t empty = UINT32_MAX;
  static constexpr std::uint32_t deleted = UINT32_MAX - 1;
  static constexpr bool items_start_undefined = true;

  explicit Slots(unsigned its_width_shift) noexcept : width_shift(its_width_shift) {}
  unsigned width_shift;

  [[nodiscard]] std::size_t count() const noexcept { return size() >> width_shift; }
  [[nodiscard]] std::uint32_t get(std::size_t slot) const noexcept;
  void set(std::size_t slot, std::uint32_t entry) noexcept;
};

template <typename Entry>
struct Entries final : Growing<Entries<Entry>, Entry> {
  static constexpr const char* type_name = Entry::table_name;
  std::size_t used = 0;
  std::size_t left =
      0;  // how many more may come before the table is made anew: deleted slots aren't reckoned with
};

inline constexpr std::size_t no_entry = SIZE_MAX;

// What a search found: the entry with an equal key, or no_entry and, with slots, the slot for a new one.
struct Place {
  std::size_t index;
  std::size_t slot;
};

template <typename Entry>
class HashTable : public Object {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return entries_ ? entries_->used : 0; }

  // Checks T1 to T3; aborts with a message. Linear.
  void verify() const;

 protected:
  HashTable() noexcept = default;

  // The entry with an equal key.
  [[nodiscard]] Place find_place(const Object& key, std::size_t hash) const;
  [[nodiscard]] std::size_t find(const Object& key, std::size_t hash) const {
    return find_place(key, hash).index;
  }
  [[nodiscard]] Entry& entry(std::size_t index) const noexcept { return entries_->items()[index]; }
  // The first entry with a key at or after this one; no_entry: there's none.
  [[nodiscard]] std::size_t next_entry(std::size_t index) const noexcept;
  [[nodiscard]] std::size_t last_entry() const noexcept;

  [[nodiscard]] bool has_room() const noexcept { return entries_ && entries_->left != 0; }
  // Room for so many keys in all, at least. After it the table may have changed in any way.
  void grow_to(std::size_t keys);
  void grow() { grow_to(size() < 8 ? size() + 1 : size() * 2); }
  // There is room, and no equal key, and `slot` is what find_place said or free_slot says. Returns the new entry.
  Entry& append(std::size_t hash, Ref<Object> key, std::size_t slot) noexcept;
  [[nodiscard]] std::size_t free_slot(std::size_t hash) const noexcept;
  // Takes the entry out, and gives it.
  [[nodiscard]] Entry take(std::size_t index) noexcept;
  // Takes everything out; it dies with what's returned.
  [[nodiscard]] Ref<Entries<Entry>> take_all() noexcept;

 private:
  [[nodiscard]] std::size_t slot_of(std::size_t index) const noexcept;

  Member<Entries<Entry>> entries_;
  Member<Slots> slots_;
  std::size_t version_ = 0;

 public:
  static constexpr auto members = tarn::members(&HashTable::entries_, &HashTable::slots_);
};

extern template class HashTable<DictEntry>;
extern template class HashTable<SetEntry>;

}  // namespace detail

}  // namespace tarn
