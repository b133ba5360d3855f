// What Heap::walk shows, collected.
#pragma once

#include <map>
#include <vector>

#include <tarn/heap.h>

namespace tarn::test {

struct WalkedPool {
  PoolView view;
  std::vector<BlockView> blocks;

  [[nodiscard]] std::size_t count(BlockState state) const;
};

struct WalkedArena {
  ArenaView view;
  std::vector<WalkedPool> pools;

  [[nodiscard]] std::size_t count(PoolState state) const;
};

struct WalkedHeap {
  explicit WalkedHeap(const Heap& heap);

  std::vector<WalkedArena> arenas;

  [[nodiscard]] std::size_t count(PoolState state) const;
  // Null: no pool holds the address.
  [[nodiscard]] const WalkedPool* pool_of(const void* address) const;
  [[nodiscard]] const WalkedArena* arena_of(const void* address) const;
  [[nodiscard]] std::vector<const WalkedPool*> pools_of_class(Domain domain,
                                                              std::size_t szidx) const;
};

// Throws std::logic_error at the first thing in which the walk contradicts itself (order of addresses,
// counts) or the statistics.
void check_agreement(const WalkedHeap& walked, const HeapStatistics& statistics);

}  // namespace tarn::test
