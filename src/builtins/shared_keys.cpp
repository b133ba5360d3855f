#include "builtins/shared_keys.h"

#include <algorithm>

#include "base/assert.h"

namespace tarn::builtins {

// NOLINTNEXTLINE(performance-unnecessary-value-param): the name is moved
void SharedKeys::append(Ref<Str> name) noexcept {
  TARN_DEBUG_CHECK(size(), <, most, "K1: there is room for the name");
  std::size_t slot = name->hash() % slot_count;
  while (slots_[slot] != 0) {
    slot = (slot + 1) % slot_count;
  }
  names_[size_] = std::move(name);
  slots_[slot] = ++size_;
}

bool SharedKeys::begins_as(const SharedKeys* other, std::size_t count,
                           const Str& name) const noexcept {
  if (count >= size() || find(name) != count) {
    return false;
  }
  for (std::size_t i = 0; i < count && other != this; ++i) {
    if (names_[i].get() != other->names_[i].get()) {
      return false;
    }
  }
  return true;
}

void SharedKeys::verify() const {
  TARN_CHECK(size(), <=, most, "K1: as many names as there is room for");
  std::size_t taken = 0;
  for (const std::uint8_t slot : slots_) {
    TARN_CHECK(slot, <=, size_, "K2: a slot leads to a name");
    taken += slot != 0 ? 1U : 0U;
  }
  TARN_CHECK(taken, ==, size(), "K2: each name is in one slot");
  for (std::size_t i = 0; i < most; ++i) {
    TARN_CHECK(names_[i].get() != nullptr, ==, i < size(), "K1: the first names are there");
    if (i < size()) {
      TARN_CHECK(find(*names_[i]), ==, i, "K1, K2: a name is found, and is no other's");
    }
  }
}

SharedKeys* ClassKeys::find(const SharedKeys* keys, std::size_t count,
                            const Str& name) const noexcept {
  for (const Member<SharedKeys>& table : tables_) {
    if (table && table->begins_as(keys, count, name)) {
      return table.get();
    }
  }
  return nullptr;
}

// From the one after the last one that was taken, so that a table which is wanted again isn't the first to go.
std::size_t ClassKeys::free_place() const noexcept {
  const auto empty = std::find(tables_.begin(), tables_.end(), nullptr);
  if (empty != tables_.end()) {
    return static_cast<std::size_t>(empty - tables_.begin());
  }
  for (std::size_t i = 0; i < most_tables; ++i) {
    const std::size_t place = (next_place_ + i) % most_tables;
    if (tables_[place]->reference_count() == 1) {
      return place;
    }
  }
  return most_tables;
}

Ref<SharedKeys> ClassKeys::with(const Ref<SharedKeys>& keys, std::size_t count,
                                const Ref<Str>& name) {
  if (count == SharedKeys::most) {
    return nullptr;
  }
  if (SharedKeys* const found = find(keys.get(), count, *name)) {
    return Ref<SharedKeys>(share, found);
  }
  if (keys && count == keys->size()) {
    keys->append(name);
    return keys;
  }
  if (free_place() == most_tables) {
    return nullptr;
  }
  Ref<SharedKeys> made = type().heap().make<SharedKeys>();
  for (std::size_t i = 0; i < count; ++i) {
    made->append(Ref<Str>(share, &keys->name(i)));
  }
  made->append(name);
  // Making it may have run code that has done the same, or has taken the place.
  if (SharedKeys* const found = find(keys.get(), count, *name)) {
    return Ref<SharedKeys>(share, found);
  }
  const std::size_t place = free_place();
  if (place == most_tables) {
    return nullptr;
  }
  next_place_ = (place + 1) % most_tables;
  tables_[place] = made;
  return made;
}

bool ClassKeys::has(const SharedKeys& keys) const noexcept {
  return std::any_of(tables_.begin(), tables_.end(),
                     [&](const auto& table) { return table.get() == &keys; });
}

void ClassKeys::verify() const {
  for (const Member<SharedKeys>& table : tables_) {
    if (!table) {
      continue;
    }
    table->verify();
    TARN_CHECK(table->size(), !=, 0U, "K3: a table has a name");
    for (const Member<SharedKeys>& other : tables_) {
      if (other && other.get() != table.get()) {
        const std::size_t last = table->size() - 1;
        TARN_CHECK(other->begins_as(table.get(), last, table->name(last)), ==, false,
                   "K3: no table begins with all names of another one");
      }
    }
  }
}

}  // namespace tarn::builtins
