#include "alloc/arena_set.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alloc/setups.h"
#include "support/child_process.h"
#include "support/seed.h"

namespace tarn::alloc {
namespace {

template <typename Setup>
class AnArenaSet : public testing::Test {
 protected:
  static constexpr std::size_t per_arena = Setup::Geometry::pools_per_arena;

  void SetUp() override { ASSERT_TRUE(set_.open(test::reserved_bytes)); }
  void TearDown() override { set_.close(); }

  // As a heap would: a pool that is taken gets a state.
  Pool* take() {
    Pool* const pool = set_.take_pool();
    if (pool != nullptr) {
      pool->state = PoolState::used;
    }
    verify();
    return pool;
  }
  std::vector<Pool*> take(std::size_t count) {
    std::vector<Pool*> pools;
    for (std::size_t i = 0; i < count; ++i) {
      pools.push_back(take());
    }
    return pools;
  }
  Arena* give_back(Pool* pool) {
    Arena* const arena = set_.return_pool(*pool);
    verify();
    return arena;
  }
  void verify() const {
    set_.verify([](const Pool&) {});
  }

  ArenaSet<typename Setup::Geometry, typename Setup::Map> set_;
};
TYPED_TEST_SUITE(AnArenaSet, test::Setups, test::NameOfSetup);

TYPED_TEST(AnArenaSet, MapsNoArenaBeforeAPoolIsTaken) {
  EXPECT_EQ(this->set_.counters().now, 0U);
  ASSERT_NE(this->take(), nullptr);
  EXPECT_EQ(this->set_.counters().now, 1U);
}

TYPED_TEST(AnArenaSet, HandsOutUntouchedPoolsInOrderOfAddresses) {
  using Geometry = typename TypeParam::Geometry;
  const std::vector<Pool*> pools = this->take(this->per_arena);
  for (std::size_t i = 0; i < pools.size(); ++i) {
    EXPECT_EQ(this->set_.address_of(*pools[i]), pools[0]->arena->address + i * Geometry::pool_size);
  }
  EXPECT_EQ(this->set_.counters().now, 1U);
}

TYPED_TEST(AnArenaSet, HandsOutEmptyPoolsBeforeUntouchedOnesLastEmptiedFirst) {
  const std::vector<Pool*> pools = this->take(5);
  this->give_back(pools[1]);
  this->give_back(pools[3]);
  EXPECT_EQ(this->take(), pools[3]);
  EXPECT_EQ(this->take(), pools[1]);
  EXPECT_EQ(this->take(), pools[4] + 1);
}

TYPED_TEST(AnArenaSet, MapsAnotherArenaOnlyWhenEveryPoolIsTaken) {
  this->take(this->per_arena);
  EXPECT_EQ(this->set_.counters().now, 1U);
  this->take();
  EXPECT_EQ(this->set_.counters().now, 2U);
}

TYPED_TEST(AnArenaSet, TakesFromTheFullestArenaFirst) {
  const std::vector<Pool*> pools = this->take(3 * this->per_arena);
  ASSERT_EQ(this->set_.counters().now, 3U);
  // The first arena gets three free pools, the second one, the third two.
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, this->per_arena,
                              2 * this->per_arena, 2 * this->per_arena + 1}) {
    this->give_back(pools[i]);
  }
  const Arena* const fullest = pools[this->per_arena]->arena;
  const Arena* const next = pools[2 * this->per_arena]->arena;
  const Arena* const emptiest = pools[0]->arena;
  std::vector<const Arena*> order;
  for (int i = 0; i < 6; ++i) {
    order.push_back(this->take()->arena);
  }
  EXPECT_THAT(order, testing::ElementsAre(fullest, next, next, emptiest, emptiest, emptiest));
}

TYPED_TEST(AnArenaSet, KeepsOneEmptyArenaAndGivesTheOthersBack) {
  const std::vector<Pool*> pools = this->take(3 * this->per_arena);
  for (std::size_t i = 0; i < 2 * this->per_arena; ++i) {
    const bool is_last = i + 1 == 2 * this->per_arena;
    EXPECT_EQ(this->give_back(pools[i]) == nullptr, is_last) << i;
  }
  EXPECT_EQ(this->set_.counters().now, 2U);
  EXPECT_EQ(this->set_.counters().released, 1U);
  for (std::size_t i = 2 * this->per_arena; i < pools.size(); ++i) {
    this->give_back(pools[i]);
  }
  EXPECT_EQ(this->set_.counters().now, 1U);
  EXPECT_EQ(this->set_.counters().released, 2U);
}

TYPED_TEST(AnArenaSet, MakesNoSystemCallForAPoolThatComesAndGoesAtAnArenasEdge) {
  this->take(this->per_arena);
  for (int i = 0; i < 100; ++i) {
    this->give_back(this->take());
  }
  EXPECT_EQ(this->set_.counters().mapped, 2U);
  EXPECT_EQ(this->set_.counters().released, 0U);
}

TYPED_TEST(AnArenaSet, ReleasesTheKeptArenaWhenAsked) {
  const std::vector<Pool*> pools = this->take(2);
  this->give_back(pools[0]);
  EXPECT_EQ(this->set_.release_empty_arenas(), 0U);
  this->give_back(pools[1]);
  EXPECT_EQ(this->set_.release_empty_arenas(), 1U);
  this->verify();
  EXPECT_EQ(this->set_.counters().now, 0U);
  EXPECT_NE(this->take(), nullptr);
}

TYPED_TEST(AnArenaSet, CountsWhatItHadAtMost) {
  const std::vector<Pool*> pools = this->take(this->per_arena + 1);
  for (Pool* const pool : pools) {
    this->give_back(pool);
  }
  this->take();
  EXPECT_EQ(this->set_.counters().peak, 2U);
  EXPECT_EQ(this->set_.counters().pools_peak, this->per_arena + 1);
  EXPECT_EQ(this->set_.counters().pools_now, 1U);
}

TYPED_TEST(AnArenaSet, StaysInOrderThroughRandomChanges) {
  const std::uint64_t seed = test::seed_or(13);
  test::Random random(seed);
  std::vector<Pool*> taken;
  for (int step = 0; step < 3000; ++step) {
    const bool grow = (step / 500) % 2 == 0;
    if (taken.empty() || random.below(100) < (grow ? 70U : 30U)) {
      taken.push_back(this->take());
      ASSERT_NE(taken.back(), nullptr) << "seed " << seed;
    } else {
      std::swap(taken[random.below(taken.size())], taken.back());
      this->give_back(taken.back());
      taken.pop_back();
    }
    ASSERT_EQ(this->set_.counters().pools_now, taken.size()) << "seed " << seed;
  }
}

TYPED_TEST(AnArenaSet, AbortsInVerifyWhenAnArenaMiscountsItsFreePools) {
  Pool* const pool = this->take();
  EXPECT_THAT(test::text_of_abort([&] {
                --pool->arena->nfreepools;
                this->verify();
              }),
              testing::StartsWith("tarn: broken invariant: A1: nfreepools = empty + untouched"));
}

}  // namespace
}  // namespace tarn::alloc
