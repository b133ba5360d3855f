// When memory or addresses run out.

#include <cstring>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/child_process.h"
#include "support/combinations.h"
#include "support/failing_allocator.h"
#include "support/heap_model.h"
#include "support/random_operations.h"
#include "support/sanitizers.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

void limit_addresses_to(std::size_t bytes) {
  const rlimit limit = {bytes, bytes};
  ::setrlimit(RLIMIT_AS, &limit);
}

class OutOfMemory : public testing::TestWithParam<Combination> {
 protected:
  [[nodiscard]] HeapOptions options() const {
    HeapOptions options = GetParam().options();
    options.general = general_.interface();
    options.large = Large::general;
    return options;
  }

  FailingAllocator general_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, OutOfMemory,
                         testing::ValuesIn(combinations_with(Synchronisation::caller)),
                         NameOfCombination());

TEST_P(OutOfMemory, LargeRequestsFailWhenTheGeneralAllocatorDoesAndSmallOnesDoNot) {
  Heap heap(options());
  general_.fail_all(true);
  EXPECT_EQ(heap.allocate(40000), nullptr);
  EXPECT_EQ(heap.allocate_zeroed(400, 100), nullptr);
  EXPECT_EQ(heap.allocate_aligned(65536, 10), nullptr);
  EXPECT_EQ(heap.reallocate(nullptr, 40000), nullptr);
  EXPECT_EQ(heap.statistics().large_now, 0U);
  void* const small = heap.allocate(100);
  EXPECT_NE(small, nullptr);
  heap.free(small);
  heap.verify();
}

TEST_P(OutOfMemory, AnyOneFailureLeavesTheHeapInOrder) {
  const std::uint64_t seed = seed_or(31);
  for (std::size_t nth = 1; nth <= 40; ++nth) {
    {
      Heap heap(options());
      HeapModel model(heap, options());
      model.expect_failures(true);
      Random random(seed);
      RandomOperations next(model, random, 100);
      general_.fail_the(nth);
      try {
        for (int i = 0; i < 400; ++i) {
          next.step();
          if (i % 40 == 0) {
            model.verify();
          }
        }
        model.free_all();
        model.verify();
      } catch (const ModelError& error) {
        FAIL() << error.what() << "\n  when request " << nth
               << " fails; repeat with TARN_TEST_SEED=" << seed;
      }
    }
    ASSERT_EQ(general_.live(), 0U) << "request " << nth;
  }
}

TEST_P(OutOfMemory, SmallRequestsGoToTheGeneralAllocatorWhenTheRangeIsUsedUp) {
  if (GetParam().address_map == AddressMap::page_map) {
    GTEST_SKIP() << "a page map has no limit of its own";
  }
  HeapOptions small = options();
  small.reserved_bytes = 1;  // one arena
  Heap heap(small);
  std::vector<void*> ours;
  void* outside = heap.allocate(400);
  while (heap.owns(outside)) {
    std::memset(outside, 0x11, 400);
    ours.push_back(outside);
    outside = heap.allocate(400);
    ASSERT_NE(outside, nullptr);
  }
  EXPECT_EQ(heap.statistics().arenas_now, 1U);
  EXPECT_EQ(heap.statistics().large_now, 1U);
  EXPECT_EQ(general_.live(), 1U);
  std::memset(outside, 0x22, 400);
  heap.verify();

  // Also zeroed and aligned, and of a class that has no pool yet.
  void* const zeroed = heap.allocate_zeroed(1, 30, Domain::mem);
  void* const aligned = heap.allocate_aligned(64, 64, Domain::raw);
  ASSERT_NE(zeroed, nullptr);
  ASSERT_NE(aligned, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 64, 0U);
  heap.free(zeroed, Domain::mem);
  heap.free(aligned, Domain::raw);

  general_.fail_all(true);
  EXPECT_EQ(heap.allocate(400), nullptr);
  general_.fail_all(false);

  // What comes back to the range is used before the general allocator.
  heap.free(ours.back());
  ours.back() = heap.allocate(400);
  EXPECT_TRUE(heap.owns(ours.back()));

  void* const moved = heap.reallocate(outside, 480);
  EXPECT_EQ(static_cast<unsigned char*>(moved)[399], 0x22);
  heap.free(moved);
  for (void* const block : ours) {
    heap.free(block);
  }
  heap.verify();
  EXPECT_EQ(general_.live(), 0U);
  EXPECT_EQ(heap.statistics().large_now, 0U);
}

TEST_P(OutOfMemory, AHeapUnderALimitOfAddressesFailsCleanlyAndRecovers) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  const ChildResult result = run_in_child([&] {
    limit_addresses_to(std::size_t{160} << 20);
    Heap heap(options());
    struct Link {
      Link* next;
    };
    Link* first = nullptr;
    std::size_t count = 0;
    while (auto* const link = static_cast<Link*>(heap.allocate(400))) {
      link->next = first;
      first = link;
      ++count;
    }
    heap.verify();
    const bool much = count > (std::size_t{40} << 20) / 512;
    while (first != nullptr) {
      Link* const next = first->next;
      heap.free(first);
      first = next;
    }
    heap.verify();
    const bool recovered = heap.allocate(400) != nullptr;
    heap.verify();
    ::_exit(much && recovered ? 0 : 3);
  });
  EXPECT_TRUE(result.exited) << result.standard_error;
  EXPECT_EQ(result.exit_code, 0);
}

TEST_P(OutOfMemory, AnAllocatorWithoutAlignmentOnlyCostsWhatThePoolsCannotServe) {
  GeneralAllocator without = *general_.interface();
  without.allocate_aligned = nullptr;
  HeapOptions options = GetParam().options();
  options.general = &without;
  Heap heap(options);
  EXPECT_EQ(heap.allocate_aligned(65536, 100), nullptr);
  void* const small = heap.allocate_aligned(8, 100);
  EXPECT_NE(small, nullptr);
  heap.free(small);
  if (GetParam().checks == Checks::none) {
    void* const wider = heap.allocate_aligned(128, 100);
    ASSERT_NE(wider, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wider) % 128, 0U);
    heap.free(wider);
  }
  heap.verify();
}

TEST(TheAddressMap, IsARangeWhereNothingLimitsAddresses) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  const Heap heap;
  EXPECT_EQ(heap.statistics().address_map, AddressMap::range);
}

TEST(TheAddressMap, IsAPageMapWhereTheReservationIsRefused) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  for (const Checks checks : {Checks::none, Checks::debug}) {
    const ChildResult result = run_in_child([&] {
      limit_addresses_to(std::size_t{1} << 30);
      HeapOptions options;
      options.checks = checks;
      Heap heap(options);
      void* const block = heap.allocate(64);
      heap.verify();
      ::_exit(heap.statistics().address_map == AddressMap::page_map && heap.owns(block) ? 0 : 3);
    });
    EXPECT_TRUE(result.exited) << result.standard_error;
    EXPECT_EQ(result.exit_code, 0);
  }
}

TEST(AHeapWithoutAnyAddresses, SaysSoAndAborts) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  EXPECT_EQ(text_of_abort([] {
              limit_addresses_to(4096);
              const Heap heap;
            }),
            "tarn: the system grants no address space for a heap; raise the limit (ulimit -v)\n");
}

}  // namespace
}  // namespace tarn::test
