// A table from addresses to small numbers, in the child that takes a snapshot: open addressing, at most half full,
// in mapped memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "integrations/python/snapshot_stream.h"

namespace tarn::python {

class AddressIndex {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  // `key` isn't zero.
  [[nodiscard]] std::uint32_t find(std::uint64_t key) const noexcept {
    if (capacity_ == 0 || key == 0) {
      return none;
    }
    const Slot& slot = slots_[slot_of(key)];
    return slot.key == key ? slot.value : none;
  }

  // False: it is there already, and stays as it is.
  bool insert(std::uint64_t key, std::uint32_t value) noexcept {
    if (2 * count_ >= capacity_) {
      grow();
    }
    Slot& slot = slots_[slot_of(key)];
    if (slot.key == key) {
      return false;
    }
    slot = {key, value};
    ++count_;
    return true;
  }

 private:
  struct Slot {
    std::uint64_t key;
    std::uint32_t value;
  };

  [[nodiscard]] std::size_t slot_of(std::uint64_t key) const noexcept {
    std::size_t at = static_cast<std::size_t>((key * 0x9E3779B97F4A7C15U) >> 32) & (capacity_ - 1);
    while (slots_[at].key != 0 && slots_[at].key != key) {
      at = (at + 1) & (capacity_ - 1);
    }
    return at;
  }

  void grow() noexcept {
    const Slot* const old = slots_;
    const std::size_t old_capacity = capacity_;
    capacity_ = capacity_ == 0 ? 4096 : 2 * capacity_;
    slots_ = snapshot_array<Slot>(capacity_);
    for (std::size_t i = 0; i < old_capacity; ++i) {
      if (old[i].key != 0) {
        slots_[slot_of(old[i].key)] = old[i];
      }
    }
  }

  Slot* slots_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tarn::python
