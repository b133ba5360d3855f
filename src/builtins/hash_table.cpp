#include <tarn/builtins/hash_table.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include <tarn/builtins/int.h>
#include <tarn/builtins/str.h>

#include "base/assert.h"
#include "builtins/support.h"

namespace tarn::detail {

namespace {

constexpr std::size_t most_without_slots = 8;
constexpr std::size_t least_slots = 16;
constexpr unsigned perturb_shift = 5;  // CPython's

[[nodiscard]] constexpr std::size_t usable(std::size_t slots) noexcept { return slots / 3 * 2; }

// The slots that a hash leads to, one after the other, each of them in the end.
class Probe {
 public:
  Probe(std::size_t hash, std::size_t slots) noexcept
      : mask_(slots - 1), perturb_(hash), slot_(hash & mask_) {}
  [[nodiscard]] std::size_t slot() const noexcept { return slot_; }
  void go_on() noexcept {
    perturb_ >>= perturb_shift;
    slot_ = (slot_ * 5 + perturb_ + 1) & mask_;
  }

 private:
  std::size_t mask_;
  std::size_t perturb_;
  std::size_t slot_;
};

// Slots of one width. Values from `deleted` on lead nowhere.
template <typename Width>
class SlotsOf {
 public:
  static constexpr Width empty = std::numeric_limits<Width>::max();
  static constexpr Width deleted = empty - 1;

  explicit SlotsOf(Slots& slots) noexcept
      : bytes_(slots.items().data()), count_(slots.size() / sizeof(Width)) {}
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] Width operator[](std::size_t slot) const noexcept {
    Width value = 0;
    std::memcpy(&value, bytes_ + slot * sizeof(Width), sizeof(Width));
    return value;
  }
  void set(std::size_t slot, std::size_t entry) const noexcept {
    const auto value = static_cast<Width>(entry);
    std::memcpy(bytes_ + slot * sizeof(Width), &value, sizeof(Width));
  }
  // The first one on the way that leads nowhere.
  [[nodiscard]] std::size_t free_one(std::size_t hash) const noexcept {
    Probe probe(hash, count_);
    while ((*this)[probe.slot()] < deleted) {
      probe.go_on();
    }
    return probe.slot();
  }

 private:
  std::uint8_t* bytes_;
  std::size_t count_;
};

// visit(SlotsOf<…>)
template <typename Visit>
[[gnu::always_inline]] inline auto with_width(Slots& slots, Visit visit) {
  switch (slots.width_shift) {
    case 0:
      return visit(SlotsOf<std::uint8_t>(slots));
    case 1:
      return visit(SlotsOf<std::uint16_t>(slots));
    default:
      return visit(SlotsOf<std::uint32_t>(slots));
  }
}

enum class Match : std::uint8_t { no, yes, ask };

// Whether keys with the same hash are equal, as far as that can be said without running a program's code.
[[nodiscard]] Match match(const Object& left, const Object& right) noexcept {
  if (&left == &right) {
    return Match::yes;
  }
  if (is_exactly<Str>(left) && is_exactly<Str>(right)) {
    return static_cast<const Str&>(left).utf8() == static_cast<const Str&>(right).utf8()
               ? Match::yes
               : Match::no;
  }
  if (is_exactly<Int>(left) && is_exactly<Int>(right)) {
    const auto& of_left = static_cast<const Int&>(left);
    const auto& of_right = static_cast<const Int&>(right);
    if (of_left.is_word() && of_right.is_word()) {
      return of_left.word() == of_right.word() ? Match::yes : Match::no;
    }
  }
  return Match::ask;
}

}  // namespace

std::uint32_t Slots::get(std::size_t slot) const noexcept {
  return with_width(const_cast<Slots&>(*this), [slot](auto slots) -> std::uint32_t {
    const auto value = slots[slot];
    return value >= slots.deleted ? deleted + std::uint32_t(value - slots.deleted) : value;
  });
}

void Slots::set(std::size_t slot, std::uint32_t entry) noexcept {
  with_width(*this, [=](auto slots) { slots.set(slot, entry); });
}

namespace {

// What came of the comparison with one entry. `changed`: the table isn't what it was.
enum class Outcome : std::uint8_t { other, same, changed };

constexpr std::size_t begins_anew = no_entry - 1;

template <typename Entry, typename Compare>
[[gnu::always_inline]] inline Place look_through(std::span<const Entry> entries, Compare compare) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Outcome outcome = compare(entries[i]);
    if (outcome != Outcome::other) [[unlikely]] {
      return {outcome == Outcome::same ? i : begins_anew, 0};
    }
  }
  return {no_entry, 0};
}

template <typename Width, typename Entry, typename Compare>
[[gnu::always_inline]] inline Place follow(SlotsOf<Width> slots, const Entry* entries,
                                           std::size_t hash, Compare compare) {
  std::size_t free = SIZE_MAX;
  for (Probe probe(hash, slots.count());; probe.go_on()) {
    const Width index = slots[probe.slot()];
    if (index >= slots.deleted) {
      free = free == SIZE_MAX ? probe.slot() : free;
      if (index == slots.empty) {
        return {no_entry, free};
      }
      continue;
    }
    const Outcome outcome = compare(entries[index]);
    if (outcome != Outcome::other) {
      return {outcome == Outcome::same ? index : begins_anew, 0};
    }
  }
}

}  // namespace

template <typename Entry>
Place HashTable<Entry>::find_place(const Object& key, std::size_t hash) const {
  const auto compare = [this, &key, hash](const Entry& candidate) {
    if (candidate.key.get() == &key) {
      return Outcome::same;
    }
    if (candidate.hash != hash || !candidate.key) [[likely]] {
      return Outcome::other;
    }
    const Match known = match(*candidate.key, key);
    if (known != Match::ask) {
      return known == Match::yes ? Outcome::same : Outcome::other;
    }
    const std::size_t version = version_;
    const Ref<Object> its_key = candidate.key;
    const bool equal = rich_compare(*its_key, key, CompareOperator::equal);
    return version != version_ ? Outcome::changed : equal ? Outcome::same : Outcome::other;
  };
  while (entries_) {
    const std::span<const Entry> entries = entries_->items();
    const Place place =
        slots_
            ? with_width(*slots_,
                         [&](auto slots) { return follow(slots, entries.data(), hash, compare); })
            : look_through(entries, compare);
    if (place.index != begins_anew) {
      return place;
    }
  }
  return {no_entry, 0};
}

template <typename Entry>
std::size_t HashTable<Entry>::next_entry(std::size_t index) const noexcept {
  if (!entries_) {
    return no_entry;
  }
  for (; index < entries_->size(); ++index) {
    if (entry(index).key) {
      return index;
    }
  }
  return no_entry;
}

template <typename Entry>
std::size_t HashTable<Entry>::last_entry() const noexcept {
  for (std::size_t index = entries_ ? entries_->size() : 0; index-- > 0;) {
    if (entry(index).key) {
      return index;
    }
  }
  return no_entry;
}

// The new table is whole before anything is moved; if the old one has changed while it was made, it's made again.
template <typename Entry>
void HashTable<Entry>::grow_to(std::size_t keys) {
  for (;;) {
    const std::size_t version = version_;
    keys = std::max(keys, size());
    std::size_t capacity =
        keys <= most_without_slots / 2 ? most_without_slots / 2 : most_without_slots;
    Ref<Slots> slots;
    if (keys > most_without_slots) {
      if (keys > UINT32_MAX / 4) {
        throw std::bad_alloc();
      }
      std::size_t count = std::max(std::bit_ceil(keys), least_slots);
      count = usable(count) < keys ? 2 * count : count;
      capacity = usable(count);
      const unsigned width_shift = count <= 256 ? 0 : count <= 65536 ? 1 : 2;
      slots = this->type().heap().template make_sized<Slots>(count << width_shift, width_shift);
      std::memset(slots->items().data(), 0xFF, slots->size());
    }
    Ref<Entries<Entry>> entries =
        this->type().heap().template make_with_room<Entries<Entry>>(capacity);
    if (version != version_) {
      continue;
    }
    const Ref<Entries<Entry>> old = entries_.take();
    ++version_;
    entries_ = entries;
    slots_ = std::move(slots);
    const auto has_key = [](const Entry& entry) { return static_cast<bool>(entry.key); };
    if (old && std::all_of(old->items().begin(), old->items().end(), has_key)) {
      entries->take_items(*old);
    } else if (old) {
      for (Entry& from : old->items()) {
        if (from.key) {
          entries->push(std::move(from));
        }
      }
      old->drop(old->size());
    }
    entries->used = entries->size();
    entries->left = capacity - entries->size();
    if (slots_) {
      with_width(*slots_, [&](auto table) {
        const std::span<const Entry> all = entries->items();
        for (std::size_t i = 0; i < all.size(); ++i) {
          table.set(table.free_one(all[i].hash), i);
        }
      });
    }
    return;
  }
}

template <typename Entry>
std::size_t HashTable<Entry>::free_slot(std::size_t hash) const noexcept {
  return slots_ ? with_width(*slots_, [hash](auto table) { return table.free_one(hash); }) : 0;
}

// NOLINTBEGIN(performance-unnecessary-value-param): the key is moved
template <typename Entry>
Entry& HashTable<Entry>::append(std::size_t hash, Ref<Object> key, std::size_t slot) noexcept {
  Entries<Entry>& entries = *entries_;
  if (slots_) {
    slots_->set(slot, static_cast<std::uint32_t>(entries.size()));
  }
  ++entries.used;
  --entries.left;
  ++version_;
  Entry& added = entries.push();
  added.hash = hash;
  added.key = std::move(key);
  return added;
}
// NOLINTEND(performance-unnecessary-value-param)

template <typename Entry>
std::size_t HashTable<Entry>::slot_of(std::size_t index) const noexcept {
  Probe probe(entry(index).hash, slots_->count());
  while (slots_->get(probe.slot()) != index) {
    probe.go_on();
  }
  return probe.slot();
}

template <typename Entry>
Entry HashTable<Entry>::take(std::size_t index) noexcept {
  if (slots_) {
    slots_->set(slot_of(index), Slots::deleted);
  }
  ++version_;
  --entries_->used;
  Entry taken = std::move(entry(index));
  if (index + 1 == entries_->size()) {
    // Those before it that were deleted are in no slot either: all may be used again.
    while (entries_->size() > 0 && !entry(entries_->size() - 1).key) {
      entries_->drop(1);
      entries_->left += slots_ ? 0 : 1;
    }
  }
  return taken;
}

template <typename Entry>
Ref<Entries<Entry>> HashTable<Entry>::take_all() noexcept {
  ++version_;
  slots_ = nullptr;
  return entries_.take();
}

template <typename Entry>
void HashTable<Entry>::verify() const {
  if (!entries_) {
    TARN_CHECK(static_cast<const void*>(slots_.get()), ==, nullptr,
               "a table without entries has no slots");
    return;
  }
  const auto entries = entries_->items();
  TARN_CHECK(entries_->size() + entries_->left, <=, entries_->room(),
             "T1: entries are within their room");
  std::size_t used = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    used += entry.key ? 1U : 0U;
    if constexpr (requires { entry.value; }) {
      TARN_CHECK(entry.key.get() == nullptr, ==, entry.value.get() == nullptr,
                 "T1: a value is there with its key");
    }
    if (slots_ && entry.key) {
      Probe probe(entry.hash, slots_->count());
      while (slots_->get(probe.slot()) != i) {
        TARN_CHECK(slots_->get(probe.slot()), !=, Slots::empty,
                   "T3: an entry is found before an empty slot");
        probe.go_on();
      }
    }
  }
  TARN_CHECK(used, ==, entries_->used, "T2: as many keys as counted");
  if (slots_) {
    std::size_t taken = 0;
    std::size_t empty = 0;
    for (std::size_t slot = 0; slot < slots_->count(); ++slot) {
      const std::uint32_t index = slots_->get(slot);
      empty += index == Slots::empty ? 1U : 0U;
      if (index < Slots::deleted) {
        ++taken;
        TARN_CHECK(index, <, entries.size(), "T3: a slot leads to an entry");
        TARN_CHECK(entries[index].key.get(), !=, nullptr,
                   "T3: a slot leads to an entry with a key");
      }
    }
    TARN_CHECK(taken, ==, used, "T3: each entry with a key is in one slot");
    TARN_CHECK(empty, >=, slots_->count() / 3 + entries_->left,
               "T3: a third of the slots is never used");
  } else {
    TARN_CHECK(entries.size(), <=, most_without_slots, "T3: many entries have slots");
  }
}

template class HashTable<DictEntry>;
template class HashTable<SetEntry>;

}  // namespace tarn::detail
