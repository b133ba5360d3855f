// A set of addresses in memory of its own: which large blocks of the debug heap are live. Open
// addressing, linear probing, at most half full; removal shifts the followers back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::heap {

class AddressTable {
 public:
  // False: no memory for it.
  [[nodiscard]] bool insert(const void* address) noexcept;
  // False: it wasn't there.
  bool remove(const void* address) noexcept;
  [[nodiscard]] bool contains(const void* address) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void close() noexcept;

  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (std::size_t i = 0; i < capacity_; ++i) {
      if (slots_[i] != nullptr) {
        visit(slots_[i]);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t home_of(const void* address) const noexcept;
  [[nodiscard]] std::size_t slot_of(const void* address) const noexcept;
  [[nodiscard]] bool grow() noexcept;

  const void** slots_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or zero
  std::size_t size_ = 0;
};

}  // namespace tarn::heap
