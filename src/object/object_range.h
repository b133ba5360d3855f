// The object heap's address map: a reserved range of arenas, and with each arena its side tables.
#pragma once

#include "alloc/reserved_range.h"
#include "object/side_tables.h"

namespace tarn::object {

class ObjectRange {
  using Range = alloc::ReservedRange<ObjectGeometry>;

 public:
  static constexpr AddressMap kind = AddressMap::range;
  using Lookup = Range::Lookup;

  [[nodiscard]] bool open(std::size_t bytes) noexcept {
    if (!range_.open(bytes)) {
      return false;
    }
    range_.for_each_range([&](const std::byte* start, std::size_t, alloc::Holds holds) {
      base_ = holds == alloc::Holds::arenas ? base::address_of(start) : base_;
    });
    // What was granted may be less than asked for.
    span_ = bytes;
    while (!lookup().covers(reinterpret_cast<const void*>(base_ + span_ - 1))) {
      span_ /= 2;
    }
    span_ = base::round_up(span_, ObjectGeometry::arena_size);
    if (!sides_.open(base_, span_ / ObjectGeometry::arena_size)) {
      range_.close();
      return false;
    }
    return true;
  }
  void close() noexcept {
    sides_.close();
    range_.close();
  }

  [[nodiscard]] const Lookup& lookup() const noexcept { return range_.lookup(); }
  [[nodiscard]] const SideTables& sides() const noexcept { return sides_; }
  [[nodiscard]] std::uintptr_t base() const noexcept { return base_; }
  [[nodiscard]] std::size_t span() const noexcept { return span_; }

  [[nodiscard]] alloc::Arena* map_arena() noexcept {
    alloc::Arena* const arena = range_.map_arena();
    if (arena != nullptr && !sides_.commit(arena->address)) {
      const alloc::UnmappedArena memory = range_.begin_unmap(*arena);
      Range::unmap_memory(memory);
      range_.end_unmap(memory);
      return nullptr;
    }
    return arena;
  }
  [[nodiscard]] alloc::UnmappedArena begin_unmap(alloc::Arena& arena) noexcept {
    return range_.begin_unmap(arena);
  }
  void unmap_memory(const alloc::UnmappedArena& memory) noexcept {
    sides_.decommit(memory.address);
    Range::unmap_memory(memory);
  }
  void end_unmap(const alloc::UnmappedArena& memory) noexcept { range_.end_unmap(memory); }

  [[nodiscard]] alloc::Arena* find_arena(const void* address) const noexcept {
    return range_.find_arena(address);
  }
  template <typename Visit>
  void for_each_range(Visit visit) const noexcept {
    range_.for_each_range(visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    range_.for_each(visit);
  }

 private:
  Range range_;
  SideTables sides_;
  std::uintptr_t base_ = 0;
  std::size_t span_ = 0;
};

}  // namespace tarn::object
