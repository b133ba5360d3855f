#include "alloc/used_pools.h"

#include <algorithm>
#include <list>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/seed.h"

namespace tarn::alloc {
namespace {

constexpr std::size_t classes = 4;
using Lists = UsedPools<classes>;

Pool pool_of_class(std::uint8_t szidx) {
  Pool pool = {};
  pool.szidx = szidx;
  pool.state = PoolState::used;
  return pool;
}

Pool dense_pool_of_class(std::uint8_t szidx) {
  Pool pool = pool_of_class(szidx);
  pool.blocks = 8;
  pool.change_at(4, 7);
  return pool;
}

std::vector<const Pool*> pools_in(const Lists& lists, std::size_t szidx) {
  std::vector<const Pool*> pools;
  lists.verify([&](const Pool& pool, std::size_t of) {
    if (of == szidx) {
      pools.push_back(&pool);
    }
  });
  return pools;
}

TEST(UsedPools, HaveNoPoolAtFirstAndNoneForRequestsWithoutAClass) {
  const Lists lists;
  for (std::size_t szidx = 0; szidx <= classes; ++szidx) {
    EXPECT_FALSE(lists.has(szidx));
    EXPECT_EQ(lists.first(szidx), &no_pool);
  }
  EXPECT_EQ(lists.verify([](const Pool&, std::size_t) {}), 0U);
}

TEST(UsedPools, ServeFromTheFirstUntilItLeaves) {
  Lists lists;
  Pool a = pool_of_class(1);
  Pool b = dense_pool_of_class(1);
  lists.add_sparse(a);
  lists.add_dense(b);
  EXPECT_EQ(lists.first(1), &a);
  lists.remove_first(a);
  EXPECT_EQ(lists.first(1), &b);
}

TEST(UsedPools, HaveDensePoolsInOrderOfArrivalAndSparseOnesBehind) {
  Lists lists;
  Pool active = pool_of_class(1);
  Pool sparse[] = {pool_of_class(1), pool_of_class(1)};
  Pool dense[] = {dense_pool_of_class(1), dense_pool_of_class(1)};
  lists.add_sparse(active);
  lists.add_sparse(sparse[0]);
  lists.add_dense(dense[0]);
  lists.add_sparse(sparse[1]);
  lists.add_dense(dense[1]);
  EXPECT_THAT(pools_in(lists, 1),
              testing::ElementsAre(&active, &dense[0], &dense[1], &sparse[0], &sparse[1]));
}

TEST(UsedPools, KeepTheClassesApart) {
  Lists lists;
  Pool a = pool_of_class(0);
  Pool b = pool_of_class(3);
  lists.add_sparse(a);
  lists.add_sparse(b);
  EXPECT_EQ(lists.first(0), &a);
  EXPECT_FALSE(lists.has(1));
  EXPECT_EQ(lists.first(3), &b);
}

TEST(UsedPools, HaveNoPoolAgainAfterTheLastWasRemoved) {
  Lists lists;
  Pool a = pool_of_class(2);
  lists.add_sparse(a);
  lists.remove(a);
  EXPECT_FALSE(lists.has(2));
  EXPECT_EQ(a.next, nullptr);
  EXPECT_EQ(a.previous, nullptr);
}

TEST(UsedPools, ForgetAllPoolsWhenCleared) {
  Lists lists;
  Pool a = pool_of_class(2);
  lists.add_sparse(a);
  lists.clear();
  EXPECT_FALSE(lists.has(2));
}

TEST(UsedPools, StayInTheOrderOfAPlainListThroughRandomChanges) {
  Lists lists;
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < 40; ++i) {
    pools.push_back(pool_of_class(static_cast<std::uint8_t>(i % classes)));
    pools.back().blocks = 8;
  }
  std::list<const Pool*> model[classes];
  test::Random random(test::seed_or(11));
  for (int step = 0; step < 5000; ++step) {
    Pool& pool = pools[random.below(pools.size())];
    std::list<const Pool*>& of_class = model[pool.szidx];
    const auto found = std::find(of_class.begin(), of_class.end(), &pool);
    if (found != of_class.end()) {
      if (found == of_class.begin() && of_class.size() > 1) {
        lists.remove_first(pool);
      } else {
        lists.remove(pool);
      }
      of_class.erase(found);
    } else if (random.below(2) == 0) {
      pool.change_at(0, 3);
      lists.add_sparse(pool);
      of_class.push_back(&pool);
    } else {
      pool.change_at(4, 7);
      lists.add_dense(pool);
      // Behind the last dense one; none: behind the first.
      auto before = of_class.empty() ? of_class.end() : std::next(of_class.begin());
      for (auto i = of_class.begin(); i != of_class.end(); ++i) {
        before = (*i)->is_dense() ? std::next(i) : before;
      }
      of_class.insert(before, &pool);
    }
    for (std::size_t szidx = 0; szidx < classes; ++szidx) {
      ASSERT_THAT(pools_in(lists, szidx), testing::ElementsAreArray(model[szidx]));
    }
  }
}

TEST(UsedPools, AbortInVerifyWhenLinksDisagree) {
  Lists lists;
  Pool a = pool_of_class(1);
  Pool b = pool_of_class(1);
  lists.add_sparse(a);
  lists.add_sparse(b);
  b.previous = nullptr;
  EXPECT_THAT(test::text_of_abort([&] { lists.verify([](const Pool&, std::size_t) {}); }),
              testing::StartsWith("tarn: broken invariant: U1: links agree in both directions"));
}

}  // namespace
}  // namespace tarn::alloc
