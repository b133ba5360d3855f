// The address map over one reserved range of addresses: whose is it, which pool is it in, are a
// subtraction, a comparison and a shift.
//
//   base_                                            descriptors_             records_
//     │ arena 0 │ arena 1 │ arena 2 │ …  │ arena n-1 │ Pool Pool Pool …       │ Arena Arena … │
//     └── committed, arena by arena ──┘              └── committed with their arena ──────────┘
//
//   R1  arenas up to high_water_ have a record; those not mapped are on unused_
//   R2  pool i of the range has descriptor i
#pragma once

#include <cstddef>

#include "alloc/arena.h"
#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::alloc {

// `whole`: all the addresses asked for, or none, so that a limit on addresses isn't eaten up by a
// reservation that just fits under it.
enum class Reservation : unsigned char { whole, halved };

template <typename Geometry>
class ReservedRange {
 public:
  template <typename Other>
  using For = ReservedRange<Other>;

  static constexpr AddressMap kind = AddressMap::range;

  // What the hot path needs, small enough to be copied next to it.
  class Lookup {
   public:
    [[nodiscard]] bool covers(const void* address) const noexcept {
      return base::address_of(address) - base_ < span_;
    }

    // Of an address that is covered, and that a heap handed out: the descriptors of an arena that was
    // never mapped can't be touched.
    [[nodiscard]] Pool* pool_at(const void* address) const noexcept {
      // Without a subtraction, which would stand between a block and its pool in each free.
      return reinterpret_cast<Pool*>(descriptors_of_zero_ +
                                     (base::address_of(address) >> Geometry::pool_shift) *
                                         sizeof(Pool));
    }

   private:
    friend class ReservedRange;
    std::uintptr_t base_ = 0;
    std::size_t span_ = 0;
    std::uintptr_t descriptors_of_zero_ = 0;  // where address zero's descriptor would lie
  };

  // `bytes` are rounded up to whole arenas. False: refused; with Reservation::halved, down to
  // what is worth it.
  [[nodiscard]] bool open(std::size_t bytes,
                          Reservation reservation = Reservation::halved) noexcept {
    std::size_t count = bytes / Geometry::arena_size;
    count += bytes % Geometry::arena_size != 0 || count == 0 ? 1U : 0U;
    const std::size_t least =
        reservation == Reservation::whole || count < least_arenas ? count : least_arenas;
    for (std::size_t part = count; part >= least; part /= 2) {
      if (reserve(part)) {
        if (part != count && part / 2 >= least) {
          // What was granted under a limit is half of what is left, or more: the rest is for others.
          close();
          return reserve(part / 2);
        }
        return true;
      }
    }
    return false;
  }

  void close() noexcept {
    if (is_cut_) {
      const Parts parts = parts_of(capacity_);
      os::release(reinterpret_cast<void*>(lookup_.base_), parts.arenas);
      os::release(descriptors_, parts.descriptors);
      os::release(records_, parts.records);
    } else {
      os::release(reinterpret_cast<void*>(lookup_.base_), total_size(capacity_));
    }
    *this = ReservedRange();
  }

  // Gives back the addresses in which no arena ever was: others may have them from now on, and no further
  // arena comes. Every copy of the lookup must be made anew. Returns how many bytes.
  std::size_t give_up_unused() noexcept {
    if (is_cut_ || capacity_ == 0) {
      return 0;
    }
    const Parts whole = parts_of(capacity_);
    const Parts kept = parts_of(high_water_ == 0 ? 1 : high_water_);
    release_behind(reinterpret_cast<std::byte*>(lookup_.base_), kept.arenas, whole.arenas);
    release_behind(reinterpret_cast<std::byte*>(descriptors_), kept.descriptors, whole.descriptors);
    release_behind(reinterpret_cast<std::byte*>(records_), kept.records, whole.records);
    capacity_ = high_water_ == 0 ? 1 : high_water_;
    lookup_.span_ = kept.arenas;
    is_cut_ = true;
    return whole.arenas + whole.descriptors + whole.records - kept.arenas - kept.descriptors -
           kept.records;
  }

  [[nodiscard]] const Lookup& lookup() const noexcept { return lookup_; }

  // A mapped arena with zeroed descriptors; null: the range is used up, or there's no memory.
  [[nodiscard]] Arena* map_arena() noexcept {
    Arena* arena = unused_;
    if (arena == nullptr) {
      if (high_water_ == capacity_ || !commit_around(records_ + high_water_, sizeof(Arena))) {
        return nullptr;
      }
      arena = records_ + high_water_;
    }
    const auto index = static_cast<std::size_t>(arena - records_);
    auto* const address =
        reinterpret_cast<std::byte*>(lookup_.base_ + index * Geometry::arena_size);
    Pool* const pools = descriptors_ + index * Geometry::pools_per_arena;
    if (!os::commit(address, Geometry::arena_size)) {
      return nullptr;
    }
    if (!commit_around(pools, pools_size)) {
      os::decommit(address, Geometry::arena_size);
      return nullptr;
    }
    if (arena == unused_) {
      unused_ = arena->next;
    } else {
      ++high_water_;
    }
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      pools[i] = Pool{};
    }
    *arena = Arena{};
    arena->address = address;
    arena->pools = pools;
    return arena;
  }

  // In three steps, so that no lock need be held at the second, which calls the system.
  [[nodiscard]] UnmappedArena begin_unmap(Arena& arena) noexcept {
    const UnmappedArena memory = {&arena, arena.address, arena.pools};
    arena = Arena{};
    return memory;
  }
  static void unmap_memory(const UnmappedArena& memory) noexcept {
    os::decommit(memory.address, Geometry::arena_size);
    if constexpr (pools_size % 4096 == 0) {
      if (pools_size % os::page_size() == 0) {
        os::decommit(memory.pools, pools_size);
      }
    }
  }
  void end_unmap(const UnmappedArena& memory) noexcept {
    memory.record->next = unused_;
    unused_ = memory.record;
  }

  // The mapped arena that holds the address; null if there is none. Any address is allowed.
  [[nodiscard]] Arena* find_arena(const void* address) const noexcept {
    const std::size_t offset = base::address_of(address) - lookup_.base_;
    const std::size_t index = offset >> Geometry::arena_shift;
    if (offset >= lookup_.span_ || index >= high_water_ || !records_[index].is_mapped()) {
      return nullptr;
    }
    return records_ + index;
  }

  // Where arenas lie and lay, and where what is known of them lies: visit(start, size, Holds).
  template <typename Visit>
  void for_each_range(Visit visit) const noexcept {
    const std::size_t page = os::page_size();
    visit(reinterpret_cast<const std::byte*>(lookup_.base_), high_water_ * Geometry::arena_size,
          Holds::arenas);
    visit(reinterpret_cast<const std::byte*>(descriptors_),
          base::round_up(high_water_ * pools_size, page), Holds::descriptors);
    visit(reinterpret_cast<const std::byte*>(records_),
          base::round_up(high_water_ * sizeof(Arena), page), Holds::descriptors);
  }

  // Each mapped arena, in order of addresses.
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (std::size_t index = 0; index < high_water_; ++index) {
      if (records_[index].is_mapped()) {
        visit(records_[index]);
      }
    }
  }

 private:
  static constexpr std::size_t least_bytes = std::size_t{16} << 20;
  static constexpr std::size_t least_arenas =
      least_bytes > Geometry::arena_size ? least_bytes / Geometry::arena_size : 1;

  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    void* const start = os::reserve(total_size(count), alignment());
    if (start == nullptr) {
      return false;
    }
    auto* const first = static_cast<std::byte*>(start);
    lookup_.base_ = base::address_of(start);
    lookup_.span_ = count * Geometry::arena_size;
    descriptors_ = reinterpret_cast<Pool*>(first + lookup_.span_);
    lookup_.descriptors_of_zero_ =
        base::address_of(descriptors_) - (lookup_.base_ >> Geometry::pool_shift) * sizeof(Pool);
    records_ = reinterpret_cast<Arena*>(first + lookup_.span_ + descriptors_size(count));
    capacity_ = count;
    return true;
  }
  static constexpr std::size_t pools_size = Geometry::pools_per_arena * sizeof(Pool);

  struct Parts {
    std::size_t arenas;
    std::size_t descriptors;
    std::size_t records;
  };
  [[nodiscard]] static Parts parts_of(std::size_t arenas) noexcept {
    return {arenas * Geometry::arena_size, descriptors_size(arenas),
            base::round_up(arenas * sizeof(Arena), os::page_size())};
  }
  static void release_behind(std::byte* start, std::size_t kept, std::size_t whole) noexcept {
    if (kept != whole) {
      os::release(start + kept, whole - kept);
    }
  }
  [[nodiscard]] static std::size_t descriptors_size(std::size_t arenas) noexcept {
    return base::round_up(arenas * pools_size, os::page_size());
  }
  [[nodiscard]] static std::size_t total_size(std::size_t arenas) noexcept {
    return arenas * Geometry::arena_size + descriptors_size(arenas) +
           base::round_up(arenas * sizeof(Arena), os::page_size());
  }
  // Of a large page, so that arenas and large pages agree.
  [[nodiscard]] static std::size_t alignment() noexcept {
    constexpr std::size_t large_page = std::size_t{2} * 1024 * 1024;
    return Geometry::arena_size > large_page ? Geometry::arena_size : large_page;
  }

  // Descriptors of neighbours may share a page; committing it twice does no harm.
  [[nodiscard]] static bool commit_around(void* address, std::size_t size) noexcept {
    const std::uintptr_t start = base::round_down(base::address_of(address), os::page_size());
    const std::uintptr_t end = base::round_up(base::address_of(address) + size, os::page_size());
    return os::commit(reinterpret_cast<void*>(start), end - start);
  }

  Lookup lookup_;
  Pool* descriptors_ = nullptr;
  Arena* records_ = nullptr;
  Arena* unused_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t high_water_ = 0;
  bool is_cut_ = false;  // there's nothing behind the parts of capacity_ arenas
};

}  // namespace tarn::alloc
