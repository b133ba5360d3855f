// Requests over 32 KiB: pages of a shared range, and mappings of their own.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "base/bits.h"
#include "heap/instance.h"
#include "support/child_process.h"
#include "support/combinations.h"
#include "support/resident_pages.h"
#include "support/sanitizers.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;
const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

// The first, the last, and one byte of each page between: enough to find an overlap or lost pages.
void stamp(void* block, std::size_t size, unsigned char mark) {
  auto* const bytes = static_cast<unsigned char*>(block);
  for (std::size_t i = 0; i < size; i += page) {
    bytes[i] = mark;
  }
  bytes[size - 1] = mark;
}

bool is_stamped(const void* block, std::size_t size, unsigned char mark) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  for (std::size_t i = 0; i < size; i += page) {
    if (bytes[i] != mark) {
      return false;
    }
  }
  return true;
}

bool is_zero(const void* block, std::size_t size) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

// How many mappings the kernel has of this process.
std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  std::string line;
  std::size_t count = 0;
  while (std::getline(file, line)) {
    ++count;
  }
  return count;
}

class LargeBlocks : public testing::TestWithParam<Combination> {
 protected:
  LargeBlocks() : heap_(heap::create(GetParam().options())) {}
  ~LargeBlocks() override { heap_->operations->destroy(*heap_); }

  [[nodiscard]] const heap::Face& face() const { return heap_->face(Domain::obj); }
  void* allocate(std::size_t size) { return face().functions->allocate(face().domain, size); }
  void* allocate_zeroed(std::size_t size) {
    return face().functions->allocate_zeroed(face().domain, 1, size);
  }
  void* reallocate(void* block, std::size_t size) {
    return face().functions->reallocate(face().domain, block, size);
  }
  void free(void* block) { face().functions->free(face().domain, block); }
  void* allocate_stamped(std::size_t size) {
    void* const block = allocate(size);
    stamp(block, size, 0x77);
    return block;
  }

  [[nodiscard]] bool is_debug() const { return GetParam().checks == Checks::debug; }
  // Blocks up to 1 MiB have a range of their own.
  [[nodiscard]] bool has_range() const { return GetParam().address_map == AddressMap::range; }
  [[nodiscard]] bool returns_at_once() const { return GetParam().release == Release::at_once; }
  LargeStatistics statistics() {
    HeapStatistics statistics;
    heap_->operations->collect_statistics(*heap_, statistics);
    return statistics.large;
  }
  void verify() { heap_->operations->verify(*heap_); }
  void watch() {
    const heap::Watcher watcher = {[](void* context) { ++*static_cast<int*>(context); }, &told_,
                                   1024, 64};
    heap_->operations->watch(*heap_, watcher);
  }
  void begin(unsigned age = 0, std::size_t most = SIZE_MAX) {
    batch_.clear();
    heap_->operations->begin_return(
        *heap_, batch_, {.least_age = age, .tick = true, .most_bytes = most, .all = false});
  }
  void discard() { heap_->operations->discard(batch_); }
  void finish() { heap_->operations->finish_return(*heap_, batch_); }

  heap::Instance* heap_;
  heap::ReturnBatch batch_;
  int told_ = 0;
};

std::vector<Combination> with_large_blocks() {
  std::vector<Combination> all = all_combinations_and_stress();
  std::erase_if(all, [](const Combination& one) { return one.geometry != Geometry::tarn; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(OfOneThread, LargeBlocks, testing::ValuesIn(with_large_blocks()),
                         NameOfCombination());

TEST_P(LargeBlocks, AreCountedByKind) {
  void* const span = allocate(40 * KiB);
  void* const mapping = allocate(2 * MiB);
  EXPECT_EQ(statistics().blocks, has_range() ? 2U : 1U);
  EXPECT_EQ(statistics().mappings, 1U);
  EXPECT_GE(statistics().bytes, 2 * MiB + (has_range() ? 40 * KiB : 0));
  free(span);
  free(mapping);
  EXPECT_EQ(statistics().blocks, 0U);
  EXPECT_EQ(statistics().bytes, 0U);
  verify();
}

TEST_P(LargeBlocks, AreShownByTheWalk) {
  struct Seen final : HeapVisitor {
    void large_block(const LargeBlockView& view) override { views.push_back(view); }
    std::vector<LargeBlockView> views;
  };
  void* const block = allocate(3 * MiB);
  Seen seen;
  heap_->operations->walk(*heap_, seen);
  ASSERT_EQ(seen.views.size(), 1U);
  EXPECT_LE(seen.views[0].address, block);
  EXPECT_GE(seen.views[0].size, 3 * MiB);
  EXPECT_TRUE(seen.views[0].is_mapping);
  EXPECT_EQ(seen.views[0].domain, Domain::obj);
  free(block);
}

TEST_P(LargeBlocks, KeepTheirContentsWhateverTheyBecome) {
  std::size_t size = 100;
  void* block = allocate(size);
  stamp(block, size, 0x5a);
  for (const std::size_t next :
       {40 * KiB, 41 * KiB, 200 * KiB, 999 * KiB, 1 * MiB, 5 * MiB, 40 * MiB, 41 * MiB, 3 * MiB,
        700 * KiB, 400 * KiB, 33 * KiB, 32 * KiB, 600 * KiB, 5 * KiB, 2 * MiB, 100 * KiB / 1024}) {
    block = reallocate(block, next);
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_stamped(block, std::min(size, next), 0x5a)) << size << " to " << next;
    stamp(block, next, 0x5a);
    size = next;
    verify();
  }
  free(block);
  verify();
}

TEST_P(LargeBlocks, ComeZeroedAlsoFromPagesThatWereUsed) {
  for (const std::size_t size : {40 * KiB, 500 * KiB, 2 * MiB, 20 * MiB}) {
    for (int i = 0; i < 3; ++i) {
      void* const block = allocate_zeroed(size);
      EXPECT_TRUE(is_zero(block, size)) << size;
      std::memset(block, 0xff, size);
      free(block);
      if (i == 1) {
        static_cast<void>(heap::release(*heap_));
      }
    }
  }
  verify();
}

TEST_P(LargeBlocks, GrowWithoutBeingCopied) {
  if (is_debug()) {
    GTEST_SKIP() << "the debug heap always moves";
  }
  // Pages that nobody wrote to aren't resident; a copy would make them so.
  const std::size_t size = 64 * MiB;
  char* block = static_cast<char*>(allocate(size));
  block[0] = 'a';
  block[size - 1] = 'z';
  block = static_cast<char*>(reallocate(block, 4 * size));
  EXPECT_EQ(block[0], 'a');
  EXPECT_EQ(block[size - 1], 'z');
  EXPECT_LE(resident_bytes(block, 4 * size), 4 * page);
  block = static_cast<char*>(reallocate(block, size / 2));
  EXPECT_EQ(block[0], 'a');
  EXPECT_LE(resident_bytes(block, size / 2), 4 * page);
  EXPECT_EQ(statistics().resized, 2U);
  free(block);
}

TEST_P(LargeBlocks, GrowInPlaceWhereNothingIsBehind) {
  if (is_debug() || !has_range()) {
    GTEST_SKIP() << "the debug heap always moves; and without a range there are only mappings";
  }
  void* const block = allocate(40 * KiB);
  EXPECT_EQ(reallocate(block, 400 * KiB), block);
  EXPECT_EQ(reallocate(block, 1000 * KiB), block);
  EXPECT_EQ(reallocate(block, 50 * KiB), block);
  verify();
  // What came free is there for the next.
  void* const next = allocate(600 * KiB);
  EXPECT_EQ(static_cast<char*>(next), static_cast<char*>(block) + base::round_up(50 * KiB, page));
  EXPECT_NE(reallocate(block, 400 * KiB), block);
  verify();
}

TEST_P(LargeBlocks, ReuseThePagesOfFreedOnes) {
  if (returns_at_once() || is_debug()) {
    GTEST_SKIP() << "not kept, or written to by the debug heap";
  }
  for (const std::size_t size : {100 * KiB, 4 * MiB}) {
    if (size < MiB && !has_range()) {
      continue;  // the C library's
    }
    void* const first = allocate_stamped(size);
    free(first);
    void* const second = allocate(size);
    EXPECT_EQ(second, first);
    free(second);
  }
  // Also those of one that is too small.
  void* const larger = allocate(6 * MiB);
  EXPECT_GE(resident_bytes(larger, 6 * MiB), 4 * MiB);
  free(larger);
}

TEST_P(LargeBlocks, GoBackAtOnceWhenTheyAreVeryLargeOrVeryMany) {
  void* const huge = allocate(64 * MiB);
  free(huge);
  EXPECT_EQ(statistics().kept_bytes, 0U);
  std::vector<void*> blocks;
  for (int i = 0; i < 300; ++i) {
    blocks.push_back(allocate(i % 2 == 0 ? 300 * KiB : 3 * MiB));
  }
  for (void* const block : blocks) {
    free(block);
  }
  EXPECT_LE(statistics().kept_bytes, 64 * MiB);
  verify();
}

TEST_P(LargeBlocks, GoBackWhenPoolsHaveGrownByAsMuchAndNothingOfThemWasUsed) {
  if (returns_at_once() || is_debug() || !has_range()) {
    GTEST_SKIP() << "not kept, or pools of other sizes";
  }
  constexpr std::size_t pool = 16 * KiB;
  constexpr std::size_t kept = 10 * pool;
  std::vector<void*> small;
  const auto grow_by_pools = [&](std::size_t pools) {
    for (std::size_t i = 0; i < pools * pool / 512; ++i) {
      small.push_back(allocate(512));
    }
  };
  grow_by_pools(1);  // an arena is mapped
  free(allocate_stamped(kept));
  ASSERT_EQ(statistics().kept_bytes, kept);
  grow_by_pools(9);
  EXPECT_EQ(statistics().kept_bytes, kept);
  free(allocate(kept));
  grow_by_pools(9);
  EXPECT_EQ(statistics().kept_bytes, kept) << "some was used meanwhile";
  grow_by_pools(1);
  EXPECT_EQ(statistics().kept_bytes, 0U);
  verify();
  for (void* const block : small) {
    free(block);
  }
}

TEST_P(LargeBlocks, AllGoBackOnRequest) {
  for (const std::size_t size : {100 * KiB, 900 * KiB, 4 * MiB}) {
    void* const one = allocate_stamped(size);
    void* const two = allocate_stamped(size);
    free(one);
    static_cast<void>(heap::release(*heap_));
    verify();
    EXPECT_EQ(statistics().kept_bytes, 0U);
    if (has_range()) {
      EXPECT_EQ(resident_bytes_within(one, size), 0U);
    }
    EXPECT_TRUE(is_stamped(two, size, 0x77));
    free(two);
  }
}

TEST_P(LargeBlocks, GoBackWhenTheyHaveBeenFreeForAsLongAsAsked) {
  if (returns_at_once() || !has_range()) {
    GTEST_SKIP() << "nothing is kept, or only mappings are";
  }
  watch();
  void* const span = allocate_stamped(500 * KiB);
  void* const mapping = allocate_stamped(2 * MiB);
  free(span);
  EXPECT_EQ(told_, 0);
  free(mapping);
  EXPECT_EQ(told_, 1);
  EXPECT_TRUE(heap_->operations->has_disturbed(*heap_));
  begin(2);
  EXPECT_EQ(batch_.bytes, 0U);
  begin(2);
  EXPECT_GE(batch_.bytes, 2 * MiB + 500 * KiB);
  // Meanwhile the program goes on.
  verify();
  void* const other = allocate_stamped(500 * KiB);
  discard();
  finish();
  verify();
  EXPECT_EQ(statistics().kept_bytes, 0U);
  EXPECT_TRUE(is_stamped(other, 500 * KiB, 0x77));
  EXPECT_FALSE(heap_->operations->has_disturbed(*heap_));
  free(other);
}

TEST_P(LargeBlocks, GoBackInPartsWhenTheProgramIsBusy) {
  if (returns_at_once()) {
    GTEST_SKIP() << "nothing is kept";
  }
  watch();
  free(allocate_stamped(20 * MiB));
  const std::size_t kept = statistics().kept_bytes;
  begin(0, 1 * MiB);
  EXPECT_EQ(batch_.bytes, 1 * MiB);
  discard();
  finish();
  EXPECT_EQ(statistics().kept_bytes, kept - 1 * MiB);
  verify();
}

TEST_P(LargeBlocks, AreZeroWhenAskedForAlsoAfterABatchThatWasNotDiscarded) {
  if (returns_at_once()) {
    GTEST_SKIP() << "nothing is kept";
  }
  // As in a child that was forked while a batch was on its way.
  watch();
  for (const std::size_t size : {500 * KiB, 2 * MiB}) {
    void* const block = allocate(size);
    std::memset(block, 0xee, size);
    free(block);
    begin();
    finish();
    verify();
    void* const zeroed = allocate_zeroed(size);
    EXPECT_TRUE(is_zero(zeroed, size));
    free(zeroed);
  }
}

TEST_P(LargeBlocks, DoNotNeedAMappingOfTheKernelsEach) {
  if (!has_range()) {
    GTEST_SKIP() << "without a range the C library serves them";
  }
  const std::size_t before = mappings();
  std::vector<void*> blocks;
  for (int i = 0; i < 4000; ++i) {
    blocks.push_back(allocate(40 * KiB));
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) {
    free(blocks[i]);
  }
  static_cast<void>(heap::release(*heap_));
  verify();
  EXPECT_LE(mappings(), before + 16);
}

TEST_P(LargeBlocks, AgreeWithAModel) {
  const std::uint64_t seed = seed_or(77);
  SCOPED_TRACE("repeat with TARN_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  struct Block {
    void* address;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Block> blocks;
  watch();
  bool has_batch = false;
  const auto some_size = [&] {
    const std::size_t kind = random.below(20);
    return 1 + random.below(kind == 0 ? 5 * MiB : kind < 3 ? 2 * MiB : kind < 6 ? 500 : 200 * KiB);
  };
  for (int step = 0; step < 3000; ++step) {
    const std::size_t kind = random.below(100);
    const std::size_t index = blocks.empty() ? 0 : random.below(blocks.size());
    const auto mark = static_cast<unsigned char>(random.next() | 1U);
    const std::size_t size = some_size();
    if (kind < 3) {
      if (has_batch) {
        // Arenas that nobody unmaps now are lost to the process, and to the tests after this one.
        const bool has_arenas =
            batch_.tiers[0].unmapped_count + batch_.tiers[1].unmapped_count != 0;
        if (random.below(4) != 0 || has_arenas) {
          discard();
        }
        finish();
      } else {
        begin(static_cast<unsigned>(random.below(3)), random.below(2) == 0 ? 1 * MiB : SIZE_MAX);
      }
      has_batch = !has_batch;
    } else if (kind == 3 && !has_batch) {
      static_cast<void>(heap::release(*heap_));
    } else if (kind < 40 && blocks.size() < 60) {
      const bool zeroed = random.below(3) == 0;
      void* const block = zeroed ? allocate_zeroed(size) : allocate(size);
      ASSERT_TRUE(!zeroed || is_zero(block, size)) << "step " << step;
      stamp(block, size, mark);
      blocks.push_back({block, size, mark});
    } else if (!blocks.empty() && kind < 70) {
      Block& block = blocks[index];
      block.address = reallocate(block.address, size);
      ASSERT_TRUE(is_stamped(block.address, std::min(size, block.size), block.mark))
          << "step " << step;
      block.size = size;
      stamp(block.address, size, block.mark);
    } else if (!blocks.empty()) {
      ASSERT_TRUE(is_stamped(blocks[index].address, blocks[index].size, blocks[index].mark))
          << "step " << step;
      free(blocks[index].address);
      blocks[index] = blocks.back();
      blocks.pop_back();
    }
    if (step % 16 == 0) {
      verify();
    }
  }
  if (has_batch) {
    discard();
    finish();
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(is_stamped(block.address, block.size, block.mark));
    free(block.address);
  }
  verify();
  EXPECT_EQ(statistics().blocks, 0U);
  EXPECT_EQ(statistics().bytes, 0U);
}

// With pools, too: all that was reserved and never used goes.
class GivenUpAddresses : public testing::TestWithParam<Combination> {};
INSTANTIATE_TEST_SUITE_P(OfOneThread, GivenUpAddresses, testing::ValuesIn(all_combinations()),
                         NameOfCombination());

TEST_P(GivenUpAddresses, AreOthersAndTheHeapGoesOn) {
  heap::Instance* const heap = heap::create(GetParam().options());
  const heap::Face& face = heap->face(Domain::obj);
  std::vector<void*> blocks;
  const auto take = [&](std::size_t size) {
    void* const block = face.functions->allocate(face.domain, size);
    ASSERT_NE(block, nullptr);
    std::memset(block, 1, size);
    blocks.push_back(block);
  };
  for (const std::size_t size : {64U, 3000U, 50000U}) {
    take(size);
  }
  const std::size_t bytes = heap->operations->give_up_unused(*heap);
  EXPECT_EQ(bytes > std::size_t{200} << 30, GetParam().address_map == AddressMap::range) << bytes;
  EXPECT_EQ(heap->operations->give_up_unused(*heap), 0U);
  heap->operations->verify(*heap);
  // More than there is room for.
  for (int i = 0; i < 60000; ++i) {
    take(i % 100 == 0 ? 50000U : i % 10 == 0 ? 3000U : 64U);
  }
  heap->operations->verify(*heap);
  for (void* const block : blocks) {
    face.functions->free(face.domain, block);
  }
  heap->operations->verify(*heap);
  static_cast<void>(heap::release(*heap));
  heap->operations->verify(*heap);
  heap->operations->destroy(*heap);
}

// The kernel's words for the mapping that holds the address: "rd wr mr mw me ac hg".
std::string flags_of(const void* address) {
  std::ifstream file("/proc/self/smaps");
  std::string line;
  bool is_it = false;
  while (std::getline(file, line)) {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2) {
      is_it = start <= reinterpret_cast<std::uintptr_t>(address) &&
              reinterpret_cast<std::uintptr_t>(address) < end;
    } else if (is_it && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return "";
}

TEST(LargePages, AreAskedForWhereABlockIsDense) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) {
    GTEST_SKIP() << "the system has no large pages";
  }
  for (const LargePages mode : {LargePages::off, LargePages::automatic}) {
    HeapOptions options;
    options.large_pages = mode;
    Heap heap(options);
    const bool has = mode == LargePages::automatic;
    void* const dense = heap.allocate(8 * MiB);
    EXPECT_EQ(flags_of(dense).find(" hg ") != std::string::npos, has);
    void* const zeroed = heap.allocate_zeroed(1, 16 * MiB);
    EXPECT_EQ(flags_of(zeroed).find(" hg "), std::string::npos);
    void* grown = heap.allocate(900 * KiB);
    grown = heap.reallocate(grown, 8 * MiB);
    EXPECT_EQ(flags_of(grown).find(" hg "), std::string::npos);
    // One with large pages still grows without being copied.
    stamp(dense, 8 * MiB, 0x11);
    void* const larger = heap.reallocate(dense, 30 * MiB);
    EXPECT_TRUE(is_stamped(larger, 8 * MiB, 0x11));
    EXPECT_GE(heap.statistics().large.resized, 1U);
    heap.free(larger);
    heap.free(zeroed);
    heap.free(grown);
    heap.verify();
  }
}

TEST(LargeBlocksOfTheGeneralAllocator, AreThoseOfAHeapThatIsToldSoOrHasAnotherGeometry) {
  for (const Geometry geometry : {Geometry::tarn, Geometry::modern, Geometry::classic}) {
    HeapOptions options;
    options.geometry = geometry;
    options.large = geometry == Geometry::tarn ? Large::general : Large::own;
    Heap heap(options);
    void* const block = heap.allocate(100 * KiB);
    EXPECT_EQ(heap.statistics().large.blocks, 0U);
    EXPECT_EQ(heap.statistics().large_now, 1U);
    heap.free(block);
  }
}

TEST(AFreeOfALargeBlockTwice, IsFound) {
  const std::string text = text_of_abort([] {
    Heap heap;
    void* const block = heap.allocate(100 * KiB);
    static_cast<void>(heap.allocate(100 * KiB));
    heap.free(block);
    heap.free(block);
  });
  EXPECT_NE(text.find("a large block is freed once"), std::string::npos) << text;
}

TEST(LargeBlocksUnderALimitOfAddresses, FailCleanly) {
  if (!addresses_can_be_limited) {
    GTEST_SKIP() << why_addresses_cannot_be_limited;
  }
  const ChildResult result = run_in_child([] {
    const rlimit limit = {300 * MiB, 300 * MiB};
    ::setrlimit(RLIMIT_AS, &limit);
    Heap heap;
    std::vector<void*> blocks;
    blocks.reserve(1000);
    while (void* const block = heap.allocate(8 * MiB)) {
      stamp(block, 8 * MiB, 1);
      blocks.push_back(block);
    }
    const bool many = blocks.size() > 10;
    // One that can't grow stays as it was.
    const bool refused = heap.reallocate(blocks[0], 250 * MiB) == nullptr;
    const bool is_whole = is_stamped(blocks[0], 8 * MiB, 1);
    for (void* const block : blocks) {
      heap.free(block);
    }
    heap.verify();
    const bool recovered = heap.allocate(8 * MiB) != nullptr;
    ::_exit(many && refused && is_whole && recovered ? 0 : 3);
  });
  EXPECT_TRUE(result.exited) << result.standard_error;
  EXPECT_EQ(result.exit_code, 0);
}

}  // namespace
}  // namespace tarn::test
