// Where blocks lie in a heap whose objects begin with links, as CPython's do.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/walked_heap.h"

namespace tarn::test {
namespace {

class LinkedObjects : public testing::TestWithParam<Combination> {
 protected:
  LinkedObjects() : heap_(options()) {}

  static HeapOptions options() {
    HeapOptions options = GetParam().options();
    options.objects_are_linked = true;
    return options;
  }

  // Of so many blocks of the size, all places in a cache line that one begins at.
  std::vector<bool> places(std::size_t size, Domain domain, std::size_t count = 3000) {
    std::vector<bool> found(64);
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(heap().allocate(size, domain));
      found[reinterpret_cast<std::uintptr_t>(blocks.back()) % 64] = true;
    }
    heap().verify();
    for (void* const block : blocks) {
      heap().free(block, domain);
    }
    heap().verify();
    return found;
  }

  static std::vector<bool> only(std::size_t place) {
    std::vector<bool> one(64);
    one[place] = true;
    return one;
  }

  [[nodiscard]] Heap& heap() { return heap_; }

 private:
  Heap heap_;
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, LinkedObjects,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

TEST_P(LinkedObjects, BeginTheirLinksAtTheEndOfALine) {
  EXPECT_EQ(places(64, Domain::obj), only(48));
  EXPECT_EQ(places(192, Domain::obj), only(48));
}

TEST_P(LinkedObjects, LoseABlockOfManyAtMost) {
  // A pool has 8 to 32 of these, and no rest.
  EXPECT_EQ(places(512, Domain::obj), only(0));
}

TEST_P(LinkedObjects, LeaveOtherDomainsAlone) {
  EXPECT_EQ(places(64, Domain::mem), only(0));
  EXPECT_EQ(places(64, Domain::raw), only(0));
}

// One domain's pool is the other's next, and its blocks lie elsewhere.
TEST_P(LinkedObjects, TakePoolsThatOthersHadAndGiveThemBack) {
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(places(64, Domain::mem), only(0));
    EXPECT_EQ(places(64, Domain::obj), only(48));
    heap().release();
    heap().verify();
  }
}

TEST_P(LinkedObjects, AreAlignedAllTheSameWhereThatIsAsked) {
  for (int i = 0; i < 100; ++i) {
    void* const block = heap().allocate_aligned(64, 64, Domain::obj);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0U);
    heap().free(block, Domain::obj);
  }
  heap().verify();
}

// All but one page of a pool goes back, and comes back: the first block's page and the last's among them.
TEST_P(LinkedObjects, GivePagesBackAndCarveThemAnew) {
  const std::size_t pool_size = heap().statistics().pool_size;
  const std::size_t in_pool = (pool_size - 48) / 64;
  for (std::size_t kept = 0; kept < in_pool; kept += in_pool / 5) {
    std::vector<char*> blocks;
    for (std::size_t i = 0; i < 4 * in_pool; ++i) {
      blocks.push_back(static_cast<char*>(heap().allocate(64, Domain::obj)));
      std::fill_n(blocks.back(), 64, static_cast<char>(i));
    }
    const auto stays = [&](std::size_t i) { return i % in_pool == kept; };
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (!stays(i)) {
        heap().free(blocks[i], Domain::obj);
      }
    }
    heap().release();
    heap().verify();
    static_cast<void>(WalkedHeap(heap()));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (!stays(i)) {
        blocks[i] = static_cast<char*>(heap().allocate(64, Domain::obj));
        std::fill_n(blocks[i], 64, static_cast<char>(i));
      }
    }
    heap().verify();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(std::vector<char>(blocks[i], blocks[i] + 64),
                std::vector<char>(64, static_cast<char>(i)));
      heap().free(blocks[i], Domain::obj);
    }
  }
}

}  // namespace
}  // namespace tarn::test
