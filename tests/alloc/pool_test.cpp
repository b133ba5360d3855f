#include "alloc/pool.h"

#include <gtest/gtest.h>

namespace tarn::alloc {
namespace {

class APool : public testing::Test {
 protected:
  APool() {
    pool_.block_size = 64;
    pool_.blocks = 8;
    pool_.untouched = memory_;
    pool_.untouched_end = memory_ + sizeof(memory_);
    pool_.state = PoolState::used;
  }

  alignas(64) std::byte memory_[512] = {};
  Pool pool_ = {};
};

TEST_F(APool, CarvesItsUntouchedBlocksInOrderOfAddressesUntilNoneIsLeft) {
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(pool_.has_untouched());
    EXPECT_EQ(pool_.untouched_blocks(), 8 - i);
    EXPECT_EQ(reinterpret_cast<std::byte*>(pool_.carve()), memory_ + 64 * i);
  }
  EXPECT_FALSE(pool_.has_untouched());
  EXPECT_EQ(pool_.untouched_blocks(), 0U);
}

TEST_F(APool, CountsItsAllocatedBlocksFromTheFreesUntilItsStateChanges) {
  pool_.frees_until_slow = 5;
  EXPECT_EQ(pool_.allocated(), 5U);
  pool_.kept = true;
  EXPECT_EQ(pool_.allocated(), 4U);
  pool_.kept = false;
  pool_.state = PoolState::full;
  pool_.frees_until_slow = 1;
  EXPECT_EQ(pool_.allocated(), 8U);
}

TEST(ThePoolOfAClassWithoutPools, HasNoBlockToGive) {
  EXPECT_EQ(no_pool.freeblock, nullptr);
  EXPECT_FALSE(no_pool.has_untouched());
}

}  // namespace
}  // namespace tarn::alloc
