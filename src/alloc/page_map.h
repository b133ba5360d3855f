// The address map where a large reservation is refused: arenas lie anywhere, and a table of two levels
// tells for each arena-sized slice of the address space which arena it is.
//
//   root_ ──► [ leaf ][ leaf ][ null ] …          leaf ──► [ Arena* ][ null ][ Arena* ] …
//             high bits of the address                     middle bits; the low ones are inside the arena
//
//   M1  an entry is null, or the record of the mapped arena that starts at that slice
#pragma once

#include <cstddef>

#include "alloc/arena.h"
#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::alloc {

template <typename Geometry>
class PageMap {
  static constexpr unsigned address_bits = 48;
  static constexpr unsigned leaf_bits = (address_bits - Geometry::arena_shift) / 2;
  static constexpr unsigned root_bits = address_bits - Geometry::arena_shift - leaf_bits;
  static constexpr std::size_t leaf_entries = std::size_t{1} << leaf_bits;
  static constexpr std::size_t root_entries = std::size_t{1} << root_bits;
  static constexpr unsigned root_shift = Geometry::arena_shift + leaf_bits;

 public:
  template <typename Other>
  using For = PageMap<Other>;

  static constexpr AddressMap kind = AddressMap::page_map;

  class Lookup {
   public:
    [[nodiscard]] bool covers(const void* address) const noexcept {
      return arena_of(address) != nullptr;
    }

    // Of an address that is covered.
    [[nodiscard]] Pool* pool_at(const void* address) const noexcept {
      const std::size_t offset = base::address_of(address) & (Geometry::arena_size - 1);
      return arena_of(address)->pools + (offset >> Geometry::pool_shift);
    }

   private:
    friend class PageMap;

    [[nodiscard]] Arena* arena_of(const void* address) const noexcept {
      const std::uintptr_t bits = base::address_of(address);
      if ((bits >> root_shift) >= entries_) [[unlikely]] {
        return nullptr;
      }
      Arena** const leaf = root_[bits >> root_shift];
      return leaf == nullptr ? nullptr : leaf[(bits >> Geometry::arena_shift) % leaf_entries];
    }

    Arena*** root_ = nullptr;
    std::size_t entries_ = 0;  // zero in a lookup that knows no address
  };

  // The arguments are the other map's.
  template <typename... Arguments>
  [[nodiscard]] bool open(Arguments...) noexcept {
    lookup_.root_ = static_cast<Arena***>(os::map(root_size(), os::page_size()));
    if (lookup_.root_ == nullptr) {
      return false;
    }
    lookup_.entries_ = root_entries;
    return true;
  }

  // There are none: arenas are mapped one by one.
  static std::size_t give_up_unused() noexcept { return 0; }
  void close() noexcept {
    for (std::size_t i = first_leaf_; i <= last_leaf_; ++i) {
      Arena** const leaf = lookup_.root_[i];
      for (std::size_t j = 0; leaf != nullptr && j < leaf_entries; ++j) {
        if (leaf[j] != nullptr) {
          os::release(leaf[j]->address, Geometry::arena_size);
          os::release(leaf[j]->pools, record_size());
        }
      }
      if (leaf != nullptr) {
        os::release(leaf, leaf_size());
      }
    }
    while (unused_ != nullptr) {
      Arena* const record = unused_;
      unused_ = record->next;
      os::release(pools_of(*record), record_size());
    }
    os::release(lookup_.root_, root_size());
    *this = PageMap();
  }

  [[nodiscard]] const Lookup& lookup() const noexcept { return lookup_; }

  [[nodiscard]] Arena* map_arena() noexcept {
    Arena* const arena = take_record();
    if (arena == nullptr) {
      return nullptr;
    }
    Pool* const pools = pools_of(*arena);
    auto* const address =
        static_cast<std::byte*>(os::map(Geometry::arena_size, Geometry::arena_size));
    Arena** const entry = address == nullptr ? nullptr : make_entry(address);
    if (entry == nullptr) {
      if (address != nullptr) {
        os::release(address, Geometry::arena_size);
      }
      arena->next = unused_;
      unused_ = arena;
      return nullptr;
    }
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      pools[i] = Pool{};
    }
    *arena = Arena{};
    arena->address = address;
    arena->pools = pools;
    *entry = arena;
    return arena;
  }

  // In three steps, so that no lock need be held at the second, which calls the system. The first comes
  // before it, since others may get the addresses at once.
  [[nodiscard]] UnmappedArena begin_unmap(Arena& arena) noexcept {
    const std::uintptr_t bits = base::address_of(arena.address);
    lookup_.root_[bits >> root_shift][(bits >> Geometry::arena_shift) % leaf_entries] = nullptr;
    const UnmappedArena memory = {&arena, arena.address, arena.pools};
    arena = Arena{};
    return memory;
  }
  static void unmap_memory(const UnmappedArena& memory) noexcept {
    os::release(memory.address, Geometry::arena_size);
  }
  void end_unmap(const UnmappedArena& memory) noexcept {
    memory.record->next = unused_;
    unused_ = memory.record;
  }

  [[nodiscard]] Arena* find_arena(const void* address) const noexcept {
    return lookup_.arena_of(address);
  }

  // Where arenas lie, and where what is known of them lies: visit(start, size, Holds).
  template <typename Visit>
  void for_each_range(Visit visit) const noexcept {
    const auto bytes = [](const void* start) noexcept {
      return static_cast<const std::byte*>(start);
    };
    visit(bytes(lookup_.root_), root_size(), Holds::descriptors);
    for (std::size_t i = first_leaf_; i <= last_leaf_; ++i) {
      if (lookup_.root_[i] != nullptr) {
        visit(bytes(lookup_.root_[i]), leaf_size(), Holds::descriptors);
      }
    }
    for_each(
        [&](const Arena& arena) { visit(arena.address, Geometry::arena_size, Holds::arenas); });
    for_each(
        [&](const Arena& arena) { visit(bytes(arena.pools), record_size(), Holds::descriptors); });
    for (Arena* record = unused_; record != nullptr; record = record->next) {
      visit(bytes(pools_of(*record)), record_size(), Holds::descriptors);
    }
  }

  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (std::size_t i = first_leaf_; i <= last_leaf_; ++i) {
      Arena** const leaf = lookup_.root_[i];
      for (std::size_t j = 0; leaf != nullptr && j < leaf_entries; ++j) {
        if (leaf[j] != nullptr) {
          visit(*leaf[j]);
        }
      }
    }
  }

 private:
  // An arena's descriptors and, behind them, its record are one mapping.
  static constexpr std::size_t pools_size = Geometry::pools_per_arena * sizeof(Pool);

  [[nodiscard]] static std::size_t record_size() noexcept {
    return base::round_up(pools_size + sizeof(Arena), os::page_size());
  }
  [[nodiscard]] static std::size_t root_size() noexcept {
    return base::round_up(root_entries * sizeof(Arena**), os::page_size());
  }
  [[nodiscard]] static std::size_t leaf_size() noexcept {
    return base::round_up(leaf_entries * sizeof(Arena*), os::page_size());
  }
  [[nodiscard]] static Pool* pools_of(Arena& record) noexcept {
    return reinterpret_cast<Pool*>(reinterpret_cast<std::byte*>(&record) - pools_size);
  }

  [[nodiscard]] Arena* take_record() noexcept {
    if (unused_ != nullptr) {
      Arena* const record = unused_;
      unused_ = record->next;
      return record;
    }
    auto* const memory = static_cast<std::byte*>(os::map(record_size(), os::page_size()));
    return memory == nullptr ? nullptr : reinterpret_cast<Arena*>(memory + pools_size);
  }

  // The table's entry for the address; null: no memory for its leaf.
  [[nodiscard]] Arena** make_entry(const std::byte* address) noexcept {
    const std::uintptr_t bits = base::address_of(address);
    const std::size_t index = bits >> root_shift;
    if (index >= root_entries) {
      return nullptr;
    }
    Arena**& leaf = lookup_.root_[index];
    if (leaf == nullptr) {
      leaf = static_cast<Arena**>(os::map(leaf_size(), os::page_size()));
      if (leaf == nullptr) {
        return nullptr;
      }
      first_leaf_ = index < first_leaf_ ? index : first_leaf_;
      last_leaf_ = index > last_leaf_ ? index : last_leaf_;
    }
    return leaf + (bits >> Geometry::arena_shift) % leaf_entries;
  }

  Lookup lookup_;
  Arena* unused_ = nullptr;
  // The part of the root with leaves, so that a walk needn't read all of it. Empty: first > last.
  std::size_t first_leaf_ = root_entries;
  std::size_t last_leaf_ = 0;
};

}  // namespace tarn::alloc
