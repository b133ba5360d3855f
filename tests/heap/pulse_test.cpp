// A pulse against the statistics, which look at every pool.

#include "heap/pulse.h"

#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "heap/instance.h"
#include "support/combinations.h"

namespace tarn::test {
namespace {

class Pulses : public testing::TestWithParam<Combination> {
 protected:
  Pulses() : heap_(heap::create(GetParam().options())) {}
  ~Pulses() override { heap_->operations->destroy(*heap_); }

  void* allocate(std::size_t size) {
    const heap::Face& face = heap_->face(Domain::obj);
    return face.functions->allocate(face.domain, size);
  }
  void free(void* block) {
    const heap::Face& face = heap_->face(Domain::obj);
    face.functions->free(face.domain, block);
  }
  const heap::Pulse& pulse(std::size_t turn) {
    pulse_->clear(turn);
    heap_->operations->take_pulse(*heap_, *pulse_);
    return *pulse_;
  }
  const HeapStatistics& statistics() {
    heap_->operations->collect_statistics(*heap_, *statistics_);
    return *statistics_;
  }

  heap::Instance* heap_;
  std::unique_ptr<heap::Pulse> pulse_ = std::make_unique<heap::Pulse>();
  std::unique_ptr<HeapStatistics> statistics_ = std::make_unique<HeapStatistics>();
};
INSTANTIATE_TEST_SUITE_P(OfEach, Pulses, testing::ValuesIn(combinations_with(Checks::none)),
                         NameOfCombination());

struct Sums {
  std::size_t pools = 0;
  std::size_t allocated = 0;
  std::size_t free = 0;
  std::size_t untouched = 0;
  bool operator==(const Sums&) const = default;
};

Sums sums_of(const heap::Pulse& pulse) {
  Sums sums;
  for (const heap::Pulse::SizeClass& of : pulse.classes) {
    sums.pools += of.pools;
    sums.allocated += of.allocated;
    sums.free += of.free;
    sums.untouched += of.untouched;
  }
  return sums;
}

Sums sums_of(const HeapStatistics& statistics) {
  Sums sums;
  for (const auto& classes : statistics.classes) {
    for (const SizeClassStatistics& of : classes) {
      sums.pools += of.pools_used + of.pools_full;
      sums.allocated += of.blocks_allocated;
      sums.free += of.blocks_free;
      sums.untouched += of.blocks_untouched;
    }
  }
  return sums;
}

TEST_P(Pulses, OfASmallHeapIsExact) {
  std::minstd_rand random(3);
  std::vector<void*> live;
  for (int i = 0; i < 20'000; ++i) {
    live.push_back(allocate(1 + random() % 600));
    if (random() % 3 == 0) {
      const std::size_t index = random() % live.size();
      free(live[index]);
      live[index] = live.back();
      live.pop_back();
    }
  }
  for (const std::size_t turn : {0U, 1U, 7U}) {
    const heap::Pulse& pulse = this->pulse(turn);
    const HeapStatistics& statistics = this->statistics();
    EXPECT_EQ(sums_of(pulse), sums_of(statistics));
    EXPECT_EQ(pulse.tiers[0].arenas, statistics.arenas_now);
    EXPECT_EQ(pulse.tiers[0].pools_taken, statistics.pools_used + statistics.pools_full);
    EXPECT_EQ(pulse.tiers[1].arenas, statistics.medium.arenas_now);
    EXPECT_EQ(pulse.large.blocks, statistics.large.blocks);
    EXPECT_EQ(pulse.large.bytes, statistics.large.bytes);
    std::size_t live_bytes = 0;
    std::size_t in_groups = 0;
    for (const heap::Pulse::SizeClass& of : pulse.classes) {
      live_bytes += of.allocated * of.block_size;
    }
    for (const heap::Pulse::Tier& tier : pulse.tiers) {
      EXPECT_EQ(tier.sampled_arenas, tier.arenas);
      EXPECT_EQ(tier.sampled_taken, tier.pools_taken);
      for (std::size_t i = 0; i < tier.group_count; ++i) {
        in_groups += tier.groups[i].live;
      }
    }
    EXPECT_EQ(in_groups, live_bytes);
  }
  for (void* const block : live) {
    free(block);
  }
}

TEST_P(Pulses, OfALargeOneLooksAtEachArenaOnceInTurn) {
  // Nothing is written to, nor freed: no memory but addresses.
  const std::size_t arena_size = statistics().arena_size;
  while (statistics().arenas_now < heap::Pulse::most_groups * 2) {
    for (std::size_t i = 0; i < arena_size / 512; ++i) {
      ASSERT_NE(allocate(512), nullptr);
    }
  }
  const std::size_t arenas = statistics().arenas_now;
  const std::size_t pools = arena_size / statistics().pool_size;
  const std::size_t stride =
      (arenas * pools + heap::Pulse::most_sampled_pools - 1) / heap::Pulse::most_sampled_pools;
  ASSERT_GT(stride, 1U);
  Sums sums;
  std::size_t sampled = 0;
  for (std::size_t turn = 0; turn < stride; ++turn) {
    const heap::Pulse::Tier& tier = pulse(turn).tiers[0];
    EXPECT_LE(tier.group_count, heap::Pulse::most_groups);
    EXPECT_LE(tier.sampled_arenas * pools, heap::Pulse::most_sampled_pools);
    EXPECT_EQ(tier.arenas, arenas);
    sampled += tier.sampled_arenas;
    const Sums part = sums_of(*pulse_);
    sums.pools += part.pools;
    sums.allocated += part.allocated;
    sums.free += part.free;
    sums.untouched += part.untouched;
  }
  EXPECT_EQ(sampled, arenas);
  EXPECT_EQ(sums, sums_of(statistics()));
}

}  // namespace
}  // namespace tarn::test
