// What a collection does to its garbage, and in which order.
#include <cstdlib>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tarn/gc.h>

#include "gc/collector_access.h"
#include "gc/graph_model.h"

namespace tarn::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Node final : Object {
  Member<Node> next;
  Member<Node> other;
  static constexpr auto members = tarn::members(&Node::next, &Node::other);
};

struct Hook final : Object {
  ~Hook() {
    if (on_destroy) {
      on_destroy(*this);
    }
  }
  void finalize() {
    if (on_finalize) {
      on_finalize(*this);
    }
  }
  Member<Hook> next;
  std::function<void(Hook&)> on_finalize;
  std::function<void(Hook&)> on_destroy;
  static constexpr auto members = tarn::members(&Hook::next);
};

struct Wide final : Object {
  std::vector<Member<Object>> all;
  Member<Object> one;
  static constexpr auto members = tarn::members(&Wide::one, &Wide::all);
};

// Collects while it's being constructed.
struct Self final : Object {
  Self(Collector& collector, Ref<Node> ring) : node(std::move(ring)) {
    node->other = nullptr;
    collector.collect();
    EXPECT_NE(node->next, nullptr);
  }
  Member<Node> node;
  static constexpr auto members = tarn::members(&Self::node);
};

struct Row final : Sized<Row, Member<Object>> {};
struct Letters final : Sized<Letters, char> {};

class Collect : public testing::Test {
 protected:
  ~Collect() override {
    collector.verify();
    heap.verify();
  }
  [[nodiscard]] std::size_t objects() const {
    const ObjectHeapStatistics statistics = heap.statistics();
    return statistics.objects - statistics.types;
  }
  template <typename T>
  Ref<T> ring(int length) {
    Ref<T> first = heap.make<T>();
    Ref<T> last = first;
    for (int i = 1; i < length; ++i) {
      last->next = heap.make<T>();
      last = Ref<T>(last->next);
    }
    last->next = first;
    return first;
  }

  ObjectHeap heap;
  Collector collector{heap, {.automatic = false}};
};

TEST_F(Collect, ObjectsWithoutReferencesDontEndTheMarkingOfOthers) {
  // They share pools with tuples, so they're marked when they're reached, but nobody counts on them.
  Ref<Wide> root = heap.make<Wide>();
  for (int i = 0; i < 100; ++i) {
    root->all.emplace_back(heap.make_sized<Letters>(24));
    root->all.emplace_back(heap.make_sized<Row>(2));
  }
  root->one = ring<Node>(1000);
  ring<Node>(10);
  const std::size_t all = objects();
  EXPECT_EQ(collector.collect().unreachable, 10U);
  EXPECT_EQ(objects(), all - 10);
}

TEST_F(Collect, OneThatIsOnlyJustNotHeldIsFoundAmongManyThatAre) {
  std::vector<Ref<Node>> held;
  for (int i = 0; i < 5000; ++i) {
    held.push_back(heap.make<Node>());
    held.back()->next = held[held.size() / 2];
  }
  EXPECT_EQ(collector.collect().unreachable, 0U);
  held[17]->other = ring<Node>(3);  // held by it alone
  EXPECT_EQ(collector.collect().unreachable, 0U);
  held[17]->other = nullptr;
  EXPECT_EQ(collector.collect().unreachable, 3U);
}

TEST_F(Collect, AnUnreachableCycleDies) {
  ring<Node>(3);
  EXPECT_EQ(objects(), 3U);
  const Collection collection = collector.collect();
  EXPECT_EQ(collection.examined, 3U);
  EXPECT_EQ(collection.unreachable, 3U);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, ACycleThatIsHeldLives) {
  const Ref<Node> held = ring<Node>(3)->next.get() != nullptr ? ring<Node>(4) : nullptr;
  EXPECT_EQ(collector.collect().unreachable, 3U);
  EXPECT_EQ(objects(), 4U);
  EXPECT_EQ(held->reference_count(), 2);
}

TEST_F(Collect, AnObjectThatRefersToItselfDies) {
  {
    const Ref<Node> node = heap.make<Node>();
    node->next = node;
    node->other = node;
  }
  EXPECT_EQ(collector.collect().unreachable, 1U);
}

TEST_F(Collect, AYoungCollectionLeavesTheOldAlone) {
  Ref<Node> old = ring<Node>(2);
  EXPECT_EQ(collector.collect(Generation::young).examined, 2U);
  EXPECT_EQ(collector.collect(Generation::young).examined, 0U);
  old = nullptr;
  ring<Node>(5);
  const Collection young = collector.collect(Generation::young);
  EXPECT_EQ(young.examined, 5U);
  EXPECT_EQ(young.unreachable, 5U);
  EXPECT_EQ(objects(), 2U);
  EXPECT_EQ(collector.collect().unreachable, 2U);
  EXPECT_EQ(collector.statistics().young.collections, 3U);
  EXPECT_EQ(collector.statistics().full.collections, 1U);
  EXPECT_EQ(collector.statistics().pauses, 4U);
  EXPECT_GE(collector.statistics().total_pause, collector.statistics().longest_pause);
}

TEST_F(Collect, ManyReferencesToOneObjectAreTallied) {
  for (const int references : {126, 127, 128, 129, 255, 256, 257, 1000, 5000}) {
    for (const bool hub_first : {true, false}) {
      Ref<Node> hub = hub_first ? heap.make<Node>() : nullptr;
      Ref<Wide> wide = heap.make<Wide>();
      if (!hub_first) {
        hub = heap.make<Node>();
      }
      for (int i = 0; i < references; ++i) {
        wide->all.push_back(hub);
      }
      const Ref<Node> other = heap.make<Node>();
      wide->one = other;
      {
        const Ref<Wide> back = heap.make<Wide>();
        back->one = wide;
        wide->all.push_back(back);
      }
      wide = nullptr;
      EXPECT_EQ(collector.collect().unreachable, 2U) << references;
      EXPECT_EQ(hub->reference_count(), 1) << references;
      EXPECT_EQ(other->reference_count(), 1);
      hub->next = hub;
      hub = nullptr;
      EXPECT_EQ(collector.collect().unreachable, 1U);
      collector.verify();
    }
  }
}

TEST_F(Collect, ImmortalObjectsAndWhatTheyReferToLive) {
  {
    const Ref<Node> immortal = ring<Node>(3);
    immortalize(immortal);
  }
  EXPECT_EQ(collector.collect().unreachable, 0U);
  EXPECT_EQ(objects(), 3U);
}

TEST_F(Collect, WeakReferencesAreClearedBeforeAnyCallback) {
  std::vector<Weak<Node>> weak;
  int calls = 0;
  {
    const Ref<Node> first = ring<Node>(10);
    Ref<Node> node = first;
    for (int i = 0; i < 10; ++i) {
      weak.emplace_back(node, [&] {
        ++calls;
        for (const Weak<Node>& other : weak) {
          EXPECT_TRUE(other.is_dead());
        }
        collector.collect();  // does nothing
        ring<Node>(2);
      });
      node = Ref<Node>(node->next);
    }
  }
  EXPECT_EQ(collector.collect().unreachable, 10U);
  EXPECT_EQ(calls, 10);
  collector.collect();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, AFinalizerRunsOnceAndMayResurrect) {
  int finalized = 0;
  Ref<Hook> rescued;
  {
    const Ref<Hook> first = ring<Hook>(4);
    first->on_finalize = [&](Hook& self) {
      ++finalized;
      rescued = Ref<Hook>(share, &self);
    };
  }
  Collection collection = collector.collect();
  EXPECT_EQ(collection.unreachable, 0U);
  EXPECT_EQ(collection.resurrected, 4U);
  EXPECT_EQ(finalized, 1);
  EXPECT_EQ(objects(), 4U);
  EXPECT_EQ(rescued->reference_count(), 2);
  heap.verify();
  rescued = nullptr;
  collection = collector.collect();
  EXPECT_EQ(collection.unreachable, 4U);
  EXPECT_EQ(finalized, 1);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, WhatAFinalizerDoesNotResurrectDies) {
  Ref<Hook> rescued;
  {
    const Ref<Hook> lives = ring<Hook>(2);
    lives->on_finalize = [&](Hook& self) { rescued = Ref<Hook>(share, &self); };
    const Ref<Hook> dies = ring<Hook>(3);
    dies->on_finalize = [&](Hook& self) { self.next = nullptr; };
  }
  const Collection collection = collector.collect();
  EXPECT_EQ(collection.unreachable, 3U);
  EXPECT_EQ(collection.resurrected, 2U);
  EXPECT_EQ(objects(), 2U);
  rescued->next = nullptr;
}

TEST_F(Collect, AFinalizerMayAllocateAndCollect) {
  Ref<Node> made;
  {
    const Ref<Hook> first = ring<Hook>(2);
    first->on_finalize = [&](Hook&) {
      for (int i = 0; i < 2000; ++i) {
        ring<Node>(2);
      }
      made = ring<Node>(2);
      EXPECT_EQ(collector.collect().examined, 0U);
      EXPECT_TRUE(collector.collect(std::chrono::seconds(1)));
      collector.freeze();
      EXPECT_EQ(collector.frozen(), 0U);
    };
  }
  EXPECT_EQ(collector.collect().unreachable, 2U);
  EXPECT_EQ(collector.collect().unreachable, 4000U);
  EXPECT_EQ(objects(), 2U);
}

TEST_F(Collect, ADestructorMayTouchOtherGarbage) {
  int touched = 0;
  {
    const Ref<Hook> first = ring<Hook>(3);
    Hook* const a = first.get();
    Hook* const b = a->next.get();
    b->on_destroy = [&touched](Hook&) { ++touched; };
    const Ref<Wide> wide = heap.make<Wide>();
    wide->one = wide;
    wide->all.push_back(first);
    Wide* const other = wide.get();
    // The references of all garbage are cleared before any of it dies.
    a->on_destroy = [&touched, other](Hook& self) {
      EXPECT_EQ(self.next, nullptr);
      touched += other->all.empty() ? 1 : 100;
    };
    wide->all.push_back(heap.make<Node>());
  }
  collector.collect();
  EXPECT_EQ(touched, 2);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, ADestructorMayMakeObjects) {
  Ref<Node> kept;
  {
    const Ref<Hook> first = ring<Hook>(50);
    Ref<Hook> hook = first;
    for (int i = 0; i < 50; ++i) {
      hook->on_destroy = [&](Hook&) { kept = ring<Node>(3); };
      hook = Ref<Hook>(hook->next);
    }
  }
  collector.collect();
  EXPECT_EQ(objects(), 150U);
  collector.collect();
  EXPECT_EQ(objects(), 3U);
}

TEST_F(Collect, AnObjectInConstructionAndWhatItRefersToLive) {
  const Ref<Self> self = heap.make<Self>(collector, ring<Node>(3));
  EXPECT_EQ(objects(), 4U);
}

TEST_F(Collect, LargeObjectsTakePartInCycles) {
  {
    const Ref<Row> large = heap.make_sized<Row>(5000);
    const Ref<Row> small = heap.make_sized<Row>(5);
    for (int i = 0; i < 300; ++i) {
      large->items()[static_cast<std::size_t>(i)] = small;
    }
    small->items()[0] = large;
    EXPECT_EQ(collector.collect().unreachable, 0U);
    EXPECT_EQ(collector.collect(Generation::young).examined, 0U);
  }
  EXPECT_EQ(collector.collect().unreachable, 2U);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, TheMarkStackMayOverflow) {
  CollectorTestAccess::limit_stack(collector, 3);
  const Ref<Wide> root = heap.make<Wide>();
  for (int i = 0; i < 100; ++i) {
    const Ref<Wide> inner = heap.make<Wide>();
    for (int j = 0; j < 100; ++j) {
      inner->all.push_back(ring<Node>(3));
    }
    root->all.push_back(inner);
  }
  ring<Hook>(5)->on_finalize = [](Hook&) {};
  EXPECT_EQ(collector.collect().unreachable, 5U);
  EXPECT_EQ(objects(), 30101U);
  root->all.clear();
  EXPECT_EQ(collector.collect().unreachable, 30000U);
  EXPECT_EQ(collector.collect(Generation::young).unreachable, 0U);
}

TEST_F(Collect, FrozenGarbageStaysUntilItIsUnfrozen) {
  ring<Node>(3);
  collector.freeze();
  EXPECT_EQ(collector.frozen(), 3U);
  ring<Node>(2);
  const Collection collection = collector.collect();
  EXPECT_EQ(collection.examined, 2U);
  EXPECT_EQ(collection.unreachable, 2U);
  collector.unfreeze();
  EXPECT_EQ(collector.collect().unreachable, 3U);
}

TEST_F(Collect, ABlockOfADeadFrozenObjectIsNotFrozen) {
  Ref<Node> node = heap.make<Node>();
  collector.freeze();
  node = nullptr;
  ring<Node>(1);
  EXPECT_EQ(collector.collect().unreachable, 1U);
}

TEST_F(Collect, ABlockOfAnObjectThatFrozeItselfIsNotFrozen) {
  {
    const Ref<Hook> hook = heap.make<Hook>();
    hook->on_finalize = [&](Hook&) { collector.freeze(); };
  }
  EXPECT_EQ(collector.frozen(), 0U);
  ring<Hook>(1);
  EXPECT_EQ(collector.collect().unreachable, 1U);
  heap.verify();
}

TEST_F(Collect, CallbacksAreCalledBeforeAndAfter) {
  std::vector<std::string> calls;
  collector.call_before([&](const Collection& collection) {
    calls.push_back(collection.generation == Generation::full ? "full begins" : "young begins");
    EXPECT_EQ(collector.collect().examined, 0U);
  });
  collector.call_after([&](const Collection& collection) {
    calls.push_back(std::to_string(collection.unreachable));
  });
  ring<Node>(2);
  collector.collect();
  collector.collect(Generation::young);
  EXPECT_THAT(calls, ElementsAre("full begins", "2", "young begins", "0"));
}

TEST_F(Collect, SavedGarbageCanBeLookedAtAndDropped) {
  collector.set_debug(CollectorDebug::save_all);
  ring<Node>(3);
  EXPECT_EQ(collector.collect().unreachable, 3U);
  std::vector<Ref<Object>> saved;
  collector.for_each_saved([&](Object& object) { saved.emplace_back(share, &object); });
  EXPECT_EQ(saved.size(), 3U);
  EXPECT_EQ(collector.collect().unreachable, 0U);
  saved.clear();
  collector.set_debug(CollectorDebug::nothing);
  collector.drop_saved();
  EXPECT_EQ(collector.collect().unreachable, 3U);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(Collect, ReferrersAndReferentsAreFound) {
  const Ref<Node> a = heap.make<Node>();
  const Ref<Node> b = heap.make<Node>();
  const Ref<Wide> wide = heap.make<Wide>();
  a->next = b;
  a->other = b;
  wide->all.push_back(b);
  EXPECT_EQ(collector.referrers(*b).size(), 2U);
  EXPECT_EQ(collector.referents(*a).size(), 2U);
  EXPECT_EQ(collector.referents(*b).size(), 0U);
  ASSERT_EQ(collector.referents(*wide).size(), 1U);
  EXPECT_EQ(collector.referents(*wide)[0], b);
}

TEST_F(Collect, LeaksAreReportedByTypeWithOnePath) {
  EXPECT_EQ(collector.find_leaks().text(), "tarn: no cycles are left\n");
  const Ref<Node> alive = ring<Node>(7);
  {
    const Ref<Wide> wide = heap.make<Wide>();
    const Ref<Node> node = ring<Node>(1);
    node->next = nullptr;
    const Ref<Wide> inner = heap.make<Wide>();
    wide->one = inner;
    inner->all.push_back(wide);
    inner->one = node;
  }
  const LeakReport report = collector.find_leaks();
  EXPECT_EQ(report.objects, 3U);
  ASSERT_EQ(report.types.size(), 2U);
  EXPECT_EQ(report.types[0].objects, 2U);
  EXPECT_EQ(report.path.size(), 2U);
  EXPECT_THAT(report.text(), HasSubstr("cycles that nobody collected: 3 objects"));
  EXPECT_THAT(report.text(), HasSubstr("Wide -> "));
  EXPECT_EQ(collector.collect().unreachable, 3U);
}

TEST(CollectorAtExit, ReportsLeaksOnStandardErrorWhenAsked) {
  ObjectHeap heap;
  {
    const Collector collector(heap, {.automatic = false, .debug = CollectorDebug::leaks});
    const Ref<Node> node = heap.make<Node>();
    node->next = node;
    testing::internal::CaptureStderr();
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("1 objects"));
}

TEST(CollectorDebugging, TellsOfCollectionsAndGarbage) {
  ObjectHeap heap;
  Collector collector(heap, {.automatic = false,
                             .debug = CollectorDebug::statistics | CollectorDebug::collectable});
  const auto make = [&] {
    const Ref<Node> node = heap.make<Node>();
    node->next = node;
  };
  make();
  testing::internal::CaptureStderr();
  collector.collect();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("tarn: garbage: an object of type "));
  EXPECT_THAT(text, HasSubstr("tarn: full collection: 1 objects examined, 1 unreachable"));
}

TEST(CollectorByItself, CollectsWhileObjectsAreMade) {
  ObjectHeap heap;
  const Collector collector(heap);
  for (int i = 0; i < 300000; ++i) {
    const Ref<Node> node = heap.make<Node>();
    node->next = node;
  }
  EXPECT_GT(collector.statistics().young.collections, 5U);
  EXPECT_LT(heap.statistics().objects, 300000U / 4);
  heap.verify();
  collector.verify();
}

}  // namespace
}  // namespace tarn::test
