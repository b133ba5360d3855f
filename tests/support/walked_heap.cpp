#include "support/walked_heap.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace tarn::test {

namespace {

class Collector final : public HeapVisitor {
 public:
  explicit Collector(WalkedHeap& into) : into_(into) {}
  void arena(const ArenaView& view) override { into_.arenas.push_back({view, {}}); }
  void pool(const PoolView& view) override { into_.arenas.back().pools.push_back({view, {}}); }
  void block(const BlockView& view) override {
    into_.arenas.back().pools.back().blocks.push_back(view);
  }

 private:
  WalkedHeap& into_;
};

bool contains(const void* start, std::size_t size, const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(start) < size;
}

bool has_class(PoolState state) { return state == PoolState::used || state == PoolState::full; }

void expect(const std::string& what, std::uint64_t seen, std::uint64_t expected) {
  if (seen != expected) {
    throw std::logic_error(what + ": " + std::to_string(seen) + ", but expected " +
                           std::to_string(expected));
  }
}

// Untouched blocks are the last of a pool, or reach into a page that went back to the system: one in which no
// allocated or free block lies.
void check_untouched(const WalkedPool& pool) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first_page = [&](const BlockView& block) {
    return reinterpret_cast<std::uintptr_t>(block.address) / page;
  };
  const auto last_page = [&](const BlockView& block) {
    return (reinterpret_cast<std::uintptr_t>(block.address) + block.size - 1) / page;
  };
  const std::uintptr_t start = first_page(pool.blocks.front());
  std::vector<bool> pages_in_use(last_page(pool.blocks.back()) - start + 1);
  std::size_t end = 0;  // behind the last that isn't untouched
  for (std::size_t i = 0; i < pool.blocks.size(); ++i) {
    if (pool.blocks[i].state != BlockState::untouched) {
      end = i + 1;
      for (auto at = first_page(pool.blocks[i]); at <= last_page(pool.blocks[i]); ++at) {
        pages_in_use[at - start] = true;
      }
    }
  }
  for (std::size_t i = 0; i < end; ++i) {
    if (pool.blocks[i].state != BlockState::untouched) {
      continue;
    }
    bool reaches = false;
    for (auto at = first_page(pool.blocks[i]); at <= last_page(pool.blocks[i]); ++at) {
      reaches = reaches || !pages_in_use[at - start];
    }
    expect("an untouched block is behind all others, or in a page that went back", reaches, true);
  }
}

void check_pool(const WalkedPool& pool) {
  if (!has_class(pool.view.state)) {
    expect("blocks shown of a pool without a size class", pool.blocks.size(), 0);
    return;
  }
  expect("blocks shown of a pool", pool.blocks.size(), pool.view.blocks);
  expect("allocated blocks of a pool", pool.count(BlockState::allocated), pool.view.allocated);
  expect("untouched blocks of a pool", pool.count(BlockState::untouched), pool.view.untouched);
  expect("a full pool has no other block", pool.view.allocated == pool.view.blocks,
         pool.view.state == PoolState::full);
  const auto* next = static_cast<const std::byte*>(pool.view.first_block);
  const std::ptrdiff_t first_at = next - static_cast<const std::byte*>(pool.view.address);
  expect("the first block lies in the pool's first cache line", first_at >= 0 && first_at < 64,
         true);
  check_untouched(pool);
  for (const BlockView& block : pool.blocks) {
    expect("a block follows the one before it", block.address == next, true);
    expect("a block's size is its pool's", block.size, pool.view.block_size);
    next += block.size;
  }
  expect("the last block ends in the pool",
         next <= static_cast<const std::byte*>(pool.view.address) + pool.view.size, true);
}

void check_arena(const WalkedArena& arena) {
  expect("pools shown of an arena", arena.pools.size(), arena.view.pools);
  expect("nfreepools", arena.count(PoolState::empty) + arena.count(PoolState::untouched),
         arena.view.nfreepools);
  expect("usable with a free pool", arena.view.usable, arena.view.nfreepools != 0);
  const auto* next = static_cast<const std::byte*>(arena.view.address);
  for (const WalkedPool& pool : arena.pools) {
    expect("a pool follows the one before it", pool.view.address == next, true);
    check_pool(pool);
    next += pool.view.size;
  }
  expect("the pools fill the arena",
         next == static_cast<const std::byte*>(arena.view.address) + arena.view.size, true);
}

void check_classes(const WalkedHeap& walked, const HeapStatistics& statistics) {
  for (std::size_t domain = 0; domain < domain_count; ++domain) {
    for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
      const SizeClassStatistics& of_class = statistics.classes[domain][szidx];
      SizeClassStatistics sum = {.block_size = of_class.block_size,
                                 .pools_used = 0,
                                 .pools_full = 0,
                                 .blocks_allocated = 0,
                                 .blocks_free = 0,
                                 .blocks_untouched = 0};
      for (const WalkedPool* pool : walked.pools_of_class(static_cast<Domain>(domain), szidx)) {
        expect("block size of a class", pool->view.block_size, of_class.block_size);
        ++(pool->view.state == PoolState::full ? sum.pools_full : sum.pools_used);
        sum.blocks_allocated += pool->count(BlockState::allocated);
        sum.blocks_free += pool->count(BlockState::free);
        sum.blocks_untouched += pool->count(BlockState::untouched);
      }
      expect("used pools of a class", of_class.pools_used, sum.pools_used);
      expect("full pools of a class", of_class.pools_full, sum.pools_full);
      expect("allocated blocks of a class", of_class.blocks_allocated, sum.blocks_allocated);
      expect("free blocks of a class", of_class.blocks_free, sum.blocks_free);
      expect("untouched blocks of a class", of_class.blocks_untouched, sum.blocks_untouched);
    }
  }
}

void check_tier(std::span<const WalkedArena> arenas, const TierStatistics& statistics) {
  const auto count = [&](PoolState state) {
    std::size_t sum = 0;
    for (const WalkedArena& arena : arenas) {
      sum += arena.count(state);
    }
    return sum;
  };
  const void* before = nullptr;
  for (const WalkedArena& arena : arenas) {
    expect("arenas come in order of addresses", before < arena.view.address, true);
    before = arena.view.address;
    expect("an arena's size is its tier's", arena.view.size, statistics.arena_size);
    expect("an arena is aligned to its size",
           reinterpret_cast<std::uintptr_t>(arena.view.address) % statistics.arena_size, 0);
    check_arena(arena);
  }
  expect("arenas_now", statistics.arenas_now, arenas.size());
  expect("arenas_mapped", statistics.arenas_mapped,
         statistics.arenas_now + statistics.arenas_released);
  expect("arenas_peak covers arenas_now", statistics.arenas_peak >= statistics.arenas_now, true);
  expect("pools_used", statistics.pools_used, count(PoolState::used));
  expect("pools_full", statistics.pools_full, count(PoolState::full));
  expect("pools_empty", statistics.pools_empty, count(PoolState::empty));
  expect("pools_untouched", statistics.pools_untouched, count(PoolState::untouched));
  expect("pools_peak covers the pools in use",
         statistics.pools_peak >= statistics.pools_used + statistics.pools_full, true);
}

}  // namespace

std::size_t WalkedPool::count(BlockState state) const {
  return static_cast<std::size_t>(std::count_if(
      blocks.begin(), blocks.end(), [&](const BlockView& block) { return block.state == state; }));
}

std::size_t WalkedArena::count(PoolState state) const {
  return static_cast<std::size_t>(
      std::count_if(pools.begin(), pools.end(),
                    [&](const WalkedPool& pool) { return pool.view.state == state; }));
}

WalkedHeap::WalkedHeap(const Heap& heap) {
  Collector collector(*this);
  heap.walk(collector);
}

std::size_t WalkedHeap::count(PoolState state) const {
  std::size_t sum = 0;
  for (const WalkedArena& arena : arenas) {
    sum += arena.count(state);
  }
  return sum;
}

const WalkedArena* WalkedHeap::arena_of(const void* address) const {
  for (const WalkedArena& arena : arenas) {
    if (contains(arena.view.address, arena.view.size, address)) {
      return &arena;
    }
  }
  return nullptr;
}

const WalkedPool* WalkedHeap::pool_of(const void* address) const {
  if (const WalkedArena* const arena = arena_of(address)) {
    for (const WalkedPool& pool : arena->pools) {
      if (contains(pool.view.address, pool.view.size, address)) {
        return &pool;
      }
    }
  }
  return nullptr;
}

std::vector<const WalkedPool*> WalkedHeap::pools_of_class(Domain domain, std::size_t szidx) const {
  std::vector<const WalkedPool*> found;
  for (const WalkedArena& arena : arenas) {
    for (const WalkedPool& pool : arena.pools) {
      if (has_class(pool.view.state) && pool.view.domain == domain && pool.view.szidx == szidx) {
        found.push_back(&pool);
      }
    }
  }
  return found;
}

void check_agreement(const WalkedHeap& walked, const HeapStatistics& statistics) {
  const std::size_t small_arenas = static_cast<std::size_t>(std::count_if(
      walked.arenas.begin(), walked.arenas.end(),
      [&](const WalkedArena& arena) { return arena.view.size == statistics.arena_size; }));
  const TierStatistics small = {.arena_size = statistics.arena_size,
                                .pool_size = statistics.pool_size,
                                .request_max = statistics.small_request_max,
                                .arenas_now = statistics.arenas_now,
                                .arenas_peak = statistics.arenas_peak,
                                .arenas_mapped = statistics.arenas_mapped,
                                .arenas_released = statistics.arenas_released,
                                .pools_used = statistics.pools_used,
                                .pools_full = statistics.pools_full,
                                .pools_empty = statistics.pools_empty,
                                .pools_untouched = statistics.pools_untouched,
                                .pools_peak = statistics.pools_peak};
  const auto arenas = std::span(walked.arenas);
  check_tier(arenas.first(small_arenas), small);
  check_tier(arenas.subspan(small_arenas), statistics.medium);
  check_classes(walked, statistics);
}

}  // namespace tarn::test
