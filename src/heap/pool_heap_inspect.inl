// Looking at a heap without changing it: verify, walk, statistics.
#pragma once

#include "alloc/pool_pages.h"
#include "base/assert.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

template <typename Geometry, typename Map, typename Fill, typename Below>
const alloc::Pool* PoolHeap<Geometry, Map, Fill, Below>::find_pool(
    const void* address) const noexcept {
  const Arena* const arena = arenas_.map().find_arena(address);
  if (arena == nullptr) {
    return nullptr;
  }
  const std::size_t offset = base::address_of(address) - base::address_of(arena->address);
  return arena->pools + offset / Geometry::pool_size;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
Surroundings PoolHeap<Geometry, Map, Fill, Below>::surroundings_of(
    const void* address) const noexcept {
  const Pool* const pool = find_pool(address);
  if (pool == nullptr || (pool->state != PoolState::used && pool->state != PoolState::full)) {
    return {0, 0};
  }
  const std::size_t allocated = pool->allocated();
  const std::size_t gone = alloc::PoolPages<Geometry>::returned_blocks(*pool);
  return {allocated, (pool->carved() - gone - allocated) * pool->block_size};
}

template <typename Geometry, typename Map, typename Fill, typename Below>
BlockState PoolHeap<Geometry, Map, Fill, Below>::state_of(const Pool& pool,
                                                          const std::byte* block) noexcept {
  if (block >= pool.untouched) {
    return BlockState::untouched;
  }
  const std::byte* const start = pool.start();
  if (alloc::PoolPages<Geometry>::is_returned(
          pool, static_cast<std::size_t>(block - start) / pool.block_size)) {
    return BlockState::untouched;
  }
  const alloc::Block* link = pool.freeblock;
  for (std::size_t i = 0; i < pool.blocks && link != nullptr; ++i, link = link->next) {
    const std::size_t offset = base::address_of(link) - base::address_of(start);
    if (offset >= static_cast<std::size_t>(pool.untouched - start) ||
        offset % pool.block_size != 0) {
      break;
    }
    if (base::address_of(link) == base::address_of(block)) {
      return BlockState::free;
    }
  }
  return BlockState::allocated;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
template <typename Visit>
void PoolHeap<Geometry, Map, Fill, Below>::for_each_block(const Pool& pool, Visit visit) noexcept {
  // One bit for each block that is on freeblock.
  constexpr std::size_t words = (Geometry::most_blocks_in_pool + 63) / 64;
  std::uint64_t is_free[words] = {};
  const std::byte* const start = pool.start();
  std::size_t free = 0;
  for (const alloc::Block* block = pool.freeblock; block != nullptr; block = block->next) {
    const std::size_t offset = base::address_of(block) - base::address_of(start);
    TARN_CHECK(block, >=, reinterpret_cast<const alloc::Block*>(start),
               "P2: a free block lies in its pool");
    TARN_CHECK(block, <, reinterpret_cast<const alloc::Block*>(pool.untouched),
               "P2: a free block lies in the carved part");
    TARN_CHECK(offset % pool.block_size, ==, 0U, "P2: a free block starts where a block starts");
    const std::size_t index = offset / pool.block_size;
    TARN_CHECK((is_free[index / 64] >> (index % 64)) & 1U, ==, 0U, "P2: no block is free twice");
    is_free[index / 64] |= std::uint64_t{1} << (index % 64);
    ++free;
    TARN_CHECK(free, <=, pool.blocks, "P2: freeblock is no ring");
  }
  for (std::size_t index = 0; index < pool.blocks; ++index) {
    const std::byte* const block = start + index * pool.block_size;
    if (block >= pool.untouched || alloc::PoolPages<Geometry>::is_returned(pool, index)) {
      TARN_CHECK((is_free[index / 64] >> (index % 64)) & 1U, ==, 0U,
                 "G1: no free block reaches into a page that went back");
      visit(block, BlockState::untouched);
    } else if (((is_free[index / 64] >> (index % 64)) & 1U) != 0) {
      visit(block, BlockState::free);
    } else {
      visit(block, BlockState::allocated);
    }
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::verify_pool(const Pool& pool) const noexcept {
  TARN_CHECK(pool.szidx, <, Geometry::size_classes, "a pool has a size class");
  TARN_CHECK(pool.block_size, ==, Geometry::block_size_of(pool.szidx), "the class's block size");
  const std::size_t first_at = first_block_at(pool.domain, pool.block_size);
  TARN_CHECK(pool.blocks, ==, (Geometry::pool_size - first_at) / pool.block_size,
             "the class's blocks");
  TARN_CHECK(pool.start(), ==, arenas_.address_of(pool) + first_at, "the blocks fill the pool");
  std::size_t count[3] = {};
  for_each_block(pool,
                 [&](const std::byte*, BlockState state) { ++count[static_cast<int>(state)]; });
  TARN_CHECK(count[static_cast<int>(BlockState::allocated)], ==, pool.allocated(),
             "P1, P3: blocks = allocated + free + untouched");
  TARN_CHECK(std::size_t{pool.returned} >> ((first_at + pool.carved() * pool.block_size) /
                                            alloc::PoolPages<Geometry>::page_size()),
             ==, 0U, "G2: returned pages lie before untouched");
  if (pool.state == PoolState::full) {
    TARN_CHECK(pool.changes_at, ==, pool.blocks - 1, "P4: a full pool changes at the next free");
    TARN_CHECK(pool.allocated(), ==, pool.blocks, "P4: a full pool has no other block");
    TARN_CHECK(pool.next, ==, nullptr, "a full pool is linked nowhere");
    TARN_CHECK(pool.previous, ==, nullptr, "a full pool is linked nowhere");
  } else {
    TARN_CHECK(static_cast<int>(pool.allocated()), >, pool.changes_at,
               "P5: a used pool hasn't reached its next change");
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::verify() const noexcept {
  std::size_t used = 0;
  arenas_.verify([&](const Pool& pool) {
    TARN_CHECK(pool.state == PoolState::used || pool.state == PoolState::full, ==, true,
               "a taken pool is used or full");
    verify_pool(pool);
    used += pool.state == PoolState::used && !pool.is_away() ? 1U : 0U;
  });
  std::size_t linked = 0;
  for (const DomainType& domain : domains_) {
    linked += domain.usedpools_.verify([&](const Pool& pool, std::size_t szidx) {
      TARN_CHECK(find_pool(arenas_.address_of(pool)), ==, &pool,
                 "H1: a linked pool is in an arena");
      TARN_CHECK(pool.state, ==, PoolState::used, "H1: usedpools holds used pools");
      TARN_CHECK(pool.szidx, ==, szidx, "H1: usedpools holds the class's pools");
      TARN_CHECK(pool.domain, ==, domain.domain_, "H1: usedpools holds the domain's pools");
      TARN_CHECK(pool.is_kept() && (pool.next != nullptr || pool.previous != nullptr), ==, false,
                 "H2: a kept pool is alone in its list");
    });
  }
  TARN_CHECK(linked, ==, used, "H1: every used pool is linked");
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::walk(HeapVisitor& visitor) const noexcept {
  arenas_.map().for_each([&](const Arena& arena) {
    visitor.arena({.address = arena.address,
                   .size = Geometry::arena_size,
                   .pools = Geometry::pools_per_arena,
                   .nfreepools = arena.nfreepools,
                   .usable = arena.nfreepools != 0});
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      const Pool& pool = arena.pools[i];
      PoolView view = {};
      view.address = arena.address + i * Geometry::pool_size;
      view.size = Geometry::pool_size;
      view.state = pool.state;
      if (pool.state != PoolState::used && pool.state != PoolState::full) {
        visitor.pool(view);
        continue;
      }
      view.domain = pool.domain;
      view.szidx = Geometry::first_szidx + pool.szidx;
      view.block_size = pool.block_size;
      view.blocks = pool.blocks;
      view.allocated = pool.allocated();
      view.untouched = pool.untouched_blocks + alloc::PoolPages<Geometry>::returned_blocks(pool);
      view.freeblock = pool.freeblock;
      view.first_untouched = pool.untouched;
      view.first_block = pool.start();
      if (view.allocated == view.blocks) {
        view.state = PoolState::full;  // also the one that nobody has noticed yet
      }
      visitor.pool(view);
      for_each_block(pool, [&](const std::byte* block, BlockState state) {
        visitor.block({.address = block, .size = pool.block_size, .state = state});
      });
    }
  });
  arenas_.for_each_usable([&](const Arena& arena) { visitor.usable_arena(arena.address); });
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::collect_statistics(
    HeapStatistics& statistics) const noexcept {
  statistics = {};
  statistics.geometry = Geometry::name;
  statistics.address_map = Map::kind;
  statistics.arena_size = Geometry::arena_size;
  statistics.pool_size = Geometry::pool_size;
  statistics.alignment = Geometry::alignment;
  statistics.small_request_max = Geometry::small_request_max;
  statistics.size_classes = Geometry::first_szidx + Geometry::size_classes;

  const auto& counters = arenas_.counters();
  statistics.arenas_now = counters.now;
  statistics.arenas_peak = counters.peak;
  statistics.arenas_mapped = counters.mapped;
  statistics.arenas_released = counters.released;
  statistics.pools_peak = counters.pools_peak;

  for (std::size_t szidx = 0; szidx < Geometry::size_classes; ++szidx) {
    for (auto& classes : statistics.classes) {
      classes[Geometry::first_szidx + szidx].block_size = Geometry::block_size_of(szidx);
    }
  }
  arenas_.map().for_each([&](const Arena& arena) {
    statistics.pools_untouched += Geometry::pools_per_arena - arena.first_untouched;
    for (std::size_t i = 0; i < arena.first_untouched; ++i) {
      const Pool& pool = arena.pools[i];
      if (pool.state == PoolState::empty) {
        ++statistics.pools_empty;
        continue;
      }
      const std::size_t allocated = pool.allocated();
      const bool is_full = allocated == pool.blocks;
      auto& of_class =
          statistics
              .classes[static_cast<std::size_t>(pool.domain)][Geometry::first_szidx + pool.szidx];
      ++(is_full ? statistics.pools_full : statistics.pools_used);
      ++(is_full ? of_class.pools_full : of_class.pools_used);
      of_class.blocks_allocated += allocated;
      const std::size_t untouched =
          pool.untouched_blocks + alloc::PoolPages<Geometry>::returned_blocks(pool);
      of_class.blocks_untouched += untouched;
      of_class.blocks_free += pool.blocks - allocated - untouched;
    }
  });
}

}  // namespace tarn::heap
