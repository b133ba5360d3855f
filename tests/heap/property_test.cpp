// Random operations against a simple model, on every heap that can be chosen.

#include <gtest/gtest.h>

#include "base/assert.h"
#include "support/combinations.h"
#include "support/heap_model.h"
#include "support/random_operations.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

// Unoptimised and instrumented builds are some thirty times slower.
constexpr std::size_t effort = tarn_debug_checks ? 1 : 2;

class RandomlyUsedHeap : public testing::TestWithParam<Combination> {
 protected:
  // `verify_each`: once in so many operations; 1: after each.
  void run(std::uint64_t usual_seed, std::size_t operations, std::size_t most_live,
           std::size_t verify_each) {
    const std::uint64_t seed = seed_or(usual_seed);
    const HeapOptions options = GetParam().options();
    Heap heap(options);
    HeapModel model(heap, options);
    Random random(seed);
    RandomOperations next(model, random, most_live);
    std::size_t done = 0;
    try {
      for (; done < operations; ++done) {
        next.step();
        if (done % verify_each == 0) {
          model.verify();
        }
      }
      model.free_all();
      model.verify();
      model.release_empty_arenas();
      EXPECT_EQ(heap.statistics().arenas_now + heap.statistics().medium.arenas_now, 0U);
    } catch (const ModelError& error) {
      FAIL() << error.what() << "\n  at operation " << done
             << "; repeat with TARN_TEST_SEED=" << seed;
    }
  }
};

TEST_P(RandomlyUsedHeap, AgreesWithTheModelAfterEachOperationWhileSmall) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    run(seed, 150 * effort, 60, 1);
  }
}

TEST_P(RandomlyUsedHeap, AgreesWithTheModelThroughGrowthAndDrain) {
  run(4, 60000 * effort, 6000, 10000);
}

INSTANTIATE_TEST_SUITE_P(EveryHeap, RandomlyUsedHeap,
                         testing::ValuesIn(all_combinations_and_stress()), NameOfCombination());

}  // namespace
}  // namespace tarn::test
