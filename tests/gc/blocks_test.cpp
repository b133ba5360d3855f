// Objects found by bits, for blocks of every size that a pool may have.
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "gc/blocks.h"

namespace tarn::gc {
namespace {

constexpr std::size_t pool_size = ObjectGeometry::pool_size;

class BlocksOfAPool : public testing::Test {
 protected:
  // A pool with so many blocks carved.
  [[nodiscard]] alloc::Pool pool_of(std::size_t block_size, std::size_t carved) {
    alloc::Pool pool = {};
    pool.block_size = static_cast<std::uint32_t>(block_size);
    pool.blocks = static_cast<std::uint16_t>(pool_size / block_size);
    pool.untouched_blocks = static_cast<std::uint16_t>(pool.blocks - carved);
    pool.untouched = memory_.data() + carved * block_size;
    return pool;
  }

  [[nodiscard]] std::vector<std::size_t> offsets(const alloc::Pool& pool,
                                                 const std::uint64_t* skipped) {
    std::vector<std::size_t> offsets;
    for_each_block(pool, starts_.of(pool.block_size), skipped, [&](Object& object) {
      offsets.push_back(
          static_cast<std::size_t>(reinterpret_cast<std::byte*>(&object) - memory_.data()));
    });
    return offsets;
  }

  std::vector<std::byte> memory_{pool_size + 1};
  StartsOfBlocks starts_;
};

TEST_F(BlocksOfAPool, AreFoundWhereTheyStartAndNoTwoInOneGranule) {
  const std::uint64_t none[words_per_pool] = {};
  for (std::size_t size = 16; size <= 4096; size += ObjectGeometry::block_step) {
    const std::size_t blocks = pool_size / size;
    for (const std::size_t carved :
         {std::size_t{0}, std::size_t{1}, blocks / 3, blocks - 1, blocks}) {
      const std::vector<std::size_t> found = offsets(pool_of(size, carved), none);
      ASSERT_EQ(found.size(), carved) << size;
      std::set<std::size_t> granules;
      for (std::size_t i = 0; i < carved; ++i) {
        ASSERT_EQ(found[i], i * size) << size;
        granules.insert(found[i] / granule_size);
      }
      ASSERT_EQ(granules.size(), carved) << size;
    }
  }
}

TEST_F(BlocksOfAPool, AreLeftOutByTheBitOfTheGranuleThatTheyStartIn) {
  for (const std::size_t size : {16, 24, 32, 40, 48, 56, 72, 104, 520}) {
    const std::size_t blocks = pool_size / size;
    std::uint64_t skipped[words_per_pool] = {};
    std::vector<std::size_t> expected;
    for (std::size_t i = 0; i < blocks; ++i) {
      if (i % 3 == 1) {
        skipped[i * size / granule_size / 64] |= std::uint64_t{1} << (i * size / granule_size % 64);
      } else {
        expected.push_back(i * size);
      }
    }
    EXPECT_EQ(offsets(pool_of(size, blocks), skipped), expected) << size;
  }
}

TEST_F(BlocksOfAPool, StartInTheMiddleOfAGranuleOnlyWhereTheSizeIsNoMultipleOfIt) {
  for (const std::size_t size : {24, 16, 40, 32, 56, 64}) {
    std::size_t in_middle = 0;
    const BlockStarts& starts = starts_.of(size);
    for (std::size_t word = 0; word < words_per_pool; ++word) {
      EXPECT_EQ(starts.in_middle[word] & ~starts.words[word], 0U);
      in_middle += static_cast<std::size_t>(std::popcount(starts.in_middle[word]));
    }
    EXPECT_EQ(in_middle, size % granule_size == 0 ? 0 : pool_size / size / 2) << size;
  }
}

}  // namespace
}  // namespace tarn::gc
