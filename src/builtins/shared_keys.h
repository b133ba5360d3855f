// The names of attributes that instances of a class share, so that an instance has values and no names.
//
//   ClassKeys (the class's companion)
//     ├─► SharedKeys [ x y label ]            instances whose attributes came as x, as x y, or as x y label
//     └─► SharedKeys [ x label ]              … as x label: who goes another way gets a table of its own
//          names  x label - - …  up to SharedKeys::most
//          slots  0 2 0 0 1 …    index and 1 of a name, found from its hash before a 0
//
//   K1  the first `size` names are there, and all different; no other is
//   K2  each name is in one slot, which is found from its hash before an empty one
//   K3  no table of a class begins with all names of another one: its names in order lead to one table
//
// An instance has the first so many of its table's names. Names come at the end and never go, so that what an instance
// reads stays what it was. A table dies with the last instance that has it when the class, which has room for a few, needs
// the place: a class doesn't keep more than ClassKeys::most_tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <tarn/builtins/str.h>

namespace tarn::builtins {

class SharedKeys final : public Object {
 public:
  static constexpr const char* type_name = "shared keys";
  static constexpr std::size_t most = 30;  // as CPython's SHARED_KEYS_MAX_SIZE
  static constexpr std::size_t none = SIZE_MAX;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Str& name(std::size_t index) const noexcept { return *names_[index]; }

  // The index of the name with this text. Runs nothing of the program's.
  [[nodiscard]] std::size_t find(const Str& name) const noexcept {
    const std::size_t hash = name.hash();
    for (std::size_t slot = hash % slot_count;; slot = (slot + 1) % slot_count) {
      if (slots_[slot] == 0) {
        return none;
      }
      const std::size_t index = slots_[slot] - 1U;
      if (names_[index].get() == &name || has_text(index, name, hash)) {
        return index;
      }
    }
  }
  // It isn't there, and there is room.
  void append(Ref<Str> name) noexcept;

  // Whether its first `count` names are the other one's, and the next one is `name`.
  [[nodiscard]] bool begins_as(const SharedKeys* other, std::size_t count,
                               const Str& name) const noexcept;

  // Names are in no cycle, and whoever is being cleared may still ask for them.
  void clear_members() noexcept {}

  // Checks K1 and K2; aborts with a message.
  void verify() const;

 private:
  static constexpr std::size_t slot_count = 64;  // more than twice as many as names

  [[nodiscard]] bool has_text(std::size_t index, const Str& name, std::size_t hash) const noexcept {
    return names_[index]->hash() == hash && names_[index]->utf8() == name.utf8();
  }

  std::array<Member<Str>, most> names_;
  std::array<std::uint8_t, slot_count> slots_{};
  std::uint8_t size_ = 0;

 public:
  static constexpr auto members = tarn::members(&SharedKeys::names_);
};

class ClassKeys final : public Object {
 public:
  static constexpr const char* type_name = "keys of a class";
  static constexpr std::size_t most_tables = 16;

  // Of the class's instances. Null: they share none.
  [[nodiscard]] static ClassKeys* of(const Type& type) noexcept {
    Object* const companion = type.companion();
    return companion != nullptr && is_exactly<ClassKeys>(*companion)
               ? static_cast<ClassKeys*>(companion)
               : nullptr;
  }

  // What an instance begins with, before it's known where it goes. Null: there's no table yet.
  [[nodiscard]] Ref<SharedKeys> usual() const noexcept { return tables_[0]; }

  // The table for an instance that has the first `count` names of `keys` (null: it has none) and is to get this one, which
  // is interned. Null: there are too many tables, or too many names in it. std::bad_alloc. Making one may run code of the
  // program's.
  [[nodiscard]] Ref<SharedKeys> with(const Ref<SharedKeys>& keys, std::size_t count,
                                     const Ref<Str>& name);

  // Checks K1 to K3; aborts with a message.
  void verify() const;
  [[nodiscard]] bool has(const SharedKeys& keys) const noexcept;

 private:
  [[nodiscard]] SharedKeys* find(const SharedKeys* keys, std::size_t count,
                                 const Str& name) const noexcept;
  // Without a table, or with one that no instance has. most_tables: there's none.
  [[nodiscard]] std::size_t free_place() const noexcept;

  std::array<Member<SharedKeys>, most_tables> tables_;
  std::size_t next_place_ = 0;

 public:
  static constexpr auto members = tarn::members(&ClassKeys::tables_);
};

}  // namespace tarn::builtins
