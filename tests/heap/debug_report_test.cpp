// What the debug heap says before it aborts, word for word. The error is made in a child process, which
// has a copy of the heap that this process can look at.

#include <cstring>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/child_process.h"
#include "support/combinations.h"
#include "support/failing_allocator.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

class DebugHeap : public testing::TestWithParam<Combination> {
 protected:
  DebugHeap() : heap_(GetParam().options()) {
    // So that pools and blocks have numbers other than zero.
    static_cast<void>(heap_.allocate(200, Domain::mem));
    for (unsigned char*& block : blocks_) {
      block = static_cast<unsigned char*>(heap_.allocate(size));
    }
  }

  // The report's lines about where the address lies, as the heap is now.
  [[nodiscard]] std::string place_of(const void* address) const {
    const WalkedHeap walked(heap_);
    const WalkedArena* const arena = walked.arena_of(address);
    if (arena == nullptr) {
      return "  in no arena of this heap\n";
    }
    const WalkedPool* const pool = walked.pool_of(address);
    return block_line(*pool, address) + pool_line(*arena, *pool) + "  arena at " +
           address_text(arena->view.address) + ", " + std::to_string(arena->view.size) +
           " bytes: " + std::to_string(arena->view.nfreepools) + " of " +
           std::to_string(arena->view.pools) + " pools free\n";
  }

  static constexpr std::size_t size = 40;
  Heap heap_;
  unsigned char* blocks_[4] = {};

 private:
  static std::string block_line(const WalkedPool& pool, const void* address) {
    constexpr const char* states[] = {"untouched", "allocated", "free"};
    if (pool.view.state != PoolState::used && pool.view.state != PoolState::full) {
      return "";
    }
    const auto offset = static_cast<std::size_t>(static_cast<const char*>(address) -
                                                 static_cast<const char*>(pool.view.address));
    const std::size_t index = offset / pool.view.block_size;
    if (index >= pool.view.blocks) {
      return "  behind the last block of its pool\n";
    }
    const BlockView& block = pool.blocks[index];
    return "  block " + std::to_string(index) + " of " + std::to_string(pool.view.blocks) + ", " +
           std::to_string(block.size) + " bytes each, at " + address_text(block.address) + ": " +
           states[static_cast<std::size_t>(block.state)] + "\n";
  }

  static std::string pool_line(const WalkedArena& arena, const WalkedPool& pool) {
    constexpr const char* states[] = {"untouched", "empty", "used", "full"};
    const auto index = static_cast<std::size_t>(&pool - arena.pools.data());
    std::string line =
        "  pool " + std::to_string(index) + " of " + std::to_string(arena.view.pools) + ", at " +
        address_text(pool.view.address) + ": " + states[static_cast<std::size_t>(pool.view.state)];
    if (pool.view.state == PoolState::used || pool.view.state == PoolState::full) {
      line += ", size class " + std::to_string(pool.view.szidx) + ", domain " +
              name_of(pool.view.domain) + ", " + std::to_string(pool.view.allocated) +
              " blocks allocated";
    }
    return line + "\n";
  }
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, DebugHeap,
                         testing::ValuesIn(combinations_with(Checks::debug)), NameOfCombination());

TEST_P(DebugHeap, ReportsADoubleFree) {
  heap_.free(blocks_[2]);
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[2]); }),
            "tarn: double free of " + address_text(blocks_[2]) + " in domain obj\n" +
                place_of(blocks_[2]));
  EXPECT_EQ(text_of_abort([&] { heap_.free_sized(blocks_[2], size); }),
            "tarn: double free of " + address_text(blocks_[2]) + " in domain obj\n" +
                place_of(blocks_[2]));
}

TEST_P(DebugHeap, ReportsAReallocationOfAFreedBlockAsADoubleFree) {
  heap_.free(blocks_[2]);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(blocks_[2], 10)); }),
            "tarn: double free of " + address_text(blocks_[2]) + " in domain obj\n" +
                place_of(blocks_[2]));
}

TEST_P(DebugHeap, ReportsAFreeOfWhatIsNotItsOwn) {
  alignas(16) unsigned char local[64] = {};
  EXPECT_EQ(text_of_abort([&] { heap_.free(local + 16, Domain::raw); }),
            "tarn: foreign free (or double free of a large block) of " + address_text(local + 16) +
                " in domain raw\n  in no arena of this heap\n");
}

TEST_P(DebugHeap, ReportsAReallocationOfWhatIsNotItsOwn) {
  alignas(16) unsigned char local[64] = {};
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(local + 16, 1)); }),
            "tarn: foreign free (or double free of a large block) of " + address_text(local + 16) +
                " in domain obj\n  in no arena of this heap\n");
}

TEST_P(DebugHeap, ReportsAFreeOfAnAddressInsideABlock) {
  for (const int offset : {-16, -1, 1, 8, 39}) {
    const unsigned char* const inside = blocks_[1] + offset;
    EXPECT_EQ(text_of_abort([&] { heap_.free(const_cast<unsigned char*>(inside)); }),
              "tarn: free of an address inside a block: " + address_text(inside) +
                  " in domain obj\n" + place_of(inside));
  }
}

TEST_P(DebugHeap, ReportsAFreeOfAnUntouchedBlock) {
  unsigned char* const untouched = blocks_[3] + (blocks_[3] - blocks_[2]);
  EXPECT_EQ(text_of_abort([&] { heap_.free(untouched); }),
            "tarn: free of an untouched block: " + address_text(untouched) + " in domain obj\n" +
                place_of(untouched));
}

TEST_P(DebugHeap, ReportsAFreeInAPoolWithoutBlocks) {
  const WalkedHeap walked(heap_);
  const WalkedPool& last = walked.arenas[0].pools.back();
  ASSERT_EQ(last.view.state, PoolState::untouched);
  auto* const address = static_cast<unsigned char*>(const_cast<void*>(last.view.address)) + 16;
  EXPECT_EQ(text_of_abort([&] { heap_.free(address); }),
            "tarn: free of an address that is no block: " + address_text(address) +
                " in domain obj\n" + place_of(address));
}

TEST_P(DebugHeap, ReportsAFreeBehindTheLastBlockOfAPool) {
  // A block of 80 bytes, of which no pool is a multiple.
  void* const block = heap_.allocate(80 - debug_overhead);
  const WalkedHeap walked(heap_);
  const WalkedPool* const pool = walked.pool_of(block);
  const std::size_t rest = pool->view.size - pool->view.blocks * pool->view.block_size;
  ASSERT_NE(rest, 0U);
  auto* const address =
      static_cast<unsigned char*>(const_cast<void*>(pool->view.address)) + pool->view.size - rest;
  EXPECT_EQ(text_of_abort([&] { heap_.free(address); }),
            "tarn: free of an address that is no block: " + address_text(address) +
                " in domain obj\n" + place_of(address));
}

TEST_P(DebugHeap, ReportsAWritePastTheEndWhenTheBlockIsFreedReallocatedOrVerified) {
  blocks_[1][size] = 'x';
  const std::string expected = "tarn: write past the end of " + address_text(blocks_[1]) +
                               " in domain obj\n  the guard byte at " +
                               address_text(blocks_[1] + size) + "\n" + place_of(blocks_[1]);
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[1]); }), expected);
  EXPECT_EQ(text_of_abort([&] { heap_.free_sized(blocks_[1], size); }), expected);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(blocks_[1], 50)); }), expected);
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), expected);
}

TEST_P(DebugHeap, ReportsAWriteToTheLastGuardByte) {
  blocks_[1][size + 7] = 'x';
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[1]); }),
            "tarn: write past the end of " + address_text(blocks_[1]) +
                " in domain obj\n  the guard byte at " + address_text(blocks_[1] + size + 7) +
                "\n" + place_of(blocks_[1]));
}

TEST_P(DebugHeap, ReportsAWriteBeforeTheStart) {
  blocks_[1][-1] = 'x';
  const std::string expected = "tarn: write before the start of " + address_text(blocks_[1]) +
                               " in domain obj\n  the guard byte at " +
                               address_text(blocks_[1] - 1) + "\n" + place_of(blocks_[1]);
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[1]); }), expected);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(blocks_[1], 50)); }), expected);
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), expected);
}

TEST_P(DebugHeap, ReportsAWriteOverTheDomainAndTheSize) {
  const unsigned char letter = blocks_[1][-8];
  blocks_[1][-8] = 0;
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[1]); }),
            "tarn: write before the start of " + address_text(blocks_[1]) +
                " in domain obj\n  the domain's letter is damaged\n" + place_of(blocks_[1]));
  blocks_[1][-8] = letter;
  blocks_[1][-12] = 1;
  EXPECT_EQ(text_of_abort([&] { heap_.free(blocks_[1]); }),
            "tarn: write before the start of " + address_text(blocks_[1]) +
                " in domain obj\n  the block's size is damaged\n" + place_of(blocks_[1]));
}

TEST_P(DebugHeap, ReportsAWriteAfterFreeWhenTheBlockIsHandedOutAgainOrVerified) {
  heap_.free(blocks_[1]);
  blocks_[1][20] = 'x';
  const std::string expected = "tarn: write after free to " + address_text(blocks_[1]) +
                               " in domain obj\n  the byte at " + address_text(blocks_[1] + 20) +
                               "\n" + place_of(blocks_[1]);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.allocate(size)); }), expected);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(blocks_[0], size)); }),
            expected);
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), expected);
}

TEST_P(DebugHeap, ReportsAWriteAfterFreeToABlockDeepInTheListWhenVerified) {
  heap_.free(blocks_[1]);
  heap_.free(blocks_[2]);
  blocks_[1][0] = 'x';
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }),
            "tarn: write after free to " + address_text(blocks_[1]) +
                " in domain obj\n  the byte at " + address_text(blocks_[1]) + "\n" +
                place_of(blocks_[1]));
}

TEST_P(DebugHeap, ReportsAWriteAfterFreeInAPoolThatIsEmptyWhenVerified) {
  const std::size_t in_pool = WalkedHeap(heap_).pool_of(blocks_[0])->view.blocks;
  std::vector<void*> first(blocks_, blocks_ + 4);
  while (first.size() < in_pool) {
    first.push_back(heap_.allocate(size));
  }
  static_cast<void>(heap_.allocate(size));  // of another pool, so that the first isn't kept
  for (void* const block : first) {
    heap_.free(block);
  }
  ASSERT_EQ(WalkedHeap(heap_).pool_of(blocks_[1])->view.state, PoolState::empty);
  heap_.verify();
  blocks_[1][3] = 'x';
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }),
            "tarn: write after free to " + address_text(blocks_[1]) +
                " in domain obj\n  the byte at " + address_text(blocks_[1] + 3) + "\n" +
                place_of(blocks_[1]));
}

// The first eight bytes of a freed block, sixteen before what the caller held, link it to the next.
TEST_P(DebugHeap, ReportsAWriteOverTheLinkOfAFreedBlockAndDoesNotFollowIt) {
  heap_.free(blocks_[1]);
  heap_.free(blocks_[2]);
  const std::string place = place_of(blocks_[2]);
  void* const nowhere = reinterpret_cast<void*>(0x4141414141414140);
  std::memcpy(blocks_[2] - 16, &nowhere, sizeof(nowhere));
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.allocate(size)); }),
            "tarn: write after free to " + address_text(blocks_[2]) +
                " in domain obj\n  the link to the next free block, which is now "
                "0x4141414141414140\n" +
                place);
}

// As above, in a pool that isn't the first of its class, so that nobody looks before it is taken.
TEST_P(DebugHeap, ReportsAWriteOverTheLinkOfAFreedBlockInAnotherPool) {
  const std::size_t in_pool = WalkedHeap(heap_).pool_of(blocks_[0])->view.blocks;
  for (std::size_t i = 4; i < in_pool; ++i) {
    static_cast<void>(heap_.allocate(size));
  }
  std::vector<void*> second;
  for (std::size_t i = 0; i < in_pool; ++i) {
    second.push_back(heap_.allocate(size));
  }
  heap_.free(blocks_[1]);
  heap_.free(blocks_[2]);
  heap_.free(second[0]);  // its pool is the first now, with this one block to give
  void* const nowhere = reinterpret_cast<void*>(0x4141414141414140);
  std::memcpy(blocks_[2] - 16, &nowhere, sizeof(nowhere));
  EXPECT_THAT(text_of_abort([&] {
                for (int i = 0; i < 4; ++i) {
                  static_cast<void>(heap_.allocate(size));
                }
              }),
              testing::StartsWith("tarn: write after free to " + address_text(blocks_[2]) +
                                  " in domain obj\n  the link to the next free block, which is "
                                  "now 0x4141414141414140\n"));
}

TEST_P(DebugHeap, ReportsAWriteToUntouchedMemory) {
  unsigned char* const untouched = blocks_[3] + (blocks_[3] - blocks_[2]);
  untouched[5] = 'x';
  const std::string what = "tarn: write to untouched memory at " + address_text(untouched) +
                           " in domain obj\n  the byte at " + address_text(untouched + 5) + "\n";
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), what + place_of(untouched));
  EXPECT_THAT(text_of_abort([&] { static_cast<void>(heap_.allocate(size)); }),
              testing::StartsWith(what));
}

TEST_P(DebugHeap, ReportsABlockFreedInAnotherDomainThanItsOwn) {
  for (const Domain own : all_domains) {
    void* const block = heap_.allocate(size, own);
    for (const Domain other : all_domains) {
      if (other == own) {
        continue;
      }
      const std::string expected =
          "tarn: wrong domain: free of " + address_text(block) + " in domain " + name_of(other) +
          "\n  it was allocated in domain " + name_of(own) + "\n" + place_of(block);
      EXPECT_EQ(text_of_abort([&] { heap_.free(block, other); }), expected);
      EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(block, 10, other)); }),
                expected);
    }
  }
}

TEST_P(DebugHeap, ReportsAFreeWithAWrongSize) {
  for (const std::size_t wrong : {std::size_t{0}, size - 1, size + 1, std::size_t{5000}}) {
    EXPECT_EQ(text_of_abort([&] { heap_.free_sized(blocks_[0], wrong); }),
              "tarn: free with a wrong size of " + address_text(blocks_[0]) + " in domain obj\n" +
                  place_of(blocks_[0]));
  }
}

// Large blocks are the general allocator's; over-aligned ones have the same guards, elsewhere.
class LargeDebugBlock : public testing::TestWithParam<std::tuple<Combination, bool>> {
 protected:
  LargeDebugBlock() : heap_(std::get<0>(GetParam()).options()) {
    block_ = static_cast<unsigned char*>(is_aligned() ? heap_.allocate_aligned(1024, size)
                                                      : heap_.allocate(size));
  }
  ~LargeDebugBlock() override { heap_.free(block_); }

  [[nodiscard]] bool is_aligned() const { return std::get<1>(GetParam()); }
  [[nodiscard]] std::string report(const std::string& what, const std::string& domain,
                                   const std::string& detail) const {
    return "tarn: " + what + " " + address_text(block_) + " in domain " + domain + "\n" + detail +
           "  in no arena of this heap\n";
  }

  static constexpr std::size_t size = 3000;
  Heap heap_;
  unsigned char* block_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, LargeDebugBlock,
                         testing::Combine(testing::ValuesIn(combinations_with(Checks::debug)),
                                          testing::Bool()),
                         [](const auto& one) {
                           return std::get<0>(one.param).name() +
                                  (std::get<1>(one.param) ? "_aligned" : "_plain");
                         });

TEST_P(LargeDebugBlock, ReportsAWritePastTheEnd) {
  block_[size] = 'x';
  const std::string expected = report("write past the end of", "obj",
                                      "  the guard byte at " + address_text(block_ + size) + "\n");
  EXPECT_EQ(text_of_abort([&] { heap_.free(block_); }), expected);
  EXPECT_EQ(text_of_abort([&] { static_cast<void>(heap_.reallocate(block_, 9)); }), expected);
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), expected);
  block_[size] = 0xFD;
}

TEST_P(LargeDebugBlock, ReportsAWriteBeforeTheStart) {
  block_[-3] = 'x';
  const std::string expected = report("write before the start of", "obj",
                                      "  the guard byte at " + address_text(block_ - 3) + "\n");
  EXPECT_EQ(text_of_abort([&] { heap_.free(block_); }), expected);
  EXPECT_EQ(text_of_abort([&] { heap_.verify(); }), expected);
  block_[-3] = 0xFD;
}

TEST_P(LargeDebugBlock, ReportsADoubleFree) {
  EXPECT_EQ(text_of_abort([&] {
              heap_.free(block_);
              heap_.free(block_);
            }),
            report("foreign free (or double free of a large block) of", "obj", ""));
}

TEST_P(LargeDebugBlock, ReportsAFreeOfAnAddressInsideIt) {
  EXPECT_EQ(text_of_abort([&] { heap_.free(block_ + 16); }),
            "tarn: foreign free (or double free of a large block) of " + address_text(block_ + 16) +
                " in domain obj\n  in no arena of this heap\n");
}

TEST_P(LargeDebugBlock, ReportsAFreeInAnotherDomain) {
  EXPECT_EQ(text_of_abort([&] { heap_.free(block_, Domain::raw); }),
            report("wrong domain: free of", "raw", "  it was allocated in domain obj\n"));
}

TEST_P(LargeDebugBlock, ReportsAFreeWithAWrongSize) {
  EXPECT_EQ(text_of_abort([&] { heap_.free_sized(block_, size - 1); }),
            report("free with a wrong size of", "obj", ""));
}

TEST(ADebugHeapWhoseGeneralAllocatorServedBefore, PassesForeignBlocksOn) {
  FailingAllocator general;
  general.has_served_before();
  HeapOptions options;
  options.checks = Checks::debug;
  options.general = general.interface();
  Heap heap(options);
  const GeneralAllocator& below = *general.interface();
  void* block = below.allocate(below.context, 40);
  void* const other = below.allocate(below.context, 40);
  block = heap.reallocate(block, 4000);
  ASSERT_NE(block, nullptr);
  heap.free(block);
  heap.free_sized(other, 3);
  EXPECT_EQ(general.live(), 0U);
}

TEST(ADebugHeapOfACallersLock, ReportsACallWithoutTheLock) {
  HeapOptions options;
  options.checks = Checks::debug;
  options.lock_is_held = [] { return false; };
  Heap heap(options);
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { static_cast<void>(heap.allocate(1)); },
           [&] { static_cast<void>(heap.allocate_zeroed(1, 1)); },
           [&] { static_cast<void>(heap.reallocate(nullptr, 1)); }, [&] { heap.free(nullptr); },
           [&] { heap.free_sized(nullptr, 1); },
           [&] { static_cast<void>(heap.allocate_aligned(64, 1)); },
           [&] { heap.release_empty_arenas(); }}) {
    EXPECT_EQ(text_of_abort(call),
              "tarn: call without the lock: the heap belongs to whoever holds it\n");
  }
}

// The first thread is stopped while it is inside: when the heap asks it about the lock.
std::binary_semaphore is_inside{0};
std::binary_semaphore may_leave{0};

TEST(ADebugHeapOfACallersLock, ReportsTwoThreadsInside) {
  EXPECT_EQ(text_of_abort([] {
              HeapOptions options;
              options.checks = Checks::debug;
              options.lock_is_held = [] {
                is_inside.release();
                may_leave.acquire();
                return true;
              };
              Heap heap(options);
              std::thread first([&] { static_cast<void>(heap.allocate(8)); });
              is_inside.acquire();
              static_cast<void>(heap.allocate(8));
              ::_exit(3);
            }),
            "tarn: two threads inside one heap: the heap belongs to whoever holds the lock\n");
}

TEST(ADebugHeapOfACallersLock, AllowsThreadsOneAfterTheOther) {
  HeapOptions options;
  options.checks = Checks::debug;
  Heap heap(options);
  void* block = heap.allocate(8);
  std::thread([&] { block = heap.reallocate(block, 80); }).join();
  heap.free(block);
  heap.verify();
}

}  // namespace
}  // namespace tarn::test
