// Pages that go back to the operating system while their pools still hold blocks.

#include <algorithm>
#include <climits>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "heap/instance.h"
#include "support/combinations.h"
#include "support/resident_pages.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

class PageReturn : public testing::TestWithParam<Combination> {
 protected:
  PageReturn() : heap_(GetParam().options()), sizes_(heap_.statistics()) {}

  char* allocate(std::size_t size) {
    auto* const block = static_cast<char*>(heap_.allocate(size));
    std::memset(block, 0x5a, size);
    return block;
  }
  std::vector<char*> allocate_many(std::size_t size, std::size_t count) {
    std::vector<char*> blocks(count);
    for (char*& block : blocks) {
      block = allocate(size);
    }
    return blocks;
  }
  [[nodiscard]] std::size_t resident() const {
    std::size_t bytes = 0;
    for (const WalkedArena& arena : WalkedHeap(heap_).arenas) {
      bytes += resident_bytes(arena.view.address, arena.view.size);
    }
    return bytes;
  }
  // The pages that hold a part of an allocated block.
  [[nodiscard]] std::size_t floor() const {
    std::set<std::uintptr_t> pages;
    for (const WalkedArena& arena : WalkedHeap(heap_).arenas) {
      for (const WalkedPool& pool : arena.pools) {
        for (const BlockView& block : pool.blocks) {
          if (block.state == BlockState::allocated) {
            const auto start = reinterpret_cast<std::uintptr_t>(block.address);
            for (std::uintptr_t i = start / page; i <= (start + block.size - 1) / page; ++i) {
              pages.insert(i);
            }
          }
        }
      }
    }
    return pages.size() * page;
  }

  Heap heap_;
  const HeapStatistics sizes_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, PageReturn,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

TEST_P(PageReturn, LeavesThePagesOfAllocatedBlocksAndNoOthers) {
  for (const std::size_t size : {16U, 48U, 64U, 112U, 400U, 512U}) {
    std::vector<char*> blocks = allocate_many(size, 40000 * 16 / size + 3000);
    std::minstd_rand random(7);
    std::vector<char*> kept;
    for (char* const block : blocks) {
      if (random() % 200 == 0) {
        kept.push_back(block);
      } else {
        heap_.free(block);
      }
    }
    const std::size_t before = resident();
    EXPECT_GT(heap_.release(), 0U);
    heap_.verify();
    EXPECT_LT(resident(), before);
    EXPECT_EQ(resident(), floor()) << "blocks of " << size;
    for (char* const block : kept) {
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(block[i], 0x5a);
      }
    }
  }
}

TEST_P(PageReturn, FindsNothingToGiveASecondTime) {
  std::vector<char*> blocks = allocate_many(64, 5000);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 500 != 0) {
      heap_.free(blocks[i]);
    }
  }
  EXPECT_GT(heap_.release(), 0U);
  EXPECT_EQ(heap_.release(), 0U);
}

TEST_P(PageReturn, HandsReturnedBlocksOutAgainEachOnceAndTakesNoPoolBefore) {
  for (const std::size_t size : {48U, 80U, 512U}) {
    std::vector<char*> blocks = allocate_many(size, 3 * sizes_.pool_size / size);
    std::set<char*> live(blocks.begin(), blocks.end());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i % 97 != 0) {
        heap_.free(blocks[i]);
        live.erase(blocks[i]);
      }
    }
    heap_.release();
    const std::size_t pools = heap_.statistics().pools_used + heap_.statistics().pools_full;
    const std::size_t most = pools * (sizes_.pool_size / size);
    while (heap_.statistics().pools_used != 0 && live.size() < most) {
      char* const block = allocate(size);
      ASSERT_TRUE(live.insert(block).second) << "a live block was handed out";
      const HeapStatistics now = heap_.statistics();
      if (now.pools_used + now.pools_full > pools) {
        live.erase(block);
        heap_.free(block);
        break;
      }
    }
    heap_.verify();
    for (char* const block : live) {
      heap_.free(block);
    }
    heap_.verify();
  }
}

TEST_P(PageReturn, TakesAllOfAHeapThatHasNoBlockLeft) {
  for (char* const block : allocate_many(96, 50000)) {
    heap_.free(block);
  }
  heap_.release();
  EXPECT_EQ(heap_.statistics().arenas_now, 0U);
  EXPECT_NE(allocate(96), nullptr);
}

TEST_P(PageReturn, GivesBackEmptyPoolsOfAnArenaThatABlockPins) {
  char* const pin = allocate(16);
  std::vector<char*> blocks = allocate_many(256, sizes_.arena_size / 256 / 2);
  for (char* const block : blocks) {
    heap_.free(block);
  }
  heap_.release();
  EXPECT_EQ(resident(), page);
  heap_.verify();
  blocks = allocate_many(256, sizes_.arena_size / 256 / 2);
  heap_.verify();
  EXPECT_EQ(*pin, 0x5a);
}

// A pool that is used again, for its own class or another, has pages behind its first blocks that were
// written to in its earlier life.
TEST_P(PageReturn, TakesPagesThatAnEarlierLifeOfThePoolTouched) {
  char* const pin = allocate(32);
  for (const std::size_t size : {512U, 48U, 16U, 512U, 16U}) {
    for (const std::size_t again : {16U, 512U, 48U}) {
      for (char* const block : allocate_many(size, 2 * sizes_.pool_size / size)) {
        heap_.free(block);
      }
      char* const block = allocate(again);
      heap_.release();
      heap_.verify();
      EXPECT_EQ(resident(), floor()) << size << " then " << again;
      heap_.free(block);
    }
  }
  EXPECT_EQ(*pin, 0x5a);
}

TEST_P(PageReturn, CarvesAPoolThatWasEmptyInOrderOfAddresses) {
  std::vector<char*> blocks = allocate_many(64, 2 * sizes_.pool_size / 64);
  std::vector<char*> shuffled = blocks;
  std::shuffle(shuffled.begin(), shuffled.end(), std::minstd_rand(3));
  for (char* const block : shuffled) {
    heap_.free(block);
  }
  allocate_many(512, 1);  // the pool that was kept need not be the one that is seen next
  std::size_t descents = 0;
  blocks = allocate_many(64, 2 * sizes_.pool_size / 64);
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    descents += blocks[i] < blocks[i - 1] ? 1 : 0;
  }
  // Of the pool that was kept, for being its class's only one, the order is that of the frees.
  EXPECT_LE(descents, sizes_.pool_size / 64 + 2);
}

// The three steps, and what the program does between them.
class ReturnInSteps : public testing::TestWithParam<Combination> {
 public:
  ReturnInSteps() : heap_(heap::create(GetParam().options())) {
    const heap::Watcher watcher = {[](void* context) { ++*static_cast<int*>(context); }, &told_};
    heap_->operations->watch(*heap_, watcher);
  }
  ~ReturnInSteps() override { heap_->operations->destroy(*heap_); }

  void* allocate(std::size_t size) {
    const heap::Face& face = heap_->face(Domain::obj);
    return face.functions->allocate(face.domain, size);
  }
  void free(void* block) {
    const heap::Face& face = heap_->face(Domain::obj);
    face.functions->free(face.domain, block);
  }
  void begin(unsigned age = 0) {
    batch_.clear();
    heap_->operations->begin_return(*heap_, batch_, {.least_age = age, .tick = true, .all = false});
  }
  void discard() { heap_->operations->discard(batch_); }
  void finish() { heap_->operations->finish_return(*heap_, batch_); }
  void verify() { heap_->operations->verify(*heap_); }
  std::vector<void*> make_holes(std::size_t count) {
    std::vector<void*> all;
    std::vector<void*> kept;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(allocate(64));
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (i % 300 == 0) {
        kept.push_back(all[i]);
      } else {
        free(all[i]);
      }
    }
    return kept;
  }

  heap::Instance* heap_;
  heap::ReturnBatch batch_;
  int told_ = 0;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, ReturnInSteps,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

TEST_P(ReturnInSteps, HandsOutNoBlockOfAPageThatIsOnItsWay) {
  make_holes(20000);
  begin();
  ASSERT_TRUE(batch_.has_work());
  verify();
  for (int i = 0; i < 30000; ++i) {
    auto* const block = static_cast<std::byte*>(allocate(64));
    for (std::size_t r = 0; r < batch_.range_count; ++r) {
      ASSERT_FALSE(block >= batch_.ranges[r].start &&
                   block < batch_.ranges[r].start + batch_.ranges[r].size);
    }
    for (std::size_t r = 0; r < batch_.tiers[0].unmapped_count; ++r) {
      ASSERT_FALSE(block >= batch_.tiers[0].unmapped[r].address &&
                   block < batch_.tiers[0].unmapped[r].address + 256 * 1024);
    }
    std::memset(block, 1, 64);
  }
  verify();
  discard();
  finish();
  verify();
}

TEST_P(ReturnInSteps, TakesBlocksBackInPoolsThatAreAway) {
  const std::vector<void*> kept = make_holes(20000);
  begin();
  for (void* const block : kept) {
    free(block);
  }
  verify();
  discard();
  finish();
  verify();
  bool has_work = false;
  do {
    begin();
    has_work = batch_.has_work();
    discard();
    finish();
    verify();
  } while (has_work);
  HeapStatistics statistics;
  heap_->operations->collect_statistics(*heap_, statistics);
  EXPECT_EQ(statistics.arenas_now, 0U);
}

TEST_P(ReturnInSteps, IsRightWithoutTheSecondStepAsInAChildAfterFork) {
  make_holes(20000);
  begin();
  finish();
  verify();
  for (int i = 0; i < 30000; ++i) {
    std::memset(allocate(64), 1, 64);
  }
  verify();
}

// What the next tests do between two batches.
struct Between {
  ReturnInSteps* heap;
  int times = 0;
  int enough = INT_MAX;
};

TEST_P(ReturnInSteps, GivesBackAsMuchInBatchesAsAtOnce) {
  const auto resident_after = [&](const heap::BetweenBatches& between, std::size_t& bytes) {
    const std::vector<void*> kept = make_holes(500'000);
    bytes = heap::release(*heap_, between);
    verify();
    heap::Residency residency;
    heap_->operations->collect_residency(*heap_, residency);
    EXPECT_EQ(residency.pools, residency.live_pages);
    for (void* const block : kept) {
      free(block);
    }
    static_cast<void>(heap::release(*heap_));
    return residency.pools;
  };
  std::size_t at_once = 0;
  std::size_t in_batches = 0;
  Between between = {this};
  const std::size_t resident = resident_after({}, at_once);
  EXPECT_EQ(resident_after({[](void* context) {
                              auto& state = *static_cast<Between*>(context);
                              ++state.times;
                              state.heap->verify();
                              return true;
                            },
                            &between},
                           in_batches),
            resident);
  EXPECT_EQ(in_batches, at_once);
  // 32 MB of blocks.
  EXPECT_GE(between.times, 6);
}

TEST_P(ReturnInSteps, ComesToAnEndThoughTheProgramFreesBetweenBatches) {
  make_holes(200'000);
  Between between = {this};
  static_cast<void>(heap::release(*heap_, {[](void* context) {
                                             auto& state = *static_cast<Between*>(context);
                                             state.heap->make_holes(
                                                 100'000);  // more than a batch holds
                                             return ++state.times < 100;
                                           },
                                           &between}));
  EXPECT_LT(between.times, 100);
  verify();
}

// The GIL is held meanwhile: so many pools take a millisecond.
TEST_P(ReturnInSteps, LooksAtABoundedNumberOfPoolsInATurn) {
  make_holes(1'000'000);
  std::size_t turns = 0;
  std::size_t most = 0;
  bool has_work = false;
  do {
    begin();
    has_work = batch_.has_work();
    ++turns;
    std::size_t pools = 0;
    for (const heap::ReturnBatch::Tier& tier : batch_.tiers) {
      pools += tier.pool_count;
      EXPECT_LE(tier.unmapped_count + tier.arena_count, heap::ReturnBatch::most_arenas);
    }
    EXPECT_LE(pools, heap::ReturnBatch::most_pools);
    // An arena's empty pools are looked at together.
    EXPECT_LE(batch_.examined, heap::ReturnBatch::most_examined);
    most = std::max(most, batch_.examined);
    discard();
    finish();
    verify();
  } while (has_work && turns < 10'000);
  EXPECT_GT(turns, 10U);
  EXPECT_LT(turns, 10'000U);
  EXPECT_GT(most, heap::ReturnBatch::most_examined / 2);
}

TEST_P(ReturnInSteps, StopsBetweenBatchesWhenToldTo) {
  make_holes(500'000);
  Between between = {this, 0, 3};
  static_cast<void>(heap::release(*heap_, {[](void* context) {
                                             auto& state = *static_cast<Between*>(context);
                                             return ++state.times < state.enough;
                                           },
                                           &between}));
  EXPECT_EQ(between.times, 3);
  verify();
  EXPECT_GT(heap::release(*heap_), std::size_t{4} << 20);
}

TEST_P(ReturnInSteps, WaitsUntilBlocksHaveBeenQuietForSoManyTicks) {
  make_holes(20000);
  for (int tick = 1; tick < 3; ++tick) {
    begin(3);
    EXPECT_FALSE(batch_.has_work());
    finish();
  }
  begin(3);
  EXPECT_TRUE(batch_.has_work());
  discard();
  finish();
}

TEST_P(ReturnInSteps, CountsTicksPastTheEndOfTheirNumbers) {
  for (int tick = 0; tick < 253; ++tick) {
    begin();
    finish();
  }
  make_holes(20000);
  for (int tick = 1; tick < 5; ++tick) {
    begin(5);
    EXPECT_FALSE(batch_.has_work()) << tick;
    finish();
  }
  begin(5);
  EXPECT_TRUE(batch_.has_work());
  discard();
  finish();
}

TEST_P(ReturnInSteps, TellsTheWatcherWhenBlocksHaveComeBackSoOften) {
  heap_->operations->stop_watching(*heap_);
  told_ = 0;
  const heap::Watcher watcher = {[](void* context) { ++*static_cast<int*>(context); }, &told_, 100,
                                 50};
  heap_->operations->watch(*heap_, watcher);
  make_holes(20000);
  const auto often = static_cast<int>(heap_->operations->disturbances(*heap_));
  ASSERT_GT(often, 200);
  EXPECT_EQ(told_, 1 + (often - 100) / 50);
}

// A pool comes back to a class whose only other pool was kept meanwhile.
TEST_P(ReturnInSteps, BringsAPoolBackBesideOneThatWasKept) {
  if (GetParam().geometry == Geometry::classic) {
    GTEST_SKIP() << "a pool is a page, and goes back when it is empty";
  }
  const std::vector<void*> kept = make_holes(300);
  begin();
  ASSERT_NE(batch_.tiers[0].pool_count, 0U);
  free(allocate(64));
  discard();
  finish();
  verify();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_NE(allocate(64), nullptr);
  }
  verify();
}

TEST_P(ReturnInSteps, KeepsEmptyArenasUntilThen) {
  std::vector<void*> blocks;
  for (int i = 0; i < 60000; ++i) {
    blocks.push_back(allocate(64));
  }
  for (void* const block : blocks) {
    free(block);
  }
  HeapStatistics statistics;
  heap_->operations->collect_statistics(*heap_, statistics);
  EXPECT_EQ(statistics.arenas_released, 0U);
  bool has_work = false;
  do {
    begin();
    has_work = batch_.has_work();
    discard();
    finish();
  } while (has_work);
  verify();
  heap_->operations->collect_statistics(*heap_, statistics);
  EXPECT_EQ(statistics.arenas_now, 0U);
}

}  // namespace
}  // namespace tarn::test
