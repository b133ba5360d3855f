#include <tarn/builtins/hash_table.h>

#include <bit>
#include <cstring>

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
  return Match::ask;
}

}  // namespace

std::uint32_t Slots::get(std::size_t slot) const noexcept {
  const std::uint8_t* const bytes = items().data();
  switch (width_shift) {
    case 0: {
      const std::uint8_t value = bytes[slot];
      return value >= UINT8_MAX - 1 ? value | 0xFFFFFF00U : value;
    }
    case 1: {
      std::uint16_t value = 0;
      std::memcpy(&value, bytes + 2 * slot, sizeof(value));
      return value >= UINT16_MAX - 1 ? value | 0xFFFF0000U : value;
    }
    default: {
      std::uint32_t value = 0;
      std::memcpy(&value, bytes + 4 * slot, sizeof(value));
      return value;
    }
  }
}

void Slots::set(std::size_t slot, std::uint32_t entry) noexcept {
  std::memcpy(items().data() + (slot << width_shift), &entry, std::size_t{1} << width_shift);
}

// NOLINTBEGIN(readability-function-cognitive-complexity): one search, of either kind of table
template <typename Entry>
std::size_t HashTable<Entry>::find(const Object& key, std::size_t hash) const {
  while (entries_) {
    const std::size_t version = version_;
    bool begins_anew = false;
    const auto is_it = [&](const Entry& candidate) {
      if (candidate.hash != hash || !candidate.key) {
        return false;
      }
      const Match known = match(*candidate.key, key);
      if (known != Match::ask) {
        return known == Match::yes;
      }
      const Ref<Object> its_key = candidate.key;
      const bool equal = rich_compare(*its_key, key, CompareOperator::equal);
      begins_anew = version != version_;
      return equal;
    };
    const auto entries = entries_->items();
    if (!slots_) {
      for (std::size_t i = 0; i < entries_->filled; ++i) {
        if (is_it(entries[i])) {
          if (!begins_anew) {
            return i;
          }
        }
        if (begins_anew) {
          break;
        }
      }
    } else {
      for (Probe probe(hash, slots_->count());; probe.go_on()) {
        const std::uint32_t index = slots_->get(probe.slot());
        if (index == Slots::empty) {
          break;
        }
        if (index != Slots::deleted) {
          const bool found = is_it(entries[index]);
          if (begins_anew) {
            break;
          }
          if (found) {
            return index;
          }
        }
      }
    }
    if (!begins_anew) {
      break;
    }
  }
  return no_entry;
}
// NOLINTEND(readability-function-cognitive-complexity)

template <typename Entry>
std::size_t HashTable<Entry>::next_entry(std::size_t index) const noexcept {
  if (!entries_) {
    return no_entry;
  }
  for (; index < entries_->filled; ++index) {
    if (entry(index).key) {
      return index;
    }
  }
  return no_entry;
}

template <typename Entry>
std::size_t HashTable<Entry>::last_entry() const noexcept {
  for (std::size_t index = entries_ ? entries_->filled : 0; index-- > 0;) {
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
    Ref<Entries<Entry>> entries = this->type().heap().template make_sized<Entries<Entry>>(capacity);
    if (version != version_) {
      continue;
    }
    const Ref<Entries<Entry>> old = entries_.take();
    ++version_;
    entries_ = entries;
    slots_ = std::move(slots);
    if (old) {
      for (Entry& from : old->items().first(old->filled)) {
        if (from.key) {
          put_in_slot(from.hash, static_cast<std::uint32_t>(entries->filled));
          entries->items()[entries->filled++] = std::move(from);
        }
      }
      entries->used = entries->filled;
      old->filled = 0;
      old->used = 0;
    }
    entries->left = capacity - entries->filled;
    return;
  }
}

template <typename Entry>
void HashTable<Entry>::put_in_slot(std::size_t hash, std::uint32_t index) noexcept {
  if (slots_) {
    Probe probe(hash, slots_->count());
    while (slots_->get(probe.slot()) < Slots::deleted) {
      probe.go_on();
    }
    slots_->set(probe.slot(), index);
  }
}

// NOLINTBEGIN(performance-unnecessary-value-param): the key is moved
template <typename Entry>
Entry& HashTable<Entry>::append(std::size_t hash, Ref<Object> key) noexcept {
  const std::size_t index = entries_->filled++;
  ++entries_->used;
  --entries_->left;
  ++version_;
  put_in_slot(hash, static_cast<std::uint32_t>(index));
  Entry& added = entry(index);
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
  if (index + 1 == entries_->filled) {
    // Those before it that were deleted are in no slot either: all may be used again.
    while (entries_->filled > 0 && !entry(entries_->filled - 1).key) {
      --entries_->filled;
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
  TARN_CHECK(entries_->filled + entries_->left, <=, entries.size(),
             "T1: entries are within their array");
  std::size_t used = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    used += entry.key ? 1U : 0U;
    TARN_CHECK(i < entries_->filled || !entry.key, ==, true, "T1: untouched entries have no key");
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
        TARN_CHECK(index, <, entries_->filled, "T3: a slot leads to an entry");
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
