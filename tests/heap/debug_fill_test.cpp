// What the debug heap writes into memory, so that an error shows.

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

class DebugMemory : public testing::TestWithParam<Combination> {
 protected:
  DebugMemory() : heap_(GetParam().options()) {}

  Heap heap_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, DebugMemory,
                         testing::ValuesIn(combinations_with(Checks::debug)), NameOfCombination());

bool is_filled(const void* start, std::size_t size, int byte) {
  const auto* const bytes = static_cast<const unsigned char*>(start);
  return std::all_of(bytes, bytes + size, [&](unsigned char one) { return one == byte; });
}

TEST_P(DebugMemory, IsCDWhereAllocatedAndFDOnBothSides) {
  for (const std::size_t size : {0U, 1U, 40U, 488U, 489U, 3000U}) {
    auto* const block = static_cast<unsigned char*>(heap_.allocate(size));
    EXPECT_TRUE(is_filled(block, size, 0xCD)) << size;
    EXPECT_TRUE(is_filled(block - 7, 7, 0xFD)) << size;
    EXPECT_TRUE(is_filled(block + size, 8, 0xFD)) << size;
    heap_.free(block);
  }
}

TEST_P(DebugMemory, IsGuardedAroundAnAlignedBlockToo) {
  auto* const block = static_cast<unsigned char*>(heap_.allocate_aligned(256, 40));
  EXPECT_TRUE(is_filled(block, 40, 0xCD));
  EXPECT_TRUE(is_filled(block - 7, 7, 0xFD));
  EXPECT_TRUE(is_filled(block + 40, 8, 0xFD));
  heap_.free(block);
}

TEST_P(DebugMemory, IsDDOnceFreed) {
  auto* const other = static_cast<unsigned char*>(heap_.allocate(40));
  auto* const block = static_cast<unsigned char*>(heap_.allocate(40));
  std::memset(block, 0, 40);
  heap_.free(block);
  EXPECT_TRUE(is_filled(block, 48, 0xDD));
  EXPECT_TRUE(is_filled(block - 8, 8, 0xDD));  // the eight before are freeblock's link
  heap_.free(other);
}

TEST_P(DebugMemory, IsCBWhereUntouched) {
  heap_.free(heap_.allocate(40));
  void* const block = heap_.allocate(40);
  const WalkedHeap walked(heap_);
  const WalkedPool* const pool = walked.pool_of(block);
  ASSERT_NE(pool, nullptr);
  ASSERT_GT(pool->count(BlockState::untouched), 10U);
  for (const BlockView& view : pool->blocks) {
    if (view.state == BlockState::untouched) {
      ASSERT_TRUE(is_filled(view.address, view.size, 0xCB));
    }
  }
  heap_.free(block);
}

TEST_P(DebugMemory, MovesABlockThatIsReallocatedEvenToItsOwnSize) {
  void* const block = heap_.allocate(40);
  void* const moved = heap_.reallocate(block, 40);
  EXPECT_NE(moved, block);
  heap_.free(moved);
}

TEST_P(DebugMemory, IsFilledBehindWhatAReallocationCopies) {
  auto* block = static_cast<unsigned char*>(heap_.allocate(10));
  std::memset(block, 0x12, 10);
  block = static_cast<unsigned char*>(heap_.reallocate(block, 60));
  EXPECT_TRUE(is_filled(block, 10, 0x12));
  EXPECT_TRUE(is_filled(block + 10, 50, 0xCD));
  heap_.free(block);
}

}  // namespace
}  // namespace tarn::test
