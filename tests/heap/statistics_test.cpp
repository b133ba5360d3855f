// statistics, walk, owns and release_empty_arenas, against each other.

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

class LookingAtAHeap : public testing::TestWithParam<Combination> {
 protected:
  LookingAtAHeap() : heap_(GetParam().options()) {}

  [[nodiscard]] std::size_t overhead() const {
    return GetParam().checks == Checks::debug ? debug_overhead : 0;
  }
  // A size of which the pool's block is exactly the given one.
  [[nodiscard]] std::size_t filling(std::size_t block_size) const {
    return block_size - overhead();
  }

  Heap heap_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, LookingAtAHeap, testing::ValuesIn(all_combinations()),
                         NameOfCombination());

TEST_P(LookingAtAHeap, TellsWhatWasChosen) {
  const HeapStatistics statistics = heap_.statistics();
  EXPECT_EQ(statistics.geometry, GetParam().geometry);
  EXPECT_EQ(statistics.address_map, GetParam().address_map);
  EXPECT_EQ(statistics.checks, GetParam().checks);
  EXPECT_EQ(statistics.synchronisation, GetParam().synchronisation);
  EXPECT_EQ(statistics.small_request_max, 512U);
  const std::size_t small = 512 / statistics.alignment;
  for (std::size_t szidx = 0; szidx < small; ++szidx) {
    EXPECT_EQ(statistics.classes[0][szidx].block_size, (szidx + 1) * statistics.alignment);
  }
  if (GetParam().geometry != Geometry::tarn || GetParam().checks != Checks::none) {
    EXPECT_EQ(statistics.size_classes, small);
    EXPECT_EQ(statistics.medium.arena_size, 0U);
    return;
  }
  EXPECT_EQ(statistics.medium.request_max, 32768U);
  EXPECT_EQ(statistics.size_classes, small + 24);
  for (std::size_t szidx = small; szidx < statistics.size_classes; ++szidx) {
    const std::size_t before = statistics.classes[0][szidx - 1].block_size;
    EXPECT_GT(statistics.classes[0][szidx].block_size, before);
    EXPECT_LE(4 * statistics.classes[0][szidx].block_size, 5 * before);
  }
}

TEST_P(LookingAtAHeap, ShowsNothingBeforeTheFirstRequest) {
  const HeapStatistics statistics = heap_.statistics();
  EXPECT_EQ(statistics.arenas_mapped, 0U);
  EXPECT_EQ(statistics.pools_peak, 0U);
  EXPECT_TRUE(WalkedHeap(heap_).arenas.empty());
  heap_.verify();
}

TEST_P(LookingAtAHeap, CountsBlocksOfAClassByState) {
  std::vector<void*> blocks;
  for (int i = 0; i < 5; ++i) {
    blocks.push_back(heap_.allocate(filling(96), Domain::mem));
  }
  heap_.free(blocks[1], Domain::mem);
  heap_.free(blocks[3], Domain::mem);
  const HeapStatistics statistics = heap_.statistics();
  const SizeClassStatistics& of_class =
      statistics.classes[static_cast<std::size_t>(Domain::mem)][96 / statistics.alignment - 1];
  EXPECT_EQ(of_class.blocks_allocated, 3U);
  EXPECT_EQ(of_class.blocks_free, 2U);
  EXPECT_EQ(of_class.blocks_untouched, statistics.pool_size / 96 - 5);
  EXPECT_EQ(of_class.pools_used, 1U);
  EXPECT_EQ(of_class.pools_full, 0U);
  EXPECT_EQ(statistics.pools_used, 1U);
  EXPECT_EQ(statistics.pools_untouched, statistics.arena_size / statistics.pool_size - 1);
  check_agreement(WalkedHeap(heap_), statistics);
}

TEST_P(LookingAtAHeap, ShowsWhichBlocksAreAllocatedFreeAndUntouched) {
  void* const first = heap_.allocate(filling(64));
  void* const second = heap_.allocate(filling(64));
  heap_.free(first);
  const WalkedHeap walked(heap_);
  const WalkedPool* const pool = walked.pool_of(second);
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(pool->view.domain, Domain::obj);
  EXPECT_EQ(pool->view.block_size, 64U);
  EXPECT_EQ(pool->blocks[0].state, BlockState::free);
  EXPECT_EQ(pool->blocks[1].state, BlockState::allocated);
  EXPECT_EQ(pool->blocks[2].state, BlockState::untouched);
  EXPECT_EQ(pool->view.freeblock, pool->blocks[0].address);
  heap_.free(second);
}

TEST_P(LookingAtAHeap, CountsThePoolThatHasRunFullAsFull) {
  const HeapStatistics empty = heap_.statistics();
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < empty.pool_size / 256; ++i) {
    blocks.push_back(heap_.allocate(filling(256)));
  }
  HeapStatistics statistics = heap_.statistics();
  EXPECT_EQ(statistics.pools_full, 1U);
  EXPECT_EQ(statistics.pools_used, 0U);
  check_agreement(WalkedHeap(heap_), statistics);
  heap_.free(blocks[0]);
  statistics = heap_.statistics();
  EXPECT_EQ(statistics.pools_full, 0U);
  EXPECT_EQ(statistics.pools_used, 1U);
}

TEST_P(LookingAtAHeap, CountsLargeBlocksAsTheyComeAndGo) {
  void* const large = heap_.allocate(100000);
  void* const zeroed = heap_.allocate_zeroed(1000, 100, Domain::raw);
  void* const aligned = heap_.allocate_aligned(65536, 100);
  EXPECT_EQ(heap_.statistics().large_now, 3U);
  EXPECT_EQ(heap_.statistics().large_requests, 3U);
  void* const grown = heap_.reallocate(large, 200000);
  EXPECT_EQ(heap_.statistics().large_now, 3U);
  heap_.free(grown);
  heap_.free(zeroed, Domain::raw);
  heap_.free(aligned);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
  EXPECT_GE(heap_.statistics().large_requests, 4U);
}

TEST_P(LookingAtAHeap, RemembersThePeakOfItsPools) {
  std::vector<void*> blocks;
  for (int i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < heap_.statistics().pool_size / 512; ++j) {
      blocks.push_back(heap_.allocate(filling(512)));
    }
  }
  for (void* const block : blocks) {
    heap_.free(block);
  }
  const HeapStatistics statistics = heap_.statistics();
  EXPECT_EQ(statistics.pools_peak, 3U);
  EXPECT_LE(statistics.pools_used, 1U);
}

TEST_P(LookingAtAHeap, OwnsEveryByteOfItsArenasAndNothingElse) {
  int local = 0;
  void* const block = heap_.allocate(40);
  void* const large = heap_.allocate(100000);
  EXPECT_TRUE(heap_.owns(block));
  EXPECT_FALSE(heap_.owns(large));
  EXPECT_FALSE(heap_.owns(&local));
  EXPECT_FALSE(heap_.owns(nullptr));
  EXPECT_FALSE(heap_.owns(reinterpret_cast<void*>(UINTPTR_MAX)));
  const WalkedHeap walked(heap_);
  const ArenaView& arena = walked.arenas[0].view;
  const auto* const start = static_cast<const std::byte*>(arena.address);
  EXPECT_TRUE(heap_.owns(start));
  EXPECT_TRUE(heap_.owns(start + arena.size - 1));
  EXPECT_FALSE(heap_.owns(start - 1));
  EXPECT_FALSE(heap_.owns(start + arena.size));
  Heap other(GetParam().options());
  EXPECT_FALSE(other.owns(block));
  heap_.free(large);
  heap_.free(block);
  heap_.release_empty_arenas();
  EXPECT_FALSE(heap_.owns(block));
}

TEST_P(LookingAtAHeap, ReleasesTheArenaThatIsKeptAndTellsItsBytes) {
  EXPECT_EQ(heap_.release_empty_arenas(), 0U);
  void* const block = heap_.allocate(40);
  EXPECT_EQ(heap_.release_empty_arenas(), 0U);
  heap_.verify();
  heap_.free(block);
  EXPECT_EQ(heap_.statistics().arenas_now, 1U);
  EXPECT_EQ(heap_.release_empty_arenas(), heap_.statistics().arena_size);
  heap_.verify();
  EXPECT_EQ(heap_.statistics().arenas_now, 0U);
  heap_.free(heap_.allocate(40));
  heap_.verify();
}

// More classes than an arena has pools each keep their only pool, so more than one arena is without a
// live block when the call comes.
TEST_P(LookingAtAHeap, TellsTheBytesOfAllArenasItReleases) {
  const HeapStatistics before = heap_.statistics();
  for (const Domain domain : all_domains) {
    for (std::size_t size = 1; size <= filling(512); size += 8) {
      heap_.free(heap_.allocate(size, domain), domain);
    }
  }
  const std::size_t now = heap_.statistics().arenas_now;
  ASSERT_GE(now, 1U);
  EXPECT_EQ(heap_.release_empty_arenas(), now * before.arena_size);
  EXPECT_EQ(heap_.statistics().arenas_now, 0U);
  heap_.verify();
}

TEST_P(LookingAtAHeap, LeavesNothingMappedWhenItEnds) {
  const void* block = nullptr;
  {
    Heap heap(GetParam().options());
    block = heap.allocate(40);
    EXPECT_TRUE(heap.owns(block));
  }
  Heap heap(GetParam().options());  // may well get the same addresses
  EXPECT_FALSE(heap.owns(block));
}

}  // namespace
}  // namespace tarn::test
