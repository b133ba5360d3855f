#include "object/weak_table.h"

#include <cstdlib>

#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::object {

void PendingCallbacks::take(detail::WeakEntry& entry) noexcept {
  detail::WeakCallback* last = entry.callbacks;
  if (last == nullptr) {
    return;
  }
  while (true) {
    last->entry = nullptr;
    last->is_running = true;
    if (last->next == nullptr) {
      break;
    }
    last = last->next;
  }
  last->next = first_;
  first_ = entry.callbacks;
  entry.callbacks = nullptr;
}

void PendingCallbacks::run() noexcept {
  while (run_next()) {
  }
}

bool PendingCallbacks::run_next() noexcept {
  if (first_ == nullptr) {
    return false;
  }
  detail::WeakCallback* const callback = first_;
  first_ = callback->next;
  callback->next = nullptr;
  callback->previous = nullptr;
  if (!callback->is_orphan) {
    callback->function();
  }
  callback->is_running = false;
  if (callback->is_orphan) {
    delete callback;
  }
  return true;
}

std::size_t WeakTable::home_of(const void* address) const noexcept {
  // Fibonacci hashing: the low bits of an address say little.
  const std::uint64_t mixed = (base::address_of(address) >> 4) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::size_t>(mixed >> 32) & (capacity_ - 1);
}

// The slot that has the target's entry, or the empty one where it belongs.
std::size_t WeakTable::slot_of(const void* address) const noexcept {
  std::size_t slot = home_of(address);
  while (slots_[slot] != nullptr && slots_[slot]->target != address) {
    slot = (slot + 1) & (capacity_ - 1);
  }
  return slot;
}

detail::WeakEntry* WeakTable::find(const Object& target) const noexcept {
  return capacity_ == 0 ? nullptr : slots_[slot_of(&target)];
}

detail::WeakEntry* WeakTable::entry_of(Object& target) noexcept {
  if (detail::WeakEntry* const known = find(target)) {
    return known;
  }
  if (2 * (size_ + 1) > capacity_ && !grow()) {
    return nullptr;
  }
  auto* const entry = static_cast<detail::WeakEntry*>(std::malloc(sizeof(detail::WeakEntry)));
  if (entry != nullptr) {
    *entry = {.target = &target, .handles = 0, .callbacks = nullptr};
    slots_[slot_of(&target)] = entry;
    ++size_;
  }
  return entry;
}

void WeakTable::detach(detail::WeakEntry& entry) noexcept {
  std::size_t hole = slot_of(entry.target);
  TARN_DEBUG_CHECK(slots_[hole], ==, &entry, "the entry of a living object is in the table");
  std::size_t next = hole;
  while (true) {
    next = (next + 1) & (capacity_ - 1);
    if (slots_[next] == nullptr) {
      break;
    }
    // A follower fills the hole unless its home lies between the hole and itself.
    const std::size_t from_home = (next - home_of(slots_[next]->target)) & (capacity_ - 1);
    const std::size_t from_hole = (next - hole) & (capacity_ - 1);
    if (from_home >= from_hole) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = nullptr;
  --size_;
  entry.target = nullptr;
}

void WeakTable::remove(detail::WeakEntry& entry) noexcept {
  detach(entry);
  std::free(&entry);
}

bool WeakTable::grow() noexcept {
  const WeakTable old = *this;
  const std::size_t bytes =
      old.capacity_ == 0 ? os::page_size() : 2 * old.capacity_ * sizeof(void*);
  auto* const slots = static_cast<detail::WeakEntry**>(os::map(bytes, os::page_size()));
  if (slots == nullptr) {
    return false;
  }
  slots_ = slots;
  capacity_ = bytes / sizeof(void*);
  old.for_each([this](detail::WeakEntry& entry) { slots_[slot_of(entry.target)] = &entry; });
  if (old.slots_ != nullptr) {
    os::release(old.slots_, old.capacity_ * sizeof(void*));
  }
  return true;
}

void WeakTable::close() noexcept {
  if (slots_ != nullptr) {
    os::release(slots_, capacity_ * sizeof(void*));
  }
  *this = WeakTable();
}

}  // namespace tarn::object
