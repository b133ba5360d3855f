// The pacing rule against programs made to break it: a simulation of CPython's generations, in which every
// promise of pacing_rule.h is checked after every step.
#include "integrations/python/pacing_rule.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tarn::python {
namespace {

using Want = PacingRule::Want;
using Generation = PacingRule::Generation;
constexpr std::size_t mebibyte = PacingRule::mebibyte;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
  std::size_t below(std::size_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::size_t>(state_ % bound);
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  // From 1 up to bound, each order of magnitude as likely.
  std::size_t magnitude(std::size_t bound) {
    std::size_t top = 1;
    for (std::size_t doublings = below(40); doublings > 0 && top < bound; --doublings) {
      top *= 2;
    }
    return 1 + below(std::min(top, bound));
  }

 private:
  std::uint64_t state_;
};

// Objects that live and die together.
struct Cluster {
  std::size_t containers;
  std::size_t bytes;
  bool is_live = true;
  bool held_by_older =
      false;  // garbage that only a full collection frees: older garbage refers to it
};

template <typename Rule>
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : chance_(seed) {
    if (chance_.one_in(2)) {
      allocate(1 + chance_.below(1000), chance_.magnitude(std::size_t{4} << 30));
      old_.swap(young_);
    }
    rule_.begin(heap());
    after_full();
  }

  // What went wrong; empty: nothing.
  std::string run(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      if (i % 256 == 0) {
        choose_behaviour();
      }
      step();
      look();
      if (std::string problem = check(); !problem.empty()) {
        return problem + " at step " + std::to_string(i);
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t full_collections() const { return full_collections_; }

 private:
  struct Behaviour {
    std::size_t most_containers;
    std::size_t most_bytes;
    std::size_t die_as_cycles;  // of a hundred steps
    std::size_t die_by_count;   // of a hundred steps
    std::size_t temporary;      // bytes handed out and freed at once
    bool newest_dies;
  };

  void choose_behaviour() {
    static constexpr Behaviour behaviours[] = {
        {1000, mebibyte, 100, 0, 0, true},          // cycles of a thousand objects, for ever
        {1, 8 * mebibyte, 100, 0, 0, true},         // megabytes through one small object
        {100, mebibyte / 4, 90, 0, 0, false},       // cycles that grow old first
        {100, mebibyte / 4, 50, 50, 0, false},      // a leak in the place of what is freed
        {10, mebibyte / 8, 0, 0, 0, false},         // growth, no garbage
        {10, mebibyte / 8, 0, 100, 0, false},       // churn, no garbage
        {10, 1000, 1, 90, mebibyte, true},          // hardly any, with temporaries
        {5000, 4 * mebibyte, 30, 30, 1000, false},  // anything
    };
    behaviour_ = behaviours[chance_.below(std::size(behaviours))];
  }

  void step() {
    handed_out_ += behaviour_.temporary;
    allocate(chance_.magnitude(behaviour_.most_containers),
             chance_.magnitude(behaviour_.most_bytes));
    if (chance_.below(100) < behaviour_.die_as_cycles) {
      die(true);
    }
    if (chance_.below(100) < behaviour_.die_by_count) {
      die(false);
    }
  }

  void allocate(std::size_t containers, std::size_t bytes) {
    young_.push_back({containers, bytes});
    live_ += bytes;
    handed_out_ += bytes;
    count_ += containers;
    if (count_ > rule_.thresholds().young) {
      collect_young();
    }
  }

  void die(bool as_cycle) {
    std::vector<Cluster>& generation = pick();
    if (generation.empty()) {
      return;
    }
    const std::size_t index =
        behaviour_.newest_dies ? generation.size() - 1 : chance_.below(generation.size());
    Cluster& cluster = generation[index];
    if (!cluster.is_live) {
      return;
    }
    live_ -= cluster.bytes;
    if (as_cycle) {
      cluster.is_live = false;
      cluster.held_by_older = chance_.one_in(4);
      garbage_ += cluster.bytes;
      return;
    }
    count_ -= std::min(count_, cluster.containers);
    cluster = generation.back();
    generation.pop_back();
  }

  std::vector<Cluster>& pick() {
    std::vector<Cluster>* const generations[] = {&young_, &middle_, &old_};
    if (behaviour_.newest_dies) {
      return young_;
    }
    return *generations[chance_.below(3)];
  }

  // As CPython chooses. It never gets to the oldest by itself: the pacer sees to that.
  void collect_young() {
    if (collections_of_young_ > rule_.thresholds().middle_after) {
      collect(Generation::middle);
    } else {
      collect(Generation::young);
    }
  }

  void collect(Generation generation) {
    const PacingRule::Heap before = heap();
    const bool is_full = generation == Generation::full;
    freed_containers_ = 0;
    free_garbage(young_, is_full);
    if (generation == Generation::young) {
      move(young_, middle_);
      ++collections_of_young_;
    } else {
      free_garbage(middle_, is_full);
      move(middle_, old_);
      move(young_, old_);
      collections_of_young_ = 0;
    }
    if (is_full) {
      free_garbage(old_, true);
      ++full_collections_;
    }
    count_ = 0;
    rule_.collected(generation, before, heap(), freed_containers_);
    if (is_full) {
      after_full();
    }
  }

  void free_garbage(std::vector<Cluster>& generation, bool is_full) {
    std::erase_if(generation, [&](const Cluster& cluster) {
      const bool goes = !cluster.is_live && (is_full || !cluster.held_by_older);
      if (goes) {
        garbage_ -= cluster.bytes;
        freed_containers_ += cluster.containers;
      }
      return goes;
    });
  }

  static void move(std::vector<Cluster>& from, std::vector<Cluster>& to) {
    to.insert(to.end(), from.begin(), from.end());
    from.clear();
  }

  void after_full() {
    live_then_ = live_;
    handed_out_then_ = handed_out_;
  }

  void look() {
    if (handed_out_ < look_at_) {
      return;
    }
    for (int turn = 0;; ++turn) {
      const Want want = rule_.look(heap());
      if (want == Want::nothing) {
        break;
      }
      if (turn == 5) {
        endless_ = true;
        break;
      }
      collect(want == Want::full ? Generation::full : Generation::middle);
    }
    look_at_ = handed_out_ + PacingRule::look_after;
    most_turnover_ = rule_.turnover_bound(heap());
  }

  [[nodiscard]] std::string check() const {
    constexpr std::size_t slack = PacingRule::look_after;
    const std::size_t shrunk = live_then_ > live_ ? live_then_ - live_ : 0;
    if (endless_) {
      return "the rule is never content";
    }
    if (heap().allocated > live_then_ + PacingRule::limit(live_then_) + slack) {
      return "R1: the heap grew too far";
    }
    if (garbage_ > PacingRule::limit(live_then_) + shrunk + slack) {
      return "too much garbage";
    }
    if (handed_out_ - handed_out_then_ > most_turnover_ + slack) {
      return "R2: too much was handed out";
    }
    return {};
  }

  [[nodiscard]] PacingRule::Heap heap() const { return {live_ + garbage_, handed_out_}; }

  Chance chance_;
  Rule rule_;
  Behaviour behaviour_ = {};
  std::vector<Cluster> young_;
  std::vector<Cluster> middle_;
  std::vector<Cluster> old_;
  std::size_t count_ = 0;
  std::size_t collections_of_young_ = 0;
  std::size_t full_collections_ = 0;
  std::size_t freed_containers_ = 0;  // by the last collection
  std::size_t live_ = 0;
  std::size_t garbage_ = 0;
  std::size_t handed_out_ = 0;
  std::size_t look_at_ = 0;
  std::size_t live_then_ = 0;  // at the last full collection
  std::size_t handed_out_then_ = 0;
  std::size_t most_turnover_ = SIZE_MAX;
  bool endless_ = false;
};

constexpr std::uint64_t seeds = 10'000;
constexpr std::size_t steps = 1'500;

template <typename Rule>
std::string first_problem(std::uint64_t most_seeds = seeds) {
  for (std::uint64_t seed = 1; seed <= most_seeds; ++seed) {
    if (std::string problem = Simulation<Rule>(seed).run(steps); !problem.empty()) {
      return problem + ", seed " + std::to_string(seed);
    }
  }
  return {};
}

TEST(PacingRule, KeepsItsPromisesAgainstPrograms) { EXPECT_EQ(first_problem<PacingRule>(), ""); }

// The simulation finds rules that are wrong.

class HasNoBoundOnItsAllowance : public PacingRule {
 public:
  Want look(const Heap& heap) {
    const bool is_turnover = heap.handed_out - handed_out_then_ >= turnover_bound(heap);
    const bool has_grown = heap.allocated >= base() + 2 * limit(base());
    return is_turnover || has_grown ? PacingRule::look(heap) : Want::nothing;
  }
  void collected(Generation generation, const Heap& before, const Heap& after,
                 std::size_t containers) {
    PacingRule::collected(generation, before, after, containers);
    if (generation == Generation::full) {
      handed_out_then_ = after.handed_out;
    }
  }

 private:
  std::size_t handed_out_then_ = 0;
};

class CollectsTheMiddleOnly : public PacingRule {
 public:
  Want look(const Heap& heap) {
    if (PacingRule::look(heap) == Want::nothing || has_tried_) {
      has_tried_ = false;
      return Want::nothing;
    }
    has_tried_ = true;
    return Want::middle;
  }

 private:
  bool has_tried_ = false;
};

class DoesNotCountTurnover : public PacingRule {
 public:
  Want look(const Heap& heap) { return PacingRule::look({heap.allocated, 0}); }
  void begin(const Heap& heap) { PacingRule::begin({heap.allocated, 0}); }
  void collected(Generation generation, const Heap& before, const Heap& after,
                 std::size_t containers) {
    PacingRule::collected(generation, before, {after.allocated, 0}, containers);
  }
};

// A trial that found nothing is wanted again at once, since growth is measured from the last full collection.
class TriesTheMiddleForEver : public PacingRule {
 public:
  Want look(const Heap& heap) {
    const Want want = PacingRule::look(heap);
    return want == Want::full || heap.allocated >= base() + allowance() / 2 ? Want::middle : want;
  }
};

TEST(PacingRule, SimulationFindsARuleThatIsNeverContent) {
  EXPECT_EQ(first_problem<TriesTheMiddleForEver>().substr(0, 8), "the rule");
}

TEST(PacingRule, SimulationFindsARuleWithoutABound) {
  EXPECT_EQ(first_problem<HasNoBoundOnItsAllowance>().substr(0, 3), "R1:");
}

TEST(PacingRule, SimulationFindsARuleThatNeverCollectsTheOldest) {
  EXPECT_NE(first_problem<CollectsTheMiddleOnly>(), "");
}

TEST(PacingRule, SimulationFindsARuleThatDoesNotCountTurnover) {
  EXPECT_EQ(first_problem<DoesNotCountTurnover>().substr(0, 3), "R2:");
}

// What the rule does, figure by figure.

PacingRule::Heap heap_of(std::size_t mebibytes, std::size_t handed_out = 0) {
  return {mebibytes * mebibyte, handed_out * mebibyte};
}

TEST(PacingRule, TheLimitIsSixteenMebibytesOrAQuarter) {
  EXPECT_EQ(PacingRule::limit(0), 16 * mebibyte);
  EXPECT_EQ(PacingRule::limit(64 * mebibyte), 16 * mebibyte);
  EXPECT_EQ(PacingRule::limit(400 * mebibyte), 100 * mebibyte);
}

TEST(PacingRule, GrowthIsTriedByTheMiddleGenerationFirst) {
  PacingRule rule;
  rule.begin(heap_of(10));
  EXPECT_EQ(rule.look(heap_of(13, 3)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(14, 4)), Want::middle);
  rule.collected(Generation::middle, heap_of(14, 4), heap_of(11, 4), 100);
  EXPECT_EQ(rule.look(heap_of(12, 5)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(13, 6)), Want::middle) << "much was freed: earlier";
  rule.collected(Generation::middle, heap_of(13, 6), heap_of(13, 6), 0);
  EXPECT_EQ(rule.look(heap_of(20, 13)), Want::nothing) << "in vain: later, and from here";
  EXPECT_EQ(rule.look(heap_of(21, 14)), Want::middle);
  rule.collected(Generation::middle, heap_of(21, 14), heap_of(21, 14), 0);
  EXPECT_EQ(rule.look(heap_of(22, 15)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(23, 16)), Want::full) << "all growth counts";
}

TEST(PacingRule, ATrialForNothingLeavesTheRestToAFullCollection) {
  PacingRule rule;
  rule.begin(heap_of(10));
  rule.collected(Generation::middle, heap_of(14), heap_of(14), 0);
  EXPECT_EQ(rule.look(heap_of(22)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(23)), Want::full);
  rule.collected(Generation::full, heap_of(23), heap_of(10), 1000);
  EXPECT_EQ(rule.allowance(), 8 * mebibyte) << "it found much";
  EXPECT_EQ(rule.look(heap_of(17)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(18)), Want::full) << "a trial of 8 MiB is no sooner";
  rule.collected(Generation::full, heap_of(18), heap_of(10), 1000);
  EXPECT_EQ(rule.allowance(), PacingRule::least_allowance);
  EXPECT_EQ(rule.look(heap_of(14)), Want::middle) << "once in a while it's tried";
}

TEST(PacingRule, FullCollectionsForNothingGrowRare) {
  PacingRule rule;
  rule.begin(heap_of(100));
  rule.collected(Generation::middle, heap_of(104), heap_of(104), 0);
  EXPECT_EQ(rule.look(heap_of(112)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(113)), Want::full);
  rule.collected(Generation::full, heap_of(113), heap_of(113), 0);
  EXPECT_EQ(rule.allowance(), 26 * mebibyte);
  rule.collected(Generation::full, heap_of(139), heap_of(139), 0);
  EXPECT_EQ(rule.allowance(), 139 * mebibyte / 4) << "a quarter";
  rule.collected(Generation::full, heap_of(140), heap_of(140), 0);
  EXPECT_EQ(rule.allowance(), 139 * mebibyte / 4) << "it didn't follow from growth";
  rule.collected(Generation::full, heap_of(176), heap_of(140), 1000);
  EXPECT_EQ(rule.allowance(), 139 * mebibyte / 8);
}

TEST(PacingRule, AfterGarbageWasFoundTheHeapIsMeasuredFromItsLeast) {
  PacingRule rule;
  rule.begin(heap_of(100));
  rule.collected(Generation::middle, heap_of(104), heap_of(104), 0);
  EXPECT_EQ(rule.look(heap_of(20)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(90)), Want::nothing);
  rule.collected(Generation::full, heap_of(120), heap_of(100), 1000);
  EXPECT_EQ(rule.look(heap_of(20)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(90)), Want::full);
}

TEST(PacingRule, TheYoungestStaysInTheCacheAndIsLeftAloneOnceItHasLongFoundNothing) {
  PacingRule rule;
  EXPECT_EQ(rule.thresholds(), (PacingRule::Thresholds{700, 11}));
  for (unsigned i = 1; i < PacingRule::most_vain; ++i) {
    rule.collected(Generation::young, heap_of(20), heap_of(20), 10);
    EXPECT_EQ(rule.thresholds().young, PacingRule::most_young);
  }
  rule.collected(Generation::young, heap_of(20), heap_of(20), 16);
  EXPECT_EQ(rule.thresholds().young, PacingRule::least_young) << "a sixty-fourth was freed";
  for (unsigned i = 0; i < PacingRule::most_vain; ++i) {
    rule.collected(Generation::young, heap_of(20), heap_of(20), 0);
  }
  EXPECT_EQ(rule.thresholds().young, PacingRule::young_off);
}

TEST(PacingRule, TheFirstOfTheMiddleComesNoSoonerThanCPythons) {
  PacingRule rule;
  rule.begin(heap_of(1));
  rule.collected(Generation::young, heap_of(1), heap_of(1), 0);
  EXPECT_EQ(rule.thresholds(), (PacingRule::Thresholds{1000, 10})) << "a start has made nearly ten";
  rule.collected(Generation::middle, heap_of(2), heap_of(1), 1000);
  EXPECT_EQ(rule.thresholds(), (PacingRule::Thresholds{1000, 7}));
}

TEST(PacingRule, TheYoungestIsWatchedAgainWhenCyclesDie) {
  PacingRule rule;
  const auto leave_alone = [&] {
    for (unsigned i = 0; i < PacingRule::most_vain; ++i) {
      rule.collected(Generation::young, heap_of(20), heap_of(20), 0);
    }
    ASSERT_EQ(rule.thresholds().young, PacingRule::young_off);
  };
  rule.begin(heap_of(20));
  leave_alone();
  rule.collected(Generation::middle, heap_of(24), heap_of(21), 1000);
  EXPECT_EQ(rule.thresholds().young, PacingRule::least_young);
  leave_alone();
  rule.collected(Generation::full, heap_of(40), heap_of(21), 1000);
  EXPECT_EQ(rule.thresholds().young, PacingRule::least_young);
}

TEST(PacingRule, TurnoverAloneLeadsToAFullCollection) {
  PacingRule rule;
  rule.begin(heap_of(100));
  EXPECT_EQ(rule.look(heap_of(100, 399)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(100, 400)), Want::middle);
  rule.collected(Generation::middle, heap_of(100, 400), heap_of(100, 400), 0);
  EXPECT_EQ(rule.look(heap_of(100, 400)), Want::full);
  rule.collected(Generation::full, heap_of(100, 400), heap_of(100, 400), 0);
  EXPECT_EQ(rule.look(heap_of(100, 1199)), Want::nothing);
  EXPECT_EQ(rule.look(heap_of(100, 1200)), Want::middle);
  rule.collected(Generation::full, heap_of(100, 1200), heap_of(90, 1200), 1000);
  EXPECT_EQ(rule.turnover_bound(heap_of(90)), 45 * mebibyte / 2) << "it found much";
}

}  // namespace
}  // namespace tarn::python
