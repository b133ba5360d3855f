// Random graphs against a model of who's reachable.
#include <gtest/gtest.h>

#include <tarn/gc.h>

#include "gc/collector_access.h"
#include "gc/graph_model.h"

namespace tarn::test {
namespace {

using std::chrono::nanoseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr unsigned seeds = 400;
#else
constexpr unsigned seeds = 3000;
#endif

// At the end of a test: nothing is left that would report to the model.
void expect_in_order(ObjectHeap& heap, Collector& collector, GraphModel& model) {
  heap.verify();
  collector.verify();
  model.drop_all();
  collector.collect();
  EXPECT_EQ(model.census.alive.size(), 0U);
  heap.verify();
  collector.verify();
}

TEST(RandomGraphs, AFullCollectionLeavesExactlyWhatIsReachable) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    GraphModel model(heap, seed);
    for (int round = 0; round < 3; ++round) {
      model.steps(60);
      collector.collect();
      model.expect_exactly_reachable_alive();
      model.expect_weak_references_agree();
    }
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// Where many objects wait, they are marked in order of addresses: here one is many, or a few are; and the stack is short.
TEST(RandomGraphs, AFullCollectionInOrderOfAddressesLeavesExactlyWhatIsReachable) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    CollectorTestAccess::mark_in_order_beyond(collector, seed % 4 * 5);
    if (seed % 3 == 0) {
      CollectorTestAccess::limit_stack(collector, 2);
    }
    GraphModel model(heap, seed);
    for (int round = 0; round < 3; ++round) {
      model.steps(60);
      collector.collect();
      collector.verify();
      model.expect_exactly_reachable_alive();
      model.expect_weak_references_agree();
      while (!collector.collect(nanoseconds(1000))) {
        model.expect_reachable_alive();
      }
      collector.collect(Generation::young);
      model.expect_exactly_reachable_alive();
    }
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

struct Link : Object {
  Member<Link> next;
  std::vector<Member<Link>> others;
  static constexpr auto members = tarn::members(&Link::next, &Link::others);
};

// A chain against the order of addresses, behind one who has many others: each turn in order finds one link, so that the rest
// is marked along the chain.
TEST(RandomGraphs, AChainAgainstTheOrderOfAddressesIsMarkedToItsEnd) {
  for (const std::size_t many : {0U, 1U, 8U, 30U}) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    CollectorTestAccess::mark_in_order_beyond(collector, many);
    std::vector<Ref<Link>> links(500);
    for (Ref<Link>& link : links) {
      link = heap.make<Link>();
    }
    // Back by 25 blocks each, in 25 rounds: never within one word of bits.
    Link* at = links[499].get();
    for (std::size_t round = 0; round < 25; ++round) {
      for (std::size_t row = 16; row-- > 0;) {
        at->next = links[row * 25 + round];
        at = at->next.get();
      }
    }
    at->next = links[499];  // all is one cycle
    for (std::size_t i = 400; i < 499; ++i) {
      links[499]->others.emplace_back(links[i]);
    }
    const Weak<Link> last(links[24]);
    links.erase(links.begin(), links.end() - 1);
    EXPECT_EQ(collector.collect().unreachable, 0U) << many;
    ASSERT_FALSE(last.is_dead()) << many;
    collector.verify();
    heap.verify();
    links.clear();
    EXPECT_EQ(collector.collect().unreachable, 500U) << many;
    collector.verify();
  }
}

TEST(RandomGraphs, AYoungCollectionFreesNothingReachable) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    GraphModel model(heap, seed);
    for (int round = 0; round < 8; ++round) {
      model.steps(30);
      collector.collect(round % 4 == 3 ? Generation::full : Generation::young);
      model.expect_reachable_alive();
      model.expect_weak_references_agree();
    }
    model.expect_exactly_reachable_alive();
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(RandomGraphs, FrozenObjectsAndWhatTheyReferToStay) {
  for (unsigned seed = 0; seed < seeds / 4; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    GraphModel model(heap, seed);
    model.steps(80);
    collector.freeze();
    model.steps(80);
    collector.collect();
    collector.collect(Generation::young);
    model.expect_reachable_alive();
    collector.unfreeze();
    EXPECT_EQ(collector.frozen(), 0U);
    collector.collect();
    model.expect_exactly_reachable_alive();
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// The budget of nothing at all: a slice does as little as it can.
TEST(RandomGraphs, ACollectionInSlicesFreesNothingReachable) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    GraphModel model(heap, seed, {.with_large = false});
    model.steps(100);
    for (int slice = 0; slice < 100; ++slice) {
      collector.collect(nanoseconds(seed % 3 * 2000));
      model.expect_reachable_alive();
      model.steps(static_cast<int>(seed % 4));
      model.expect_weak_references_agree();
    }
    collector.verify();
    heap.verify();
    collector.collect();
    model.expect_exactly_reachable_alive();
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(RandomGraphs, ACollectionInSlicesFindsAllGarbageOfAProgramAtRest) {
  for (unsigned seed = 0; seed < seeds / 4; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap, {.automatic = false});
    GraphModel model(heap, seed, {.with_large = false});
    model.steps(150);
    int slices = 0;
    while (!collector.collect(nanoseconds(1000))) {
      ASSERT_LT(++slices, 1000);
    }
    EXPECT_FALSE(collector.last().gave_up);
    model.expect_exactly_reachable_alive();
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(RandomGraphs, CollectingAtEveryAllocationFreesNothingReachable) {
  for (unsigned seed = 0; seed < seeds / 20; ++seed) {
    ObjectHeap heap({.reserved_bytes = std::size_t{1} << 26});
    Collector collector(heap);
    collector.collect_at_allocations(1);
    GraphModel model(heap, seed);
    for (int round = 0; round < 10; ++round) {
      model.steps(20);
      model.expect_reachable_alive();
      model.expect_weak_references_agree();
    }
    collector.collect_at_allocations(0);
    collector.collect();
    model.expect_exactly_reachable_alive();
    expect_in_order(heap, collector, model);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tarn::test
