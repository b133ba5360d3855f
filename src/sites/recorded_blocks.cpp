#include "sites/recorded_blocks.h"

#include "base/assert.h"
#include "os/virtual_memory.h"

namespace tarn::sites {

void RecordedBlocks::close() noexcept {
  if (entries_ != nullptr) {
    os::release(entries_, capacity_ * sizeof(Entry));
  }
  entries_ = nullptr;
  capacity_ = 0;
  size_ = 0;
}

std::size_t RecordedBlocks::home_of(std::uintptr_t address) const noexcept {
  // Fibonacci hashing: the upper bits of the product depend on all of the address.
  const std::uint64_t hash = std::uint64_t{address} * 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(hash >> 20) & (capacity_ - 1);
}

// Where the address is, or would go.
std::size_t RecordedBlocks::slot_of(std::uintptr_t address) const noexcept {
  std::size_t slot = home_of(address);
  while (entries_[slot].address != 0 && entries_[slot].address != address) {
    slot = (slot + 1) & (capacity_ - 1);
  }
  return slot;
}

bool RecordedBlocks::grow() noexcept {
  const std::size_t capacity = capacity_ == 0 ? least_capacity : 2 * capacity_;
  auto* const entries = static_cast<Entry*>(os::map(capacity * sizeof(Entry), os::page_size()));
  if (entries == nullptr) {
    return false;
  }
  Entry* const old_entries = entries_;
  const std::size_t old_capacity = capacity_;
  entries_ = entries;
  capacity_ = capacity;
  for (std::size_t i = 0; i < old_capacity; ++i) {
    if (old_entries[i].address != 0) {
      entries_[slot_of(old_entries[i].address)] = old_entries[i];
    }
  }
  if (old_entries != nullptr) {
    os::release(old_entries, old_capacity * sizeof(Entry));
  }
  return true;
}

bool RecordedBlocks::insert(const Entry& entry) noexcept {
  if (4 * size_ >= 3 * capacity_ && (size_ >= most || !grow())) {
    return false;
  }
  Entry& slot = entries_[slot_of(entry.address)];
  size_ += slot.address == 0 ? 1U : 0U;
  slot = entry;
  return true;
}

const RecordedBlocks::Entry* RecordedBlocks::find(std::uintptr_t address) const noexcept {
  if (capacity_ == 0) {
    return nullptr;
  }
  const Entry& entry = entries_[slot_of(address)];
  return entry.address == 0 ? nullptr : &entry;
}

bool RecordedBlocks::remove(std::uintptr_t address, Entry& removed) noexcept {
  if (capacity_ == 0 || address == 0) {
    return false;
  }
  std::size_t hole = slot_of(address);
  if (entries_[hole].address == 0) {
    return false;
  }
  removed = entries_[hole];
  const std::size_t mask = capacity_ - 1;
  for (std::size_t next = (hole + 1) & mask; entries_[next].address != 0;
       next = (next + 1) & mask) {
    // It may go into the hole unless its home lies behind that, up to where it is.
    const std::size_t home = home_of(entries_[next].address);
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      entries_[hole] = entries_[next];
      hole = next;
    }
  }
  entries_[hole] = Entry();
  --size_;
  return true;
}

void RecordedBlocks::verify() const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < capacity_; ++i) {
    if (entries_[i].address != 0) {
      ++count;
      TARN_CHECK(slot_of(entries_[i].address), ==, i, "R1, R2: a block is found where it is");
    }
  }
  TARN_CHECK(count, ==, size_, "every recorded block is counted");
}

}  // namespace tarn::sites
