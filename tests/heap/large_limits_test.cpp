// Requests over 32 KiB at the limits: of addresses, of the kernel's mappings, of what may be kept, and of what a
// program may do wrong.

#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "alloc/span_set.h"
#include "heap/instance.h"
#include "support/child_process.h"
#include "support/resident_pages.h"
#include "support/sanitizers.h"

namespace tarn::test {
namespace {

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;

void limit_addresses(std::size_t bytes) {
  const rlimit limit = {bytes, bytes};
  ::setrlimit(RLIMIT_AS, &limit);
}

// Takes the addresses that the limit leaves, in one mapping.
void use_up_addresses_but(std::size_t left) {
  std::size_t size = std::size_t{1} << 30;
  void* taken = MAP_FAILED;
  while (taken == MAP_FAILED) {
    size -= 1 * MiB;
    taken = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  ::munmap(static_cast<std::byte*>(taken) + (size - left), left);
}

// Fills the process's table of mappings: pages whose neighbours have another protection.
void use_up_mappings() {
  constexpr std::size_t most = 200'000;
  const std::size_t page = alloc::SpanSet::page();
  auto* const pages = static_cast<std::byte*>(
      ::mmap(nullptr, most * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  for (std::size_t i = 0; i < most; i += 2) {
    if (::mprotect(pages + i * page, page, PROT_READ) != 0) {
      return;
    }
  }
}

// The freed block was joined with the one before it: nothing says any longer that a block starts there.
TEST(AFreeOfALargeBlockTwice, IsFoundWhenItsPagesWereJoinedWithOthers) {
  for (const bool first_goes_first : {true, false}) {
    const std::string text = text_of_abort([&] {
      Heap heap;
      void* const first = heap.allocate(100 * KiB);
      void* const second = heap.allocate(100 * KiB);
      static_cast<void>(heap.allocate(100 * KiB));
      heap.free(first_goes_first ? first : second);
      heap.free(first_goes_first ? second : first);
      heap.free(second);
    });
    EXPECT_NE(text.find("a large block is freed once"), std::string::npos) << text;
  }
}

TEST(AFreeOfALargeBlockTwice, IsFoundWhenItsPagesHaveBecomeAnother) {
  const std::string text = text_of_abort([] {
    Heap heap;
    void* const first = heap.allocate(100 * KiB);
    void* const second = heap.allocate(100 * KiB);
    static_cast<void>(heap.allocate(100 * KiB));
    heap.free(first);
    heap.free(second);
    static_cast<void>(heap.allocate(200 * KiB));
    heap.free(second);
  });
  EXPECT_NE(text.find("a large block is freed once"), std::string::npos) << text;
}

TEST(AFreeOfALargeBlockTwice, IsReportedByADebugHeapThatOtherBlocksComeToAsWell) {
  GeneralAllocator general = c_library_allocator();
  general.served_before = true;
  for (const std::size_t size : {100 * KiB, 2 * MiB}) {
    const std::string text = text_of_abort([&] {
      HeapOptions options;
      options.checks = Checks::debug;
      options.general = &general;
      Heap heap(options);
      void* const block = heap.allocate(size);
      static_cast<void>(heap.allocate(size));
      heap.free(block);
      heap.free(block);
    });
    EXPECT_NE(text.find("double free of a large block"), std::string::npos) << text;
  }
}

// The last span is of the request's own bin, behind more too small ones than are looked at, and more than large
// enough.
TEST(SpanSet, FindsTheLastSpanThoughItsBinIsLong) {
  alloc::SpanSet spans;
  ASSERT_TRUE(spans.open(4 * MiB));
  const std::size_t page = alloc::SpanSet::page();
  std::vector<std::byte*> blocks;
  std::size_t left = 4 * MiB / page - 35;
  for (int i = 0; i < 10; ++i) {
    blocks.push_back(spans.allocate_clean(32 * page, Domain::obj));
    ASSERT_NE(spans.allocate_clean(page, Domain::obj), nullptr);
    left -= 33;
  }
  ASSERT_NE(spans.allocate_clean(left * page, Domain::obj), nullptr);
  for (std::byte* const block : blocks) {
    spans.free_and_discard(block);
  }
  spans.verify();
  EXPECT_NE(spans.allocate_clean(34 * page, Domain::obj), nullptr);
  spans.verify();
  spans.close();
}

TEST(SpanSet, TakesAReservationLargerThanItCanCount) {
  alloc::SpanSet spans;
  if (!spans.open(SIZE_MAX)) {
    GTEST_SKIP() << "the system grants no 16 TiB of addresses";
  }
  EXPECT_NE(spans.allocate_clean(100 * KiB, Domain::obj), nullptr);
  spans.verify();
  spans.close();
}

TEST(LargeBlocksThatShrink, KeepNoMoreThanMayBeKept) {
  Heap heap;  // that nobody watches
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    void* const block = heap.allocate(1000 * KiB);
    std::memset(block, 1, 1000 * KiB);
    blocks.push_back(block);
  }
  for (void*& block : blocks) {
    block = heap.reallocate(block, 40 * KiB);
    EXPECT_EQ(static_cast<unsigned char*>(block)[40 * KiB - 1], 1U);
  }
  EXPECT_LE(heap.statistics().large.kept_bytes, 64 * MiB);
  heap.verify();
  for (void* const block : blocks) {
    heap.free(block);
  }
}

TEST(LargeBlocksThatShrink, GiveBackWhatIsBehindThemAtOnceWhereThatIsAskedFor) {
  HeapOptions options;
  options.release = Release::at_once;
  Heap heap(options);
  void* block = heap.allocate(1000 * KiB);
  std::memset(block, 1, 1000 * KiB);
  block = heap.reallocate(block, 40 * KiB);
  EXPECT_EQ(heap.statistics().large.kept_bytes, 0U);
  EXPECT_LE(resident_bytes(block, 1000 * KiB), 40 * KiB);
  heap.verify();
  heap.free(block);
}

// The addresses for an eighth more aren't there, those that were asked for are.
TEST(LargeBlocksUnderALimitOfAddresses, GrowAsLongAsThereIsRoom) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  const ChildResult result = run_in_child([] {
    limit_addresses(600 * MiB);
    Heap heap;
    void* const block = heap.allocate(400 * MiB);
    std::memset(block, 1, 1 * MiB);
    use_up_addresses_but(20 * MiB);
    const auto* const grown = static_cast<const unsigned char*>(heap.reallocate(block, 410 * MiB));
    ::_exit(grown != nullptr && grown[0] == 1 && grown[1 * MiB - 1] == 1 ? 0 : 3);
  });
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
}

// What is kept of freed ones must not be why there is no memory.
TEST(LargeBlocksUnderALimitOfAddresses, LetGoOfWhatTheyKept) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  for (const bool zeroed : {false, true}) {
    const ChildResult result = run_in_child([&] {
      limit_addresses(600 * MiB);
      Heap heap;
      std::vector<void*> blocks(40);
      for (void*& block : blocks) {
        block = heap.allocate(12 * MiB);
        std::memset(block, 1, 12 * MiB);
      }
      // Every second one, so that they don't become one.
      for (std::size_t i = 0; i < 10; i += 2) {
        heap.free(blocks[i]);
      }
      if (heap.statistics().large.kept_bytes < 40 * MiB) {
        ::_exit(4);
      }
      use_up_addresses_but(1 * MiB);
      void* const block = zeroed ? heap.allocate_zeroed(1, 30 * MiB) : heap.allocate(30 * MiB);
      heap.verify();
      ::_exit(block != nullptr ? 0 : 3);
    });
    EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  }
}

// A part of a mapping can't be unmapped where the kernel has no other mapping to give for what remains.
TEST(LargeBlocksWhereTheKernelHasNoMappingLeft, StillGiveTheirMemoryBack) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  const ChildResult result = run_in_child([] {
    HeapOptions options;
    options.release = Release::at_once;
    Heap heap(options);
    std::vector<void*> blocks(9);
    for (void*& block : blocks) {
      block = heap.allocate(8 * MiB);
      std::memset(block, 1, 8 * MiB);
    }
    use_up_mappings();
    const std::size_t before = resident_bytes_of_process();
    for (std::size_t i = 1; i < blocks.size(); i += 2) {
      heap.free(blocks[i]);
    }
    const std::size_t after = resident_bytes_of_process();
    heap.verify();
    ::_exit(before - after > 30 * MiB && before > after ? 0 : 3);
  });
  EXPECT_TRUE(result.exited) << result.standard_error;
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
}

// As after a fork, when nobody looks at what was freed before it.
TEST(FreedLargeBlocks, AllGoBackOnRequestAlsoThoseThatWereForgotten) {
  heap::Instance* const heap = heap::create({});
  const heap::Face& face = heap->face(Domain::obj);
  std::vector<void*> blocks(1200);
  for (void*& block : blocks) {
    block = face.functions->allocate(face.domain, 40 * KiB);
    std::memset(block, 1, 40 * KiB);
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) {
    face.functions->free(face.domain, blocks[i]);
  }
  heap->operations->forget_disturbed(*heap);
  static_cast<void>(heap::release(*heap));
  HeapStatistics statistics;
  heap->operations->collect_statistics(*heap, statistics);
  EXPECT_EQ(statistics.large.kept_bytes, 0U);
  heap->operations->verify(*heap);
  heap->operations->destroy(*heap);
}

}  // namespace
}  // namespace tarn::test
