// What the pacing rule promises, for heaps that do anything.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "gc/pacing_rule.h"

namespace tarn::gc {
namespace {

constexpr std::size_t kibibyte = 1024;

// A heap of so many live bytes and so many that only a collection frees.
struct Heap {
  std::size_t live = 0;
  std::size_t young_garbage = 0;
  std::size_t old_garbage = 0;
  std::size_t allocated = 0;

  [[nodiscard]] std::size_t garbage() const { return young_garbage + old_garbage; }
  [[nodiscard]] PacingRule::Heap figures() const { return {live + garbage(), allocated}; }
};

class Simulation {
 public:
  Simulation(unsigned seed, const CollectorThresholds& thresholds)
      : rule_(thresholds), random_(seed) {
    rule_.begin(heap_.figures());
  }

  // Allocates a piece, which replaces something, grows the heap, or ends as garbage.
  void run(int steps) {
    unsigned leaks = percent();
    unsigned grows = percent();
    for (int i = 0; i < steps; ++i) {
      if (random_() % 1000 == 0) {
        leaks = percent();
        grows = percent();
      }
      if (random_() % 5000 == 0) {
        // The program drops much of what it has; some of that in cycles.
        const std::size_t dropped = heap_.live / 2;
        const std::size_t in_cycles = random_() % 2 == 0 ? dropped / 2 : 0;
        heap_.live -= dropped;
        heap_.old_garbage += in_cycles;
      }
      const std::size_t piece = 16 * kibibyte;
      heap_.allocated += piece;
      if (percent() < leaks) {
        heap_.young_garbage += piece;
      } else if (percent() < grows) {
        heap_.live += piece;
      }
      look();
      expect_promises(piece);
    }
  }

  std::size_t full_bytes = 0;  // looked at by full collections
  Heap heap_;

 private:
  [[nodiscard]] unsigned percent() { return static_cast<unsigned>(random_() % 100); }

  void look() {
    const PacingRule::Heap before = heap_.figures();
    const PacingRule::Want want = rule_.look(before);
    if (want == PacingRule::Want::nothing ||
        (want == PacingRule::Want::young && !rule_.is_worthwhile(before, before.taken))) {
      return;
    }
    Collection collection;
    const bool is_full = want == PacingRule::Want::full;
    collection.generation = is_full ? Generation::full : Generation::young;
    collection.examined = is_full ? before.taken : heap_.young_garbage + 64 * kibibyte;
    collection.unreachable = is_full ? heap_.garbage() : heap_.young_garbage / 2;
    if (is_full) {
      full_bytes += before.taken;
      heap_.young_garbage = heap_.old_garbage = 0;
      live_at_full_ = heap_.live;
      allocated_at_full_ = heap_.allocated;
    } else {
      // The rest has become old.
      heap_.old_garbage += heap_.young_garbage - heap_.young_garbage / 2;
      heap_.young_garbage = 0;
    }
    rule_.collected(collection, before, heap_.figures(), heap_.figures().taken);
  }

  void expect_promises(std::size_t piece) {
    const std::size_t taken = heap_.live + heap_.garbage();
    EXPECT_LT(taken, live_at_full_ + rule_.limit(live_at_full_) + piece) << "R1";
    EXPECT_LT(heap_.allocated - allocated_at_full_,
              (rule_.limit(taken) << PacingRule::most_patience) + piece)
        << "R2";
    const std::size_t dropped = live_at_full_ > heap_.live ? live_at_full_ - heap_.live : 0;
    EXPECT_LT(heap_.garbage(), rule_.limit(live_at_full_) + dropped + piece);
  }

  PacingRule rule_;
  std::mt19937 random_;
  std::size_t live_at_full_ = 0;
  std::size_t allocated_at_full_ = 0;
};

TEST(PacingRule, BoundsTheGarbageOfAnyProgram) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    CollectorThresholds thresholds;
    thresholds.garbage_floor = std::size_t{1} << (20 + seed % 6);
    thresholds.garbage_percent = 25 * (1 + seed % 4);
    Simulation simulation(seed, thresholds);
    simulation.run(5000);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

// A heap that only grows is looked at a few times over, not once for each growth by the floor.
TEST(PacingRule, AGrowingHeapIsLookedAtInProportion) {
  PacingRule rule{CollectorThresholds{}};
  std::size_t heap = 0;
  std::size_t full_bytes = 0;
  rule.begin({});
  while (heap < (std::size_t{4} << 30)) {
    heap += 64 * kibibyte;
    const PacingRule::Heap figures{heap, heap};
    const PacingRule::Want want = rule.look(figures);
    if (want != PacingRule::Want::nothing) {
      Collection collection;
      collection.examined = heap;
      if (want == PacingRule::Want::full) {
        full_bytes += heap;
      } else {
        collection.generation = Generation::young;
      }
      rule.collected(collection, figures, figures, figures.taken);
    }
  }
  EXPECT_LT(full_bytes, 3 * heap);
}

TEST(PacingRule, YoungCollectionsComeLaterWhileTheyFindNothing) {
  PacingRule rule{CollectorThresholds{}};
  Collection collection;
  collection.generation = Generation::young;
  collection.examined = 1000;
  for (int i = 0; i < 10; ++i) {
    rule.collected(collection, {}, {}, 0);
  }
  EXPECT_EQ(rule.young_bytes(), rule.thresholds().most_young_bytes);
  collection.unreachable = 1000;
  for (int i = 0; i < 10; ++i) {
    rule.collected(collection, {}, {}, 0);
  }
  EXPECT_EQ(rule.young_bytes(), rule.thresholds().least_young_bytes);
}

// Where everything dies by its count: so many bytes allocated, and as many gone.
TEST(PacingRule, WhatDiesByItsCountIsntLookedAt) {
  PacingRule rule({});
  rule.begin({.taken = 1024 * kibibyte, .allocated = 0});
  unsigned due = 0;
  unsigned young = 0;
  for (std::size_t allocated = 0; allocated < 30U * 1024 * kibibyte; allocated += 16 * kibibyte) {
    const PacingRule::Heap figures{.taken = 1024 * kibibyte, .allocated = allocated};
    if (rule.look(figures) == PacingRule::Want::young) {
      ++due;
      young += rule.is_worthwhile(figures, allocated / kibibyte % 512 * kibibyte) ? 1U : 0U;
    }
  }
  EXPECT_EQ(young, 0U);
  EXPECT_GT(due, 3U);
  EXPECT_LT(due, 20U);
}

TEST(PacingRule, GarbageInThePlaceOfWhatHasDiedIsLookedAt) {
  PacingRule rule({});
  const PacingRule::Heap at_first{.taken = 20U * 1024 * kibibyte, .allocated = 0};
  rule.begin(at_first);
  std::size_t allocated = 0;
  const auto is_wanted = [&](std::size_t held) {
    allocated += 16 * kibibyte;
    const PacingRule::Heap figures{.taken = at_first.taken, .allocated = allocated};
    return rule.look(figures) == PacingRule::Want::young && rule.is_worthwhile(figures, held);
  };
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(
        is_wanted(10U * 1024 * kibibyte));  // half of the heap is dropped, and the rest churns
  }
  // Now what's made stays: within two thresholds a young one is due.
  const std::size_t most = 2 * std::max(rule.young_bytes(), std::size_t{1024} * kibibyte);
  std::size_t held = 10U * 1024 * kibibyte;
  const std::size_t before = held;
  while (!is_wanted(held)) {
    held += 16 * kibibyte;
    ASSERT_LE(held, before + most);
  }
}

}  // namespace
}  // namespace tarn::gc
