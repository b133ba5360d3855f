#include "heap/address_table.h"

#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::heap {

std::size_t AddressTable::home_of(const void* address) const noexcept {
  // Fibonacci hashing: the low bits of an address say little.
  const std::uint64_t mixed = (base::address_of(address) >> 4) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::size_t>(mixed >> 32) & (capacity_ - 1);
}

// The slot that holds the address, or the empty one where it belongs.
std::size_t AddressTable::slot_of(const void* address) const noexcept {
  std::size_t slot = home_of(address);
  while (slots_[slot] != nullptr && slots_[slot] != address) {
    slot = (slot + 1) & (capacity_ - 1);
  }
  return slot;
}

bool AddressTable::contains(const void* address) const noexcept {
  return capacity_ != 0 && slots_[slot_of(address)] != nullptr;
}

bool AddressTable::insert(const void* address) noexcept {
  if (2 * (size_ + 1) > capacity_ && !grow()) {
    return false;
  }
  const std::size_t slot = slot_of(address);
  size_ += slots_[slot] == nullptr ? 1U : 0U;
  slots_[slot] = address;
  return true;
}

bool AddressTable::remove(const void* address) noexcept {
  if (!contains(address)) {
    return false;
  }
  std::size_t hole = slot_of(address);
  std::size_t next = hole;
  while (true) {
    next = (next + 1) & (capacity_ - 1);
    if (slots_[next] == nullptr) {
      break;
    }
    // A follower fills the hole unless its home lies between the hole and itself.
    const std::size_t from_home = (next - home_of(slots_[next])) & (capacity_ - 1);
    const std::size_t from_hole = (next - hole) & (capacity_ - 1);
    if (from_home >= from_hole) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = nullptr;
  --size_;
  return true;
}

bool AddressTable::grow() noexcept {
  const AddressTable old = *this;
  const std::size_t bytes =
      old.capacity_ == 0 ? os::page_size() : 2 * old.capacity_ * sizeof(void*);
  auto* const slots = static_cast<const void**>(os::map(bytes, os::page_size()));
  if (slots == nullptr) {
    return false;
  }
  slots_ = slots;
  capacity_ = bytes / sizeof(void*);
  old.for_each([this](const void* address) { slots_[slot_of(address)] = address; });
  if (old.slots_ != nullptr) {
    os::release(old.slots_, old.capacity_ * sizeof(void*));
  }
  return true;
}

void AddressTable::close() noexcept {
  if (slots_ != nullptr) {
    os::release(slots_, capacity_ * sizeof(void*));
  }
  *this = AddressTable();
}

}  // namespace tarn::heap
