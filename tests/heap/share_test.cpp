// heap::share: a heap under its caller's lock moves behind a lock of its own, while callers keep the
// functions and contexts that they copied before.

#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/assert.h"
#include "heap/instance.h"
#include "support/combinations.h"
#include "support/failing_allocator.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

constexpr std::size_t operations = tarn_debug_checks ? 3000 : 30000;

class SharingAHeap : public testing::TestWithParam<Combination> {
 protected:
  SharingAHeap() : heap_(heap::create(GetParam().options())) {
    for (std::size_t i = 0; i < domain_count; ++i) {
      faces_[i] = heap_->faces[i];  // as tracemalloc keeps them
    }
  }
  ~SharingAHeap() override { heap_->operations->destroy(*heap_); }

  [[nodiscard]] HeapStatistics statistics() {
    HeapStatistics statistics;
    heap_->operations->collect_statistics(*heap_, statistics);
    return statistics;
  }
  void verify() { heap_->operations->verify(*heap_); }

  void* allocate(std::size_t size, std::size_t domain = 2) {
    return faces_[domain].functions->allocate(faces_[domain].domain, size);
  }
  void free(void* block, std::size_t domain = 2) {
    faces_[domain].functions->free(faces_[domain].domain, block);
  }
  void* reallocate(void* block, std::size_t size, std::size_t domain = 2) {
    return faces_[domain].functions->reallocate(faces_[domain].domain, block, size);
  }

  heap::Instance* heap_;
  std::array<heap::Face, domain_count> faces_ = {};
};
INSTANTIATE_TEST_SUITE_P(Of, SharingAHeap, testing::ValuesIn(all_combinations()),
                         NameOfCombination());

TEST_P(SharingAHeap, MakesItALockedHeap) {
  heap::share(*heap_);
  EXPECT_EQ(heap_->synchronisation, Synchronisation::locked);
  EXPECT_EQ(statistics().synchronisation, Synchronisation::locked);
  verify();
}

TEST_P(SharingAHeap, ChangesNothingTheSecondTime) {
  void* const block = allocate(40);
  heap::share(*heap_);
  heap::share(*heap_);
  verify();
  EXPECT_TRUE(heap_->operations->owns(*heap_, block));
  free(block);
  verify();
}

TEST_P(SharingAHeap, KeepsItsBlocksCountsAndOrder) {
  void* const small = allocate(40);
  void* const large = allocate(4000);
  void* const freed = allocate(40);
  free(freed);
  const HeapStatistics before = statistics();
  heap::share(*heap_);
  verify();
  const HeapStatistics after = statistics();
  EXPECT_EQ(after.arenas_now, before.arenas_now);
  EXPECT_EQ(after.pools_used, before.pools_used);
  EXPECT_EQ(after.large_now, before.large_now);
  EXPECT_EQ(after.large_requests, before.large_requests);
  EXPECT_TRUE(heap_->operations->owns(*heap_, small));
  EXPECT_EQ(allocate(40), freed);
  free(freed);
  free(small);
  free(large);
  verify();
  EXPECT_EQ(statistics().large_now, 0U);
}

TEST_P(SharingAHeap, LeavesEveryOldFunctionUsable) {
  const heap::Functions& functions = *faces_[1].functions;
  void* const domain = faces_[1].domain;
  auto* before = static_cast<char*>(functions.allocate(domain, 30));
  std::memset(before, 'b', 30);
  heap::share(*heap_);
  before = static_cast<char*>(functions.reallocate(domain, before, 300));
  EXPECT_EQ(before[29], 'b');
  functions.free(domain, before);
  for (const std::size_t size : {0U, 1U, 100U, 512U, 513U, 9000U}) {
    functions.free(domain, functions.allocate(domain, size));
    functions.free_sized(domain, functions.allocate(domain, size), size);
    auto* const zeroed = static_cast<char*>(functions.allocate_zeroed(domain, 1, size));
    ASSERT_NE(zeroed, nullptr);
    EXPECT_TRUE(size == 0 || (zeroed[0] == 0 && zeroed[size - 1] == 0)) << size;
    functions.free(domain, functions.reallocate(domain, zeroed, 2 * size));
    void* const aligned = functions.allocate_aligned(domain, 256, size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 256, 0U);
    functions.free(domain, aligned);
    functions.free(domain, functions.reallocate(domain, nullptr, size));
  }
  functions.free(domain, nullptr);
  EXPECT_EQ(functions.allocate(domain, SIZE_MAX), nullptr);
  EXPECT_EQ(functions.allocate_zeroed(domain, SIZE_MAX, 2), nullptr);
  EXPECT_EQ(functions.allocate_aligned(domain, 3, 8), nullptr);
  verify();
  EXPECT_EQ(statistics().large_now, 0U);
}

TEST_P(SharingAHeap, LetsOldFacesBeUsedByThreadsAlsoForBlocksOfBefore) {
  std::array<std::atomic<unsigned char*>, 200> slots = {};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::size_t size = 1 + i * 4;
    auto* const block = static_cast<unsigned char*>(allocate(size));
    *block = 0x5a;
    slots[i] = block;
  }
  heap::share(*heap_);
  std::atomic<std::size_t> damaged{0};
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(seed_or(61) + thread);
      for (std::size_t i = 0; i < operations; ++i) {
        auto* block = static_cast<unsigned char*>(allocate(1 + random.below(600)));
        *block = 0x5a;
        block = slots[random.below(slots.size())].exchange(block);
        if (block == nullptr) {
          continue;
        }
        damaged += *block != 0x5a ? 1U : 0U;
        if (random.below(3) == 0) {
          block = static_cast<unsigned char*>(reallocate(block, 1 + random.below(600)));
          damaged += *block != 0x5a ? 1U : 0U;
        }
        free(block);
        if (i % 1000 == 0) {
          verify();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (auto& slot : slots) {
    free(slot.exchange(nullptr));
  }
  EXPECT_EQ(damaged, 0U);
  verify();
  const HeapStatistics end = statistics();
  EXPECT_EQ(end.large_now, 0U);
  for (const SizeClassStatistics& of_class : end.classes[2]) {
    EXPECT_EQ(of_class.blocks_allocated, 0U);
  }
}

// A debug heap asks about the lock that its caller named. Once shared, there is no such lock.
TEST(SharingADebugHeap, NoLongerAsksAboutTheCallersLock) {
  HeapOptions options;
  options.checks = Checks::debug;
  static bool held = true;
  options.lock_is_held = [] { return held; };
  heap::Instance* const heap = heap::create(options);
  const heap::Face face = heap->faces[0];
  void* const block = face.functions->allocate(face.domain, 8);
  heap::share(*heap);
  if (heap->synchronisation == Synchronisation::locked) {
    held = false;
  }
  face.functions->free(face.domain, block);
  heap->operations->verify(*heap);
  heap->operations->destroy(*heap);
}

}  // namespace
}  // namespace tarn::test
