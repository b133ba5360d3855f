// The live blocks that were recorded: address ──► what is known of it. A hash table with open addressing and
// linear probing in pages of its own, which doubles at three quarters full, up to `most` blocks. A block that is
// taken out leaves no mark: those behind it move up (Knuth, 6.4, algorithm R).
//
//   R1  between a block's home (its address's hash) and where it is, no slot is empty
//   R2  no address is there twice
//
// Not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/sampling.h"

namespace tarn::sites {

class RecordedBlocks {
 public:
  struct Entry {
    std::uintptr_t address;  // zero: empty
    std::uint64_t size;
    std::uint64_t counted;
    std::uint32_t site;
    std::uint32_t domain;
  };
  static_assert(sizeof(Entry) == 32);

  static constexpr std::size_t most = std::size_t{768} * 1024;

  constexpr RecordedBlocks() noexcept = default;
  RecordedBlocks(const RecordedBlocks&) = delete;
  RecordedBlocks& operator=(const RecordedBlocks&) = delete;
  void close() noexcept;

  // What is there at the address already is replaced. False: there are too many, or the system has no memory.
  [[nodiscard]] bool insert(const Entry& entry) noexcept;
  // Null: it isn't there.
  [[nodiscard]] const Entry* find(std::uintptr_t address) const noexcept;
  // False: it wasn't there.
  bool remove(std::uintptr_t address, Entry& removed) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // In no order.
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (std::size_t i = 0; i < capacity_; ++i) {
      if (entries_[i].address != 0) {
        visit(entries_[i]);
      }
    }
  }

  void verify() const noexcept;

 private:
  static constexpr std::size_t least_capacity = 1024;

  [[nodiscard]] std::size_t home_of(std::uintptr_t address) const noexcept;
  [[nodiscard]] std::size_t slot_of(std::uintptr_t address) const noexcept;
  [[nodiscard]] bool grow() noexcept;

  Entry* entries_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace tarn::sites
