// What both address maps promise.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alloc/setups.h"
#include "os/virtual_memory.h"
#include "support/child_process.h"
#include "support/resident_pages.h"
#include "support/sanitizers.h"

namespace tarn::alloc {
namespace {

template <typename Setup>
class AnAddressMap : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(map_.open(test::reserved_bytes)); }
  void TearDown() override { map_.close(); }

  [[nodiscard]] std::vector<Arena*> arenas() const {
    std::vector<Arena*> all;
    map_.for_each([&](Arena& arena) { all.push_back(&arena); });
    return all;
  }

  void unmap(Arena& arena) {
    const UnmappedArena memory = map_.begin_unmap(arena);
    map_.unmap_memory(memory);
    map_.end_unmap(memory);
  }

  typename Setup::Map map_;
};
TYPED_TEST_SUITE(AnAddressMap, test::Setups, test::NameOfSetup);

TYPED_TEST(AnAddressMap, KnowsNoAddressBeforeAnArenaIsMapped) {
  int here = 0;
  EXPECT_EQ(this->map_.find_arena(&here), nullptr);
  EXPECT_EQ(this->map_.find_arena(nullptr), nullptr);
  EXPECT_EQ(this->map_.find_arena(reinterpret_cast<void*>(UINTPTR_MAX)), nullptr);
  EXPECT_FALSE(this->map_.lookup().covers(&here));
  EXPECT_FALSE(this->map_.lookup().covers(nullptr));
  EXPECT_FALSE(this->map_.lookup().covers(reinterpret_cast<void*>(UINTPTR_MAX)));
  EXPECT_TRUE(this->arenas().empty());
}

TYPED_TEST(AnAddressMap, MapsArenasAlignedToTheirSizeWithPoolsThatAreUntouched) {
  using Geometry = typename TypeParam::Geometry;
  for (int i = 0; i < 5; ++i) {
    const Arena* const arena = this->map_.map_arena();
    ASSERT_NE(arena, nullptr);
    EXPECT_TRUE(arena->is_mapped());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena->address) % Geometry::arena_size, 0U);
    for (std::size_t pool = 0; pool < Geometry::pools_per_arena; ++pool) {
      EXPECT_EQ(arena->pools[pool].state, PoolState::untouched);
      EXPECT_EQ(arena->pools[pool].freeblock, nullptr);
    }
  }
}

TYPED_TEST(AnAddressMap, FindsTheArenaOfItsFirstAndLastByteAndNotOfTheirNeighbours) {
  using Geometry = typename TypeParam::Geometry;
  const Arena* const arena = this->map_.map_arena();
  ASSERT_NE(arena, nullptr);
  EXPECT_EQ(this->map_.find_arena(arena->address), arena);
  EXPECT_EQ(this->map_.find_arena(arena->address + Geometry::arena_size - 1), arena);
  EXPECT_NE(this->map_.find_arena(arena->address - 1), arena);
  EXPECT_NE(this->map_.find_arena(arena->address + Geometry::arena_size), arena);
}

TYPED_TEST(AnAddressMap, FindsThePoolOfEveryPartOfAnArena) {
  using Geometry = typename TypeParam::Geometry;
  const auto lookup_before = this->map_.lookup();  // domains copy it once, before there is an arena
  const Arena* const arena = this->map_.map_arena();
  ASSERT_NE(arena, nullptr);
  for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
    const std::byte* const pool = arena->address + i * Geometry::pool_size;
    ASSERT_TRUE(lookup_before.covers(pool));
    EXPECT_EQ(lookup_before.pool_at(pool), arena->pools + i);
    EXPECT_EQ(lookup_before.pool_at(pool + Geometry::pool_size - 1), arena->pools + i);
  }
}

TYPED_TEST(AnAddressMap, VisitsItsArenasInOrderOfAddresses) {
  std::vector<Arena*> mapped;
  for (int i = 0; i < 20; ++i) {
    mapped.push_back(this->map_.map_arena());
    ASSERT_NE(mapped.back(), nullptr);
  }
  const std::vector<Arena*> visited = this->arenas();
  EXPECT_THAT(visited, testing::UnorderedElementsAreArray(mapped));
  EXPECT_TRUE(std::is_sorted(visited.begin(), visited.end(), [](Arena* left, Arena* right) {
    return left->address < right->address;
  }));
}

TYPED_TEST(AnAddressMap, ForgetsAnArenaThatIsUnmappedAndUsesItsRecordAgain) {
  Arena* const first = this->map_.map_arena();
  Arena* const second = this->map_.map_arena();
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  const void* const address = first->address;
  first->pools[0].state = PoolState::used;
  this->unmap(*first);
  EXPECT_EQ(this->map_.find_arena(address), nullptr);
  EXPECT_THAT(this->arenas(), testing::ElementsAre(second));
  Arena* const again = this->map_.map_arena();
  EXPECT_EQ(again, first);
  EXPECT_EQ(again->pools[0].state, PoolState::untouched);
  EXPECT_EQ(this->arenas().size(), 2U);
}

TYPED_TEST(AnAddressMap, GivesAnArenaThatWasUsedBeforeZeroedMemory) {
  using Geometry = typename TypeParam::Geometry;
  Arena* arena = this->map_.map_arena();
  ASSERT_NE(arena, nullptr);
  std::fill(arena->address, arena->address + Geometry::arena_size, std::byte{0xff});
  this->unmap(*arena);
  arena = this->map_.map_arena();
  ASSERT_NE(arena, nullptr);
  EXPECT_TRUE(std::all_of(arena->address, arena->address + Geometry::arena_size,
                          [](std::byte byte) { return byte == std::byte{0}; }));
}

TYPED_TEST(AnAddressMap, SuppliesNoPageOfAnArenaBeforeItIsTouched) {
  using Geometry = typename TypeParam::Geometry;
  const Arena* const arena = this->map_.map_arena();
  ASSERT_NE(arena, nullptr);
  EXPECT_EQ(test::resident_bytes(arena->address, Geometry::arena_size), 0U);
}

TYPED_TEST(AnAddressMap, CanBeOpenedAgainAfterItWasClosed) {
  ASSERT_NE(this->map_.map_arena(), nullptr);
  this->map_.close();
  ASSERT_TRUE(this->map_.open(test::reserved_bytes));
  EXPECT_TRUE(this->arenas().empty());
  EXPECT_NE(this->map_.map_arena(), nullptr);
}

TYPED_TEST(AnAddressMap, HasNoArenaOverTheLimitOfAddressesAndStaysInOrder) {
  if (!test::addresses_can_be_limited) {
    GTEST_SKIP() << test::why_addresses_cannot_be_limited;
  }
  const test::ChildResult result = test::run_in_child([&] {
    this->map_.close();
    const rlimit limit = {std::size_t{256} << 20, std::size_t{256} << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    if (!this->map_.open(std::size_t{1} << 38)) {
      ::_exit(3);
    }
    std::size_t count = 0;
    Arena* last = nullptr;
    while (Arena* const arena = this->map_.map_arena()) {
      last = arena;
      ++count;
    }
    const bool found = last != nullptr && this->arenas().size() == count;
    this->unmap(*last);
    ::_exit(found && this->map_.map_arena() == last && this->map_.map_arena() == nullptr ? 0 : 4);
  });
  EXPECT_TRUE(result.exited) << "signal " << result.signal;
  EXPECT_EQ(result.exit_code, 0);
}

}  // namespace
}  // namespace tarn::alloc
