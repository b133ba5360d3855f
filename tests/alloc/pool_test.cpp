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
    pool_.untouched_blocks = 8;
    pool_.state = PoolState::used;
  }

  alignas(64) std::byte memory_[512] = {};
  Pool pool_ = {};
};

TEST_F(APool, CarvesItsUntouchedBlocksInOrderOfAddressesUntilNoneIsLeft) {
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(pool_.has_untouched());
    EXPECT_EQ(pool_.untouched_blocks, 8 - i);
    EXPECT_EQ(reinterpret_cast<std::byte*>(pool_.carve()), memory_ + 64 * i);
    EXPECT_EQ(pool_.start(), memory_);
  }
  EXPECT_FALSE(pool_.has_untouched());
  EXPECT_EQ(pool_.untouched_blocks, 0U);
}

TEST_F(APool, CountsItsAllocatedBlocksFromTheFreesUntilItsNextChange) {
  pool_.change_at(2, 5);
  EXPECT_EQ(pool_.allocated(), 5U);
  pool_.frees_until_change += 4;
  EXPECT_EQ(pool_.allocated(), 9U);
  pool_.frees_until_change -= 7;
  EXPECT_EQ(pool_.allocated(), 2U);
  EXPECT_EQ(pool_.frees_until_change, 0U) << "the next change has come";
}

TEST_F(APool, HasNoChangeToComeAtItsLastBlockWhenItIsKeptOrAway) {
  for (const std::int16_t at : {Pool::never, Pool::away}) {
    pool_.change_at(at, 1);
    EXPECT_EQ(pool_.is_kept(), at == Pool::never);
    EXPECT_EQ(pool_.is_away(), at == Pool::away);
    EXPECT_EQ(pool_.allocated(), 1U);
    --pool_.frees_until_change;
    EXPECT_EQ(pool_.allocated(), 0U);
    EXPECT_NE(pool_.frees_until_change, 0U);
  }
}

TEST_F(APool, ThatRanFullChangesAtTheNextFree) {
  pool_.run_full();
  EXPECT_EQ(pool_.state, PoolState::full);
  EXPECT_EQ(pool_.allocated(), 8U);
  EXPECT_EQ(pool_.frees_until_change, 1U);
}

TEST(ThePoolOfAClassWithoutPools, HasNoBlockToGive) {
  EXPECT_EQ(no_pool.freeblock, nullptr);
  EXPECT_FALSE(no_pool.has_untouched());
}

}  // namespace
}  // namespace tarn::alloc
