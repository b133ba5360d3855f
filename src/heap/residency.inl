// collect_residency of a pool heap. residency.h says what it counts.
#pragma once

#include <bit>

#include "alloc/pool_pages.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

// One pool's blocks against the pages that are resident.
template <typename Geometry>
class PoolResidency {
  // The system's pages may be larger than a pool; then the part of one that a pool lies in.
  static constexpr std::size_t least_page = 4096;
  static constexpr std::size_t most_pages =
      Geometry::pool_size <= least_page ? 1 : Geometry::pool_size / least_page;

 public:
  // `resident`: a byte for each of the arena's pages.
  PoolResidency(const alloc::Pool& pool, const unsigned char* resident, std::size_t offset) noexcept
      : pool_(pool),
        page_(os::page_size() < Geometry::pool_size ? os::page_size() : Geometry::pool_size) {
    for (std::size_t i = 0; i < Geometry::pool_size / page_; ++i) {
      is_resident_[i] = resident[(offset + i * page_) / os::page_size()] != 0;
      bytes_ += is_resident_[i] ? page_ : 0;
    }
  }

  // Resident bytes of the pool.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  // Of a used or full pool.
  void add_blocks_to(Residency& residency) noexcept {
    find_free_blocks();
    std::size_t live = 0;
    std::size_t free = 0;
    const std::size_t carved = pool_.carved();
    const std::size_t first_at = pool_.first_at();
    for (std::size_t index = 0; index < carved; ++index) {
      if (alloc::PoolPages<Geometry>::is_returned(pool_, index)) {
        continue;
      }
      const std::size_t start = first_at + index * pool_.block_size;
      const std::size_t end = start + pool_.block_size;
      if (((is_free_[index / 64] >> (index % 64)) & 1U) != 0) {
        free += resident_between(start, end);
      } else {
        live += resident_between(start, end);
        for (std::size_t page = start >> shift_; page <= (end - 1) >> shift_; ++page) {
          is_live_[page] = true;
        }
      }
    }
    residency.live[static_cast<std::size_t>(pool_.domain)] += live;
    residency.free += free;
    residency.untouched += bytes_ - live - free;
    for (std::size_t page = 0; page < most_pages; ++page) {
      residency.live_pages += is_live_[page] && is_resident_[page] ? page_ : 0;
    }
  }

 private:
  void find_free_blocks() noexcept {
    const std::byte* const start = pool_.start();
    const std::size_t carved = pool_.carved();
    const alloc::Block* block = pool_.freeblock;
    for (std::size_t count = 0; block != nullptr && count < carved; ++count, block = block->next) {
      const std::size_t offset = base::address_of(block) - base::address_of(start);
      if (offset >= carved * pool_.block_size) {
        return;  // damaged: what follows is taken for allocated
      }
      // In 32 bits, where it's quick.
      const std::uint32_t index = static_cast<std::uint32_t>(offset) / pool_.block_size;
      if (index * pool_.block_size != offset) {
        return;
      }
      is_free_[index / 64] |= std::uint64_t{1} << (index % 64);
    }
  }

  [[nodiscard]] std::size_t resident_between(std::size_t start, std::size_t end) const noexcept {
    std::size_t bytes = 0;
    while (start < end) {
      const std::size_t page = start >> shift_;
      const std::size_t page_end = (page + 1) << shift_;
      const std::size_t part_end = page_end < end ? page_end : end;
      bytes += is_resident_[page] ? part_end - start : 0;
      start = part_end;
    }
    return bytes;
  }

  const alloc::Pool& pool_;
  const std::size_t page_;
  const unsigned shift_ = static_cast<unsigned>(std::countr_zero(page_));
  std::size_t bytes_ = 0;
  bool is_resident_[most_pages] = {};
  bool is_live_[most_pages] = {};
  std::uint64_t is_free_[(Geometry::most_blocks_in_pool + 63) / 64] = {};
};

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::collect_residency(Residency& residency) const noexcept {
  arenas_.map().for_each_range([&](const std::byte* start, std::size_t size, alloc::Holds holds) {
    if (holds == alloc::Holds::descriptors) {
      residency.add_descriptors(start, size);
    } else {
      residency.add_range(start, size);
    }
  });
  arenas_.map().for_each([&](const Arena& arena) {
    unsigned char resident[Geometry::arena_size / 4096];  // the smallest page there is
    if (!os::find_resident(arena.address, Geometry::arena_size, resident)) {
      return;
    }
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      const Pool& pool = arena.pools[i];
      PoolResidency<Geometry> of_pool(pool, resident, i * Geometry::pool_size);
      residency.pools += of_pool.bytes();
      if (of_pool.bytes() == 0) {
        continue;
      }
      if (pool.state == PoolState::used || pool.state == PoolState::full) {
        of_pool.add_blocks_to(residency);
      } else {
        residency.empty += of_pool.bytes();
      }
    }
  });
}

}  // namespace tarn::heap
