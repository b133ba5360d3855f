// What only the reserved range does. The rest is in map_test.cpp.

#include "alloc/reserved_range.h"

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "alloc/geometry.h"
#include "alloc/page_map.h"
#include "support/child_process.h"
#include "support/resident_pages.h"
#include "support/sanitizers.h"

namespace tarn::alloc {
namespace {

template <typename Geometry>
class AReservedRange : public testing::Test {
 protected:
  [[nodiscard]] std::size_t arenas_until_refused() {
    std::size_t count = 0;
    while (range_.map_arena() != nullptr) {
      ++count;
    }
    return count;
  }

  ReservedRange<Geometry> range_;
};
using Geometries = testing::Types<TarnGeometry, ClassicGeometry, ModernGeometry>;
TYPED_TEST_SUITE(AReservedRange, Geometries);

TYPED_TEST(AReservedRange, RunsOutOfArenasWhenItsAddressesAreUsedUp) {
  ASSERT_TRUE(this->range_.open(100 * TypeParam::arena_size));
  EXPECT_EQ(this->arenas_until_refused(), 100U);
  this->range_.close();
}

TYPED_TEST(AReservedRange, IsRoundedUpToWholeArenas) {
  ASSERT_TRUE(this->range_.open(99 * TypeParam::arena_size + 1));
  EXPECT_EQ(this->arenas_until_refused(), 100U);
  this->range_.close();
  ASSERT_TRUE(this->range_.open(1));
  EXPECT_EQ(this->arenas_until_refused(), 1U);
  this->range_.close();
}

TYPED_TEST(AReservedRange, LaysArenasSideBySideInOrder) {
  ASSERT_TRUE(this->range_.open(100 * TypeParam::arena_size));
  const Arena* before = this->range_.map_arena();
  for (int i = 0; i < 10; ++i) {
    const Arena* const arena = this->range_.map_arena();
    ASSERT_EQ(arena->address, before->address + TypeParam::arena_size);
    ASSERT_EQ(arena->pools, before->pools + TypeParam::pools_per_arena);
    before = arena;
  }
  this->range_.close();
}

TYPED_TEST(AReservedRange, CostsAddressesAndNotMemory) {
  const std::size_t before = test::resident_bytes_of_process();
  ASSERT_TRUE(this->range_.open(std::size_t{1} << 34));
  EXPECT_LT(test::resident_bytes_of_process(), before + (std::size_t{1} << 20));
  this->range_.close();
}

TYPED_TEST(AReservedRange, IsHalvedUntilTheSystemGrantsIt) {
  if (!test::addresses_can_be_limited) {
    GTEST_SKIP() << test::why_addresses_cannot_be_limited;
  }
  const test::ChildResult result = test::run_in_child([&] {
    const rlimit limit = {std::size_t{512} << 20, std::size_t{512} << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    ::_exit(this->range_.open(std::size_t{1} << 38) && this->arenas_until_refused() >= 64 ? 0 : 3);
  });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.exit_code, 0);
}

TYPED_TEST(AReservedRange, IsRefusedUnderALimitUnderWhichThePageMapStillWorks) {
  if (!test::addresses_can_be_limited) {
    GTEST_SKIP() << test::why_addresses_cannot_be_limited;
  }
  const test::ChildResult result = test::run_in_child([&] {
    // What the process has now, and a little more: less than the fewest arenas worth reserving.
    const rlimit limit = {std::size_t{20} << 20, std::size_t{20} << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    PageMap<TypeParam> page_map;
    const bool refused = !this->range_.open(std::size_t{1} << 38);
    ::_exit(refused && page_map.open(0) && page_map.map_arena() != nullptr ? 0 : 3);
  });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.exit_code, 0);
}

}  // namespace
}  // namespace tarn::alloc
