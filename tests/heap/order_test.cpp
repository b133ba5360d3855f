// In what order blocks, pools and arenas are used, and what states pools pass through. On heaps without
// checks: the order is the same with them, but sizes are not.

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

class TheOrder : public testing::TestWithParam<Combination> {
 protected:
  TheOrder() : heap_(GetParam().options()), sizes_(heap_.statistics()) {}

  [[nodiscard]] std::size_t blocks_in_pool(std::size_t size) const {
    return sizes_.pool_size / size;
  }
  [[nodiscard]] std::size_t pools_in_arena() const { return sizes_.arena_size / sizes_.pool_size; }

  char* allocate(std::size_t size, Domain domain = Domain::obj) {
    auto* const block = static_cast<char*>(heap_.allocate(size, domain));
    EXPECT_NE(block, nullptr);
    return block;
  }
  std::vector<char*> allocate_pool_of(std::size_t size, Domain domain = Domain::obj) {
    std::vector<char*> blocks;
    for (std::size_t i = 0; i < blocks_in_pool(size); ++i) {
      blocks.push_back(allocate(size, domain));
    }
    return blocks;
  }
  void free_all(const std::vector<char*>& blocks, Domain domain = Domain::obj) {
    for (char* const block : blocks) {
      heap_.free(block, domain);
    }
  }
  [[nodiscard]] const void* pool_of(const void* block) const {
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(block) &
                                         ~(sizes_.pool_size - 1));
  }
  [[nodiscard]] const void* arena_of(const void* block) const {
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(block) &
                                         ~(sizes_.arena_size - 1));
  }
  [[nodiscard]] PoolState state_of_pool(const void* block) const {
    return WalkedHeap(heap_).pool_of(block)->view.state;
  }

  Heap heap_;
  const HeapStatistics sizes_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, TheOrder, testing::ValuesIn(combinations_with(Checks::none)),
                         NameOfCombination());

TEST_P(TheOrder, CarvesUntouchedBlocksInOrderOfAddresses) {
  const std::vector<char*> blocks = allocate_pool_of(64);
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    ASSERT_EQ(blocks[i], blocks[i - 1] + 64);
  }
  EXPECT_EQ(pool_of(blocks.front()), pool_of(blocks.back()));
}

TEST_P(TheOrder, ReusesTheBlockFreedLastFirstAndFreeBlocksBeforeUntouchedOnes) {
  char* const a = allocate(64);
  char* const b = allocate(64);
  char* const c = allocate(64);
  char* const d = allocate(64);
  heap_.free(a);
  heap_.free(c);
  heap_.free(b);
  EXPECT_EQ(allocate(64), b);
  EXPECT_EQ(allocate(64), c);
  EXPECT_EQ(allocate(64), a);
  EXPECT_EQ(allocate(64), d + 64);
}

TEST_P(TheOrder, GivesEachSizeClassAPoolOfItsOwn) {
  char* const a = allocate(16);
  char* const b = allocate(17);
  char* const c = allocate(32);
  EXPECT_NE(pool_of(a), pool_of(b));
  EXPECT_EQ(pool_of(c) == pool_of(b), sizes_.alignment == 16);
}

TEST_P(TheOrder, TakesAPoolThroughItsStates) {
  allocate(32);  // another class, so that the arena is mapped
  const void* const untouched =
      static_cast<const char*>(WalkedHeap(heap_).arenas[0].view.address) + sizes_.pool_size;
  EXPECT_EQ(state_of_pool(untouched), PoolState::untouched);
  std::vector<char*> blocks = allocate_pool_of(256);
  ASSERT_EQ(pool_of(blocks[0]), untouched);
  EXPECT_EQ(state_of_pool(untouched), PoolState::full);
  char* const next = allocate(256);  // so that it isn't the only pool of its class
  EXPECT_NE(pool_of(next), untouched);
  heap_.free(blocks.back());
  blocks.pop_back();
  EXPECT_EQ(state_of_pool(untouched), PoolState::used);
  free_all(blocks);
  EXPECT_EQ(state_of_pool(untouched), PoolState::empty);
  heap_.verify();
}

TEST_P(TheOrder, UsesTheActivePoolToItsEndAndThenTheOneThatWaitedLongest) {
  const std::vector<char*> first = allocate_pool_of(128);
  const std::vector<char*> second = allocate_pool_of(128);
  char* const third = allocate(128);
  heap_.free(second[3]);
  heap_.free(first[5]);
  for (std::size_t i = 1; i < blocks_in_pool(128); ++i) {
    ASSERT_EQ(allocate(128), third + i * 128);
  }
  EXPECT_EQ(allocate(128), second[3]);
  EXPECT_EQ(allocate(128), first[5]);
  heap_.verify();
}

TEST_P(TheOrder, UsesPoolsWithMoreThanHalfOfTheirBlocksAllocatedBeforeTheOthers) {
  const std::size_t half = blocks_in_pool(128) / 2;
  const std::vector<char*> first = allocate_pool_of(128);
  const std::vector<char*> second = allocate_pool_of(128);
  const std::vector<char*> third = allocate_pool_of(128);
  heap_.free(first[0]);
  heap_.free(second[0]);
  heap_.free(third[0]);  // of the active pool, though it has run full
  for (std::size_t i = 1; i < half; ++i) {
    heap_.free(first[i]);
    heap_.verify();
  }
  EXPECT_EQ(allocate(128), third[0]);
  EXPECT_EQ(allocate(128), second[0]);
  EXPECT_EQ(allocate(128), first[half - 1]);
  heap_.verify();
}

TEST_P(TheOrder, UsesAUsedPoolBeforeAnEmptyOne) {
  const std::vector<char*> first = allocate_pool_of(128);
  const std::vector<char*> second = allocate_pool_of(128);
  char* const third = allocate(128);
  free_all(second);
  ASSERT_EQ(state_of_pool(second[0]), PoolState::empty);
  heap_.free(first[0]);
  for (std::size_t i = 1; i < blocks_in_pool(128); ++i) {
    ASSERT_EQ(pool_of(allocate(128)), pool_of(third));
  }
  EXPECT_EQ(allocate(128), first[0]);
  EXPECT_EQ(pool_of(allocate(128)), pool_of(second[0]));
  heap_.verify();
}

TEST_P(TheOrder, UsesAnEmptyPoolBeforeAnUntouchedOneForAnyClassAndDomain) {
  const std::vector<char*> pool = allocate_pool_of(128);
  allocate(128);
  free_all(pool);
  ASSERT_EQ(state_of_pool(pool[0]), PoolState::empty);
  char* const other = allocate(400, Domain::mem);
  EXPECT_EQ(pool_of(other), pool_of(pool[0]));
  EXPECT_EQ(other, pool_of(other));  // its blocks are untouched again
  EXPECT_EQ(allocate(400, Domain::mem), other + 400);
  heap_.verify();
}

TEST_P(TheOrder, KeepsTheOnlyPoolOfAClassWhenItsLastBlockComesBack) {
  char* const block = allocate(48);
  heap_.free(block);
  heap_.verify();
  EXPECT_EQ(allocate(80) == block, false);
  EXPECT_EQ(allocate(48), block);
  heap_.verify();
}

TEST_P(TheOrder, LetsGoOfAKeptPoolWhenItsClassHasAnother) {
  std::vector<char*> pool = allocate_pool_of(48);
  char* const other = allocate(48);
  heap_.free(other);  // kept: alone in its class, since the first pool is full
  EXPECT_EQ(state_of_pool(other), PoolState::used);
  heap_.free(pool.back());
  heap_.verify();
  EXPECT_EQ(state_of_pool(other), PoolState::empty);
}

TEST_P(TheOrder, TakesPoolsFromTheFullestArenaFirst) {
  const std::size_t size = 512;
  std::vector<std::vector<char*>> pools;
  for (std::size_t i = 0; i < 3 * pools_in_arena(); ++i) {
    pools.push_back(allocate_pool_of(size));
  }
  allocate(size);  // a used pool in a fourth arena, so that none of the others is kept
  ASSERT_EQ(heap_.statistics().arenas_now, 4U);
  // The first arena gets three free pools, the second one, the third two.
  const std::size_t per_arena = pools_in_arena();
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, per_arena,
                              2 * per_arena, 2 * per_arena + 1}) {
    free_all(pools[i]);
  }
  heap_.verify();
  const void* const first = arena_of(pools[0][0]);
  const void* const second = arena_of(pools[per_arena][0]);
  const void* const third = arena_of(pools[2 * per_arena][0]);
  std::vector<const void*> order;
  for (std::size_t other = 16; other <= 96; other += 16) {
    order.push_back(arena_of(allocate(other)));
  }
  EXPECT_THAT(order, testing::ElementsAre(second, third, third, first, first, first));
  heap_.verify();
}

TEST_P(TheOrder, GivesEmptyArenasBackAllButOne) {
  std::vector<char*> blocks;
  while (heap_.statistics().arenas_now < 4) {
    blocks.push_back(allocate(512));
  }
  free_all(blocks);
  heap_.verify();
  const HeapStatistics statistics = heap_.statistics();
  EXPECT_EQ(statistics.arenas_now, 1U);
  EXPECT_EQ(statistics.arenas_released, 3U);
  EXPECT_EQ(statistics.arenas_peak, 4U);
}

// Each class keeps its only pool, and these are more classes than an arena has pools.
TEST_P(TheOrder, GivesArenasBackThatOnlyKeptPoolsAreIn) {
  std::vector<std::pair<char*, Domain>> blocks;
  for (const Domain domain : all_domains) {
    for (std::size_t size = sizes_.alignment; size <= 512; size += sizes_.alignment) {
      blocks.emplace_back(allocate(size, domain), domain);
    }
  }
  ASSERT_GT(heap_.statistics().arenas_now, 1U);
  for (const auto& [block, domain] : blocks) {
    heap_.free(block, domain);
    heap_.verify();
  }
  EXPECT_EQ(heap_.statistics().arenas_now, 1U);
}

// As above, but no two blocks are live at a time.
TEST_P(TheOrder, GivesArenasBackThatOneBlockAtATimeTookPoolsOf) {
  for (const Domain domain : all_domains) {
    for (std::size_t size = sizes_.alignment; size <= 512; size += sizes_.alignment) {
      heap_.free(allocate(size, domain), domain);
      heap_.verify();
    }
  }
  EXPECT_EQ(heap_.statistics().arenas_now, 1U);
}

}  // namespace
}  // namespace tarn::test
