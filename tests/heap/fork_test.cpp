// A locked heap when the process forks while other threads are inside it.

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/child_process.h"
#include "support/combinations.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

class ForkedHeap : public testing::TestWithParam<Combination> {};
INSTANTIATE_TEST_SUITE_P(Of, ForkedHeap,
                         testing::ValuesIn(combinations_with(Synchronisation::locked)),
                         NameOfCombination());

// Small blocks only: in the child of a process with threads, the general allocator below is the C
// library's business (a sanitizer's has none of its care).
constexpr std::size_t largest = 400;

TEST_P(ForkedHeap, IsInOrderAndUsableInTheChildAndInTheParent) {
  Heap heap(GetParam().options());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 3; ++i) {
    threads.emplace_back([&heap, &stop, i] {
      Random random(seed_or(51) + i);
      std::vector<void*> blocks(300);
      while (!stop) {
        void*& block = blocks[random.below(blocks.size())];
        heap.free(block);
        block = heap.allocate(random.below(largest));
      }
      for (void* const block : blocks) {
        heap.free(block);
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    const ChildResult result = run_in_child([&] {
      ::alarm(60);  // a child that waits for a lock for ever
      heap.verify();
      void* blocks[100];
      for (void*& block : blocks) {
        block = heap.allocate(64);
      }
      for (void* const block : blocks) {
        heap.free(block);
      }
      heap.verify();
    });
    EXPECT_TRUE(result.exited) << "fork " << i << ": signal " << result.signal << "\n"
                               << result.standard_error;
    EXPECT_EQ(result.exit_code, 0) << result.standard_error;
    heap.verify();
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  heap.verify();
}

TEST(AHeapOfACallersLock, IsACopyOfItsOwnInTheChild) {
  Heap heap;
  auto* const block = static_cast<char*>(heap.allocate(40));
  *block = 'p';
  const ChildResult result = run_in_child([&] {
    *block = 'c';
    heap.free(block);
    heap.verify();
  });
  EXPECT_TRUE(result.exited) << result.standard_error;
  EXPECT_EQ(*block, 'p');
  heap.free(block);
  heap.verify();
}

TEST(ALockedHeap, LeavesNothingBehindThatAForkWouldWaitFor) {
  for (int i = 0; i < 3; ++i) {
    HeapOptions options;
    options.synchronisation = Synchronisation::locked;
    {
      Heap heap(options);
      heap.free(heap.allocate(8));
    }
    const ChildResult result = run_in_child([] {});
    EXPECT_TRUE(result.exited);
  }
}

}  // namespace
}  // namespace tarn::test
