#include "alloc/usable_arenas.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/seed.h"

namespace tarn::alloc {
namespace {

constexpr std::size_t pools = 8;
using Arenas = UsableArenas<pools>;

Arena full_of_free_pools() {
  Arena arena = {};
  arena.nfreepools = pools;
  return arena;
}

std::vector<const Arena*> arenas_in(const Arenas& arenas) {
  arenas.verify();
  std::vector<const Arena*> all;
  for (const Arena* arena = arenas.first(); arena != nullptr; arena = arena->next) {
    all.push_back(arena);
  }
  return all;
}

TEST(UsableArenas, HaveNoFirstWhenThereIsNone) {
  const Arenas arenas;
  EXPECT_EQ(arenas.first(), nullptr);
  EXPECT_EQ(arenas.any_empty(), nullptr);
  EXPECT_EQ(arenas.verify(), 0U);
}

TEST(UsableArenas, AreUsedFullestFirst) {
  Arenas arenas;
  Arena a = full_of_free_pools();
  Arena b = full_of_free_pools();
  arenas.add(a);
  arenas.pool_taken(a);
  arenas.pool_taken(a);
  arenas.add(b);
  EXPECT_THAT(arenas_in(arenas), testing::ElementsAre(&a, &b));
  arenas.pool_returned(a);
  EXPECT_THAT(arenas_in(arenas), testing::ElementsAre(&a, &b));
}

TEST(UsableArenas, LoseAnArenaWithItsLastFreePoolAndHaveItFirstWhenOneComesBack) {
  Arenas arenas;
  Arena a = full_of_free_pools();
  Arena b = full_of_free_pools();
  arenas.add(a);
  for (std::size_t i = 0; i < pools; ++i) {
    arenas.pool_taken(a);
  }
  EXPECT_TRUE(arenas_in(arenas).empty());
  arenas.add(b);
  arenas.pool_taken(b);
  EXPECT_THAT(arenas_in(arenas), testing::ElementsAre(&b));
  arenas.pool_returned(a);
  EXPECT_THAT(arenas_in(arenas), testing::ElementsAre(&a, &b));
}

TEST(UsableArenas, FindAnotherEmptyArenaOnlyIfThereAreTwo) {
  Arenas arenas;
  Arena a = full_of_free_pools();
  Arena b = full_of_free_pools();
  arenas.add(a);
  EXPECT_EQ(arenas.any_empty(), &a);
  EXPECT_EQ(arenas.another_empty(a), nullptr);
  arenas.add(b);
  EXPECT_EQ(arenas.another_empty(a), &b);
  EXPECT_EQ(arenas.another_empty(b), &a);
  arenas.remove(a);
  EXPECT_EQ(arenas.another_empty(b), nullptr);
}

// The structure finds an arena's new place in constant time. The model sorts all of them each time; it
// is stable, and knows that an arena goes behind those with as many free pools when a pool comes back.
TEST(UsableArenas, AreSortedAsAPlainSortWouldThroughRandomChanges) {
  const std::uint64_t seed = test::seed_or(12);
  test::Random random(seed);
  Arenas arenas;
  std::vector<Arena> all(12);
  std::vector<const Arena*> model;
  const auto resort = [&] {
    std::erase_if(model, [](const Arena* arena) { return arena->nfreepools == 0; });
    std::stable_sort(model.begin(), model.end(), [](const Arena* left, const Arena* right) {
      return left->nfreepools < right->nfreepools;
    });
  };
  for (int step = 0; step < 20000; ++step) {
    Arena& arena = all[random.below(all.size())];
    const bool is_linked = std::find(model.begin(), model.end(), &arena) != model.end();
    const bool is_exhausted = arena.address != nullptr && arena.nfreepools == 0;
    if (!is_linked && !is_exhausted) {
      arena = full_of_free_pools();
      arena.address = reinterpret_cast<std::byte*>(&arena);
      arenas.add(arena);
      model.push_back(&arena);
    } else if (random.below(100) < 55 && arenas.first() != nullptr) {
      arenas.pool_taken(*arenas.first());
    } else if (arena.nfreepools == pools) {
      arenas.remove(arena);
      std::erase(model, &arena);
      arena.address = nullptr;
    } else {
      // Before the others with one more when it comes back, so that the stable sort leaves it there.
      std::erase(model, &arena);
      arenas.pool_returned(arena);
      model.insert(model.begin(), &arena);
    }
    resort();
    ASSERT_EQ(arenas.verify(), model.size()) << "seed " << seed << ", step " << step;
    std::vector<std::uint32_t> sorted;
    for (const Arena* one : model) {
      sorted.push_back(one->nfreepools);
    }
    std::vector<std::uint32_t> seen;
    std::vector<const Arena*> linked = arenas_in(arenas);
    for (const Arena* one : linked) {
      seen.push_back(one->nfreepools);
    }
    ASSERT_EQ(seen, sorted) << "seed " << seed << ", step " << step;
    ASSERT_THAT(linked, testing::UnorderedElementsAreArray(model)) << "seed " << seed;
  }
}

TEST(UsableArenas, AbortInVerifyWhenTheyAreNotSorted) {
  Arenas arenas;
  Arena a = full_of_free_pools();
  Arena b = full_of_free_pools();
  arenas.add(a);
  arenas.add(b);
  a.nfreepools = pools;
  b.nfreepools = 3;
  EXPECT_THAT(test::text_of_abort([&] { arenas.verify(); }),
              testing::StartsWith("tarn: broken invariant: L1: sorted ascending by nfreepools"));
}

}  // namespace
}  // namespace tarn::alloc
