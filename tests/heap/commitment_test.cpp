// No memory is taken from the system before it is needed, and it goes back.

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "os/virtual_memory.h"
#include "support/combinations.h"
#include "support/resident_pages.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class MemoryOfAHeap : public testing::TestWithParam<Combination> {
 protected:
  MemoryOfAHeap() : before_(resident_bytes_of_process()), heap_(GetParam().options()) {}

  [[nodiscard]] std::size_t resident_in_arenas() const {
    std::size_t sum = 0;
    for (const WalkedArena& arena : WalkedHeap(heap_).arenas) {
      sum += resident_bytes(arena.view.address, arena.view.size);
    }
    return sum;
  }

  std::size_t before_;
  Heap heap_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, MemoryOfAHeap,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

TEST_P(MemoryOfAHeap, IsNextToNothingBeforeTheFirstRequest) {
  EXPECT_EQ(heap_.statistics().arenas_mapped, 0U);
  EXPECT_LT(resident_bytes_of_process(), before_ + mebibyte);
}

TEST_P(MemoryOfAHeap, IsOnePageAfterOneSmallRequest) {
  std::memset(heap_.allocate(64), 1, 64);
  EXPECT_EQ(resident_in_arenas(), os::page_size());
}

TEST_P(MemoryOfAHeap, IsNotTouchedByARequestAlone) {
  ASSERT_NE(heap_.allocate(64), nullptr);
  EXPECT_EQ(resident_in_arenas(), 0U);
}

TEST_P(MemoryOfAHeap, GrowsWithTheBlocksThatAreWritten) {
  const std::size_t pages = 4;
  for (std::size_t i = 0; i < pages * os::page_size() / 256; ++i) {
    std::memset(heap_.allocate(256), 1, 256);
  }
  EXPECT_EQ(resident_in_arenas(), pages * os::page_size());
}

TEST_P(MemoryOfAHeap, GoesBackToTheSystemWithItsArenas) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 16 * mebibyte / 512; ++i) {
    blocks.push_back(heap_.allocate(512));
    std::memset(blocks.back(), 1, 512);
  }
  const std::size_t in_use = resident_bytes_of_process();
  for (void* const block : blocks) {
    heap_.free(block);
  }
  heap_.release_empty_arenas();
  EXPECT_EQ(heap_.statistics().arenas_now, 0U);
  EXPECT_LT(resident_bytes_of_process(), in_use - 15 * mebibyte);
}

}  // namespace
}  // namespace tarn::test
