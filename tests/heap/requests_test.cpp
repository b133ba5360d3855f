// What a caller may ask for, and gets.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/failing_allocator.h"

namespace tarn::test {
namespace {

constexpr std::size_t over_largest = std::size_t{PTRDIFF_MAX} + 1;

class AHeap : public testing::TestWithParam<Combination> {
 protected:
  AHeap() : heap_(options()) {}

  [[nodiscard]] HeapOptions options() const {
    HeapOptions options = GetParam().options();
    options.general = general_.interface();
    return options;
  }
  [[nodiscard]] bool is_debug() const { return GetParam().checks == Checks::debug; }
  [[nodiscard]] std::size_t overhead() const { return is_debug() ? debug_overhead : 0; }
  // The largest request that a pool serves.
  [[nodiscard]] std::size_t largest_of_pools() const {
    const HeapStatistics statistics = heap_.statistics();
    return statistics.classes[0][statistics.size_classes - 1].block_size;
  }
  [[nodiscard]] std::size_t alignment() const { return heap_.statistics().alignment; }

  FailingAllocator general_;
  Heap heap_;
};

INSTANTIATE_TEST_SUITE_P(OfOneThread, AHeap,
                         testing::ValuesIn(combinations_with(Synchronisation::caller)),
                         NameOfCombination());

bool is_filled(const void* block, std::size_t size, int byte) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  return std::all_of(bytes, bytes + size, [&](unsigned char one) { return one == byte; });
}

bool is_aligned(const void* block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

TEST_P(AHeap, GivesEverySmallSizeAnAlignedBlockOfItsOwn) {
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t size = 0; size <= 1024; ++size) {
    auto* const block = static_cast<char*>(heap_.allocate(size));
    ASSERT_NE(block, nullptr) << size;
    EXPECT_TRUE(is_aligned(block, alignment())) << size;
    EXPECT_EQ(heap_.owns(block), size + overhead() <= largest_of_pools()) << size;
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  heap_.verify();
  for (const auto& [block, size] : blocks) {
    EXPECT_TRUE(is_filled(block, size, static_cast<int>(size % 251))) << size;
    heap_.free(block);
  }
  heap_.verify();
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, ServesRequestsAroundEachClassUpToTheLargest) {
  const HeapStatistics statistics = heap_.statistics();
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
    const std::size_t class_size = statistics.classes[0][szidx].block_size;
    for (const std::size_t size : {class_size - 1, class_size, class_size + 1}) {
      if (size <= overhead()) {
        continue;
      }
      const std::size_t asked = size - overhead();
      auto* const block = static_cast<char*>(heap_.allocate(asked));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(heap_.owns(block), size <= largest_of_pools()) << size;
      std::memset(block, static_cast<int>(asked % 251), asked);
      blocks.emplace_back(block, asked);
    }
  }
  heap_.verify();
  // Every size becomes every other: up, down, and from tier to tier.
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    auto& [block, size] = blocks[i];
    const std::size_t other = blocks[blocks.size() - 1 - i].second;
    const std::size_t kept = std::min(size, other);
    block = static_cast<char*>(heap_.reallocate(block, other));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_filled(block, kept, static_cast<int>(size % 251))) << size << " to " << other;
    std::memset(block, 1, other);
  }
  heap_.verify();
  for (const auto& [block, size] : blocks) {
    heap_.free(block);
  }
  heap_.verify();
  EXPECT_EQ(general_.live(), 0U);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
}

TEST_P(AHeap, GivesAZeroSizeABlockOfItsOwn) {
  std::set<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.insert(heap_.allocate(0));
    blocks.insert(heap_.allocate_zeroed(0, 8));
    blocks.insert(heap_.allocate_zeroed(8, 0));
    blocks.insert(heap_.reallocate(nullptr, 0));
    blocks.insert(heap_.allocate_aligned(64, 0));
  }
  EXPECT_EQ(blocks.size(), 500U);
  EXPECT_EQ(blocks.count(nullptr), 0U);
  for (void* const block : blocks) {
    heap_.free(block);
  }
  heap_.verify();
}

TEST_P(AHeap, RefusesMoreThanPtrdiffMaxWithoutAskingAnybody) {
  for (const std::size_t size : {over_largest, over_largest + 1, SIZE_MAX - 23, SIZE_MAX}) {
    EXPECT_EQ(heap_.allocate(size), nullptr) << size;
    EXPECT_EQ(heap_.allocate_zeroed(1, size), nullptr) << size;
    EXPECT_EQ(heap_.allocate_zeroed(size, 1), nullptr) << size;
    EXPECT_EQ(heap_.reallocate(nullptr, size), nullptr) << size;
    EXPECT_EQ(heap_.allocate_aligned(8, size), nullptr) << size;
    EXPECT_EQ(heap_.allocate_aligned(4096, size), nullptr) << size;
  }
  EXPECT_EQ(general_.requests(), 0U);
  heap_.verify();
}

TEST_P(AHeap, HasNoMemoryForPtrdiffMax) {
  EXPECT_EQ(heap_.allocate(PTRDIFF_MAX), nullptr);
  EXPECT_EQ(heap_.allocate_zeroed(1, PTRDIFF_MAX), nullptr);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
}

TEST_P(AHeap, RefusesAProductThatOverflows) {
  EXPECT_EQ(heap_.allocate_zeroed(SIZE_MAX, 2), nullptr);
  EXPECT_EQ(heap_.allocate_zeroed(std::size_t{1} << 32, std::size_t{1} << 32), nullptr);
  EXPECT_EQ(heap_.allocate_zeroed((SIZE_MAX / 16) + 2, 16), nullptr);  // 16 after the overflow
  EXPECT_EQ(general_.requests(), 0U);
}

TEST_P(AHeap, ZeroesABlockThatWasUsedBefore) {
  for (const std::size_t size : {1U, 8U, 100U, 512U, 513U, 5000U}) {
    void* const dirty = heap_.allocate(size);
    std::memset(dirty, 0xee, size);
    heap_.free(dirty);
    void* const block = heap_.allocate_zeroed(1, size);
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_filled(block, size, 0)) << size;
    heap_.free(block);
  }
}

TEST_P(AHeap, AllowsANullPointerToBeFreed) {
  heap_.free(nullptr);
  heap_.free_sized(nullptr, 12);
  heap_.verify();
  EXPECT_EQ(heap_.statistics().arenas_now, 0U);
}

TEST_P(AHeap, FreesWithTheSizeThatWasAskedFor) {
  for (const std::size_t size : {0U, 1U, 64U, 512U, 513U, 100000U}) {
    heap_.free_sized(heap_.allocate(size), size);
  }
  heap_.verify();
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, ReallocatesANullPointerAsAnAllocation) {
  void* const block = heap_.reallocate(nullptr, 40);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(heap_.owns(block));
  heap_.free(block);
}

TEST_P(AHeap, DoesNotFreeWhenReallocatingToZero) {
  for (const std::size_t size : {1U, 40U, 512U, 4000U}) {
    void* const block = heap_.reallocate(heap_.allocate(size), 0);
    ASSERT_NE(block, nullptr) << size;
    heap_.verify();
    heap_.free(block);
  }
  heap_.verify();
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, KeepsTheContentsWhenABlockGrowsToLargeAndShrinksAgain) {
  constexpr std::size_t sizes[] = {1, 9, 100, 512, 513, 3000, 200000, 700, 512, 40, 7};
  std::size_t size = sizes[0];
  auto* block = static_cast<char*>(heap_.allocate(size));
  std::memset(block, 0x5a, size);
  for (const std::size_t next : sizes) {
    block = static_cast<char*>(heap_.reallocate(block, next));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_filled(block, std::min(size, next), 0x5a)) << size << " to " << next;
    std::memset(block, 0x5a, next);
    size = next;
    heap_.verify();
  }
  heap_.free(block);
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, LeavesABlockAsItWasWhenItCannotGrow) {
  for (const std::size_t size : {30U, 5000U}) {
    auto* const block = static_cast<char*>(heap_.allocate(size));
    std::memset(block, 0x77, size);
    EXPECT_EQ(heap_.reallocate(block, over_largest), nullptr);
    EXPECT_EQ(heap_.reallocate(block, SIZE_MAX), nullptr);
    general_.fail_all(true);
    EXPECT_EQ(heap_.reallocate(block, std::size_t{1} << 46), nullptr);
    general_.fail_all(false);
    EXPECT_TRUE(is_filled(block, size, 0x77));
    heap_.verify();
    heap_.free(block);
  }
}

TEST_P(AHeap, AlignsToEveryPowerOfTwoUpToAMebibyte) {
  for (std::size_t alignment = 1; alignment <= std::size_t{1} << 20; alignment *= 2) {
    std::vector<std::pair<void*, std::size_t>> blocks;
    for (const std::size_t size : {0U, 1U, 24U, 100U, 200U, 488U, 512U, 513U, 5000U}) {
      for (int i = 0; i < 3; ++i) {
        void* const block = heap_.allocate_aligned(alignment, size);
        ASSERT_NE(block, nullptr) << alignment << ", " << size;
        ASSERT_TRUE(is_aligned(block, alignment)) << alignment << ", " << size;
        std::memset(block, 0x33, size);
        blocks.emplace_back(block, size);
      }
    }
    heap_.verify();
    for (const auto& [block, size] : blocks) {
      EXPECT_TRUE(is_filled(block, size, 0x33));
      heap_.free(block);
    }
  }
  heap_.verify();
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  for (const std::size_t alignment : {0U, 3U, 24U, 4095U}) {
    EXPECT_EQ(heap_.allocate_aligned(alignment, 16), nullptr) << alignment;
  }
  EXPECT_EQ(heap_.allocate_aligned(std::size_t{1} << 63, 1), nullptr);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
}

TEST_P(AHeap, ReallocatesAnAlignedBlockLikeAnyOther) {
  for (const std::size_t alignment : {64U, 4096U}) {
    auto* block = static_cast<char*>(heap_.allocate_aligned(alignment, 100));
    std::memset(block, 0x21, 100);
    block = static_cast<char*>(heap_.reallocate(block, 3000));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_filled(block, 100, 0x21));
    heap_.verify();
    heap_.free(block);
  }
  EXPECT_EQ(general_.live(), 0U);
}

TEST_P(AHeap, ServesTheDomainsFromPoolsOfTheirOwn) {
  const std::size_t pool_size = heap_.statistics().pool_size;
  std::set<std::uintptr_t> pools;
  std::vector<void*> blocks;
  for (const Domain domain : all_domains) {
    blocks.push_back(heap_.allocate(32, domain));
    pools.insert(reinterpret_cast<std::uintptr_t>(blocks.back()) / pool_size);
  }
  EXPECT_EQ(pools.size(), domain_count);
  for (std::size_t i = 0; i < domain_count; ++i) {
    heap_.free(blocks[i], all_domains[i]);
  }
  heap_.verify();
}

// CPython's rule on shrinking, of a heap without checks: one with checks moves every block.
class APlainHeap : public AHeap {};
INSTANTIATE_TEST_SUITE_P(OfOneThread, APlainHeap,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

TEST_P(APlainHeap, ReallocatesInPlaceWhileItFitsAndAtMostAQuarterWouldBeWasted) {
  for (std::size_t size = 1; size <= 512; ++size) {
    const std::size_t block_size = (size + alignment() - 1) / alignment() * alignment();
    for (std::size_t next = 0; next <= 520; ++next) {
      void* const block = heap_.allocate(size);
      void* const moved = heap_.reallocate(block, next);
      const bool stays = next <= block_size && 4 * next > 3 * block_size;
      ASSERT_EQ(moved == block, stays) << size << " to " << next;
      heap_.free(moved);
    }
  }
}

TEST_P(APlainHeap, StaysWhereItIsWhenShrinkingFindsNoMemory) {
  // Whatever can't be had: shrinking can't fail.
  HeapOptions small = options();
  small.reserved_bytes = 1;  // one arena
  if (GetParam().address_map == AddressMap::page_map) {
    GTEST_SKIP() << "a page map has no limit of its own";
  }
  Heap heap(small);
  std::vector<void*> blocks;
  general_.fail_all(true);
  while (void* const block = heap.allocate(512)) {
    blocks.push_back(block);
  }
  ASSERT_FALSE(blocks.empty());
  std::memset(blocks[0], 0x41, 512);
  EXPECT_EQ(heap.reallocate(blocks[0], 10), blocks[0]);
  EXPECT_TRUE(is_filled(blocks[0], 10, 0x41));
  heap.verify();
}

TEST_P(APlainHeap, PassesBlocksItNeverHandedOutToTheGeneralAllocator) {
  const GeneralAllocator& general = *general_.interface();
  void* const small = general.allocate(general.context, 40);
  void* const other = general.allocate(general.context, 40);
  void* const grown = heap_.reallocate(small, 4000);
  ASSERT_NE(grown, nullptr);
  heap_.free(grown);
  heap_.free_sized(other, 40);
  EXPECT_EQ(general_.live(), 0U);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
}

// Of the default geometry, which Python has: both tiers.
class PoolsOnDemand : public testing::Test {
 protected:
  PoolsOnDemand() : heap_(options()) {}

  [[nodiscard]] HeapOptions options() const {
    HeapOptions options;
    options.pools_on_demand = true;
    options.general = general_.interface();
    return options;
  }
  // How many requests go by, each block being freed at once, until one is served by a pool.
  [[nodiscard]] std::size_t requests_before_pool(std::size_t size, Domain domain) {
    constexpr std::size_t most = 1000;
    for (std::size_t count = 0; count < most; ++count) {
      void* const block = heap_.allocate(size, domain);
      const bool is_ours = heap_.owns(block);
      heap_.free(block, domain);
      if (is_ours) {
        return count;
      }
    }
    return most;
  }

  FailingAllocator general_;
  Heap heap_;
};

TEST_F(PoolsOnDemand, ComeWhenAClassHasBeenAskedForOften) {
  EXPECT_EQ(requests_before_pool(64, Domain::mem), 255U);
  EXPECT_EQ(requests_before_pool(64, Domain::mem), 0U);
  EXPECT_EQ(requests_before_pool(80, Domain::mem), 255U);
  EXPECT_EQ(requests_before_pool(2000, Domain::mem), 64U);
  EXPECT_EQ(requests_before_pool(std::size_t{32} * 1024, Domain::mem), 32U);
  EXPECT_EQ(general_.live(), 0U);
  EXPECT_EQ(heap_.statistics().large_now, 0U);
  heap_.verify();
}

TEST_F(PoolsOnDemand, ComeAtOnceForObjectsButLargeOnes) {
  EXPECT_EQ(requests_before_pool(64, Domain::obj), 0U);
  EXPECT_EQ(requests_before_pool(1536, Domain::obj), 0U);
  EXPECT_EQ(requests_before_pool(1792, Domain::obj), 64U);
}

TEST_F(PoolsOnDemand, LeaveABlockFromBeforeWhereItIs) {
  void* block = heap_.allocate(100, Domain::mem);
  std::memset(block, 0x41, 100);
  EXPECT_EQ(requests_before_pool(100, Domain::mem), 254U);
  for (const std::size_t size : {400, 4000, 40000, 50}) {
    block = heap_.reallocate(block, size, Domain::mem);
    ASSERT_NE(block, nullptr);
    EXPECT_FALSE(heap_.owns(block)) << size;
    EXPECT_TRUE(is_filled(block, 50, 0x41)) << size;
  }
  EXPECT_EQ(general_.live(), 1U);
  heap_.free(block, Domain::mem);
  EXPECT_EQ(general_.live(), 0U);
}

TEST_F(PoolsOnDemand, ComeAtOnceWhenTheGeneralAllocatorHasNoMemory) {
  general_.fail_all(true);
  for (const std::size_t size : {64, 2000}) {
    void* const block = heap_.allocate(size, Domain::mem);
    ASSERT_NE(block, nullptr) << size;
    EXPECT_TRUE(heap_.owns(block)) << size;
    heap_.free(block, Domain::mem);
  }
}

TEST_F(PoolsOnDemand, ComeAtOnceWithChecksSinceEveryBlockIsLookedAfter) {
  HeapOptions checked = options();
  checked.checks = Checks::debug;
  Heap heap(checked);
  void* const block = heap.allocate(64, Domain::mem);
  EXPECT_TRUE(heap.owns(block));
  heap.free(block, Domain::mem);
}

}  // namespace
}  // namespace tarn::test
