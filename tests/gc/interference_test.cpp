// What a program does at the worst of moments: in destructors in the midst of a container's clear(), between the
// slices of a collection, with no budget at all.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/gc.h>

namespace tarn::test {
namespace {

using namespace std::chrono_literals;

struct Node final : Object {
  Member<Object> next;
  static constexpr auto members = tarn::members(&Node::next);
};

// Does something when it dies, or before.
struct Actor final : Object {
  ~Actor() {
    if (at_death) {
      at_death();
    }
  }
  void finalize() {
    if (at_end) {
      at_end(*this);
    }
  }
  Member<Object> next;
  std::function<void()> at_death;
  std::function<void(Actor&)> at_end;
  static constexpr auto members = tarn::members(&Actor::next);
};

struct Bytes final : Sized<Bytes, char> {};

struct Holder final : Object {
  std::vector<Member<Object>> list;
  std::map<int, Member<Object>> tree;
  std::unordered_map<int, Member<Object>> table;
  static constexpr auto members = tarn::members(&Holder::list, &Holder::tree, &Holder::table);
};

// Other sizes than Node's, and what looks like pointers inside.
struct Large final : Object {
  Large() noexcept {
    for (std::uint64_t& word : words) {
      word = 0x4141414141414141;
    }
  }
  Member<Object> next;
  std::uint64_t words[13];
  static constexpr auto members = tarn::members(&Large::next);
};

class Interference : public testing::Test {
 protected:
  ~Interference() override {
    collector.collect();
    collector.verify();
    heap.verify();
  }
  void finish() {
    for (int slices = 0; !collector.collect(0ns); ++slices) {
      ASSERT_LT(slices, 1'000'000);
    }
  }

  ObjectHeap heap;
  Collector collector{heap, {.automatic = false}};
  int calls = 0;
};

TEST_F(Interference, ASliceWithoutABudgetGetsOn) {
  std::vector<Ref<Node>> live;
  for (int i = 0; i < 5000; ++i) {
    live.push_back(heap.make<Node>());
    const Ref<Node> garbage = heap.make<Node>();
    garbage->next = garbage;
  }
  finish();
  EXPECT_EQ(collector.last().unreachable, 5000U);
}

// Elements that are gone already aren't looked at.
TEST_F(Interference, ADestructorMayCollectWhileAListIsCleared) {
  const Ref<Holder> holder = heap.make<Holder>();
  holder->list.emplace_back(heap.make_sized<Bytes>(10'000));
  Ref<Actor> actor = heap.make<Actor>();
  actor->at_death = [&] {
    ++calls;
    collector.collect();
    EXPECT_TRUE(collector.collect(1s));
  };
  holder->list.emplace_back(std::move(actor));
  holder->list.clear();
  EXPECT_EQ(calls, 1);
}

// Nor does it matter who has the program's code run: here a callback of a weak reference.
TEST_F(Interference, AWeakCallbackMayCollectWhileAListIsCleared) {
  const Ref<Holder> holder = heap.make<Holder>();
  holder->list.emplace_back(heap.make_sized<Bytes>(10'000));
  Ref<Bytes> second = heap.make_sized<Bytes>(10);
  const Weak<Bytes> weak(second, [&] {
    ++calls;
    collector.collect();
  });
  holder->list.emplace_back(std::move(second));
  holder->list.clear();
  EXPECT_EQ(calls, 1);
}

TEST_F(Interference, ADestructorMayCollectWhileATreeIsCleared) {
  const Ref<Holder> holder = heap.make<Holder>();
  Ref<Node> survivor;
  for (int i = 0; i < 20; ++i) {
    const Ref<Actor> actor = heap.make<Actor>();
    actor->at_death = [&] {
      survivor = heap.make<Node>();
      survivor->next = heap.make<Node>();
      collector.collect();
      collector.collect(1s);
    };
    holder->tree[i] = actor;
    holder->table[i] = actor;
  }
  holder->tree.clear();
  holder->table.clear();
  EXPECT_NE(survivor->next, nullptr);
}

TEST_F(Interference, ACollectionOfItsOwnWaitsUntilNobodyDies) {
  collector.set_automatic(true);
  const Ref<Holder> holder = heap.make<Holder>();
  for (int i = 0; i < 20; ++i) {
    const Ref<Actor> actor = heap.make<Actor>();
    actor->at_death = [&] {
      for (int j = 0; j < 40000; ++j) {
        const Ref<Node> garbage = heap.make<Node>();
        garbage->next = garbage;
      }
    };
    holder->tree[i] = actor;
  }
  holder->tree.clear();
  EXPECT_EQ(collector.statistics().young.collections, 0U);
  for (int j = 0; j < 40000; ++j) {
    (void)heap.make<Node>();
  }
}

// What is frozen in the middle of a collection, and of a death, is alive for it and for the next.
TEST_F(Interference, ADestructorMayFreezeBetweenSlices) {
  const Ref<Holder> holder = heap.make<Holder>();
  for (int i = 0; i < 2000; ++i) {
    const Ref<Node> node = heap.make<Node>();
    const Ref<Node> other = heap.make<Node>();
    node->next = other;
    other->next = node;
    holder->list.emplace_back(node);
  }
  Ref<Actor> actor = heap.make<Actor>();
  actor->at_death = [&] {
    ++calls;
    EXPECT_TRUE(collector.is_under_way());
    collector.freeze();
    EXPECT_GE(collector.frozen(), 4000U);
    EXPECT_TRUE(collector.is_under_way());
  };
  holder->list.emplace_back(std::move(actor));
  EXPECT_FALSE(collector.collect(0ns));
  holder->list.pop_back();
  EXPECT_EQ(calls, 1);
  while (!collector.collect(1ms)) {
  }
  collector.verify();
  holder->list.clear();
  EXPECT_EQ(collector.collect().unreachable, 0U);
  collector.unfreeze();
  EXPECT_EQ(collector.collect().unreachable, 4000U);
}

TEST_F(Interference, NobodyLooksForLeaksOrReferrersWhileAnObjectDies) {
  const auto in_a_death = [&](std::function<void()> act) {
    Ref<Actor> actor = heap.make<Actor>();
    actor->at_death = std::move(act);
    actor = nullptr;
  };
  const Ref<Node> node = heap.make<Node>();
  EXPECT_DEATH(in_a_death([&] { (void)collector.find_leaks(); }),
               "tarn: find_leaks\\(\\) was called while an object dies");
  EXPECT_DEATH(in_a_death([&] { (void)collector.referrers(*node); }),
               "tarn: referrers\\(\\) was called while an object dies");
}

// A pool that is given to objects of another size between two slices.
TEST_F(Interference, BlocksMayChangeTheirSizeBetweenSlices) {
  for (int stop = 1; stop < 120; ++stop) {
    std::vector<Ref<Node>> nodes;
    for (int i = 0; i < 20'000; ++i) {
      nodes.push_back(heap.make<Node>());
    }
    for (int i = 0; i < stop && !collector.collect(0ns); ++i) {
    }
    nodes.clear();
    std::vector<Ref<Large>> larges;
    for (int i = 0; i < 5'000; ++i) {
      larges.push_back(heap.make<Large>());
    }
    finish();
  }
}

TEST_F(Interference, AFinalizerMayMakeItsObjectImmortalBetweenSlices) {
  const Ref<Actor> actor = heap.make<Actor>();
  Weak<Actor> weak = actor;
  Actor* immortal = nullptr;
  bool died = false;
  {
    Ref<Actor> garbage = heap.make<Actor>();
    garbage->next = garbage;
    garbage->at_death = [&] { died = true; };
    garbage->at_end = [&](Actor& self) {
      immortalize(Ref<Actor>(share, &self));
      immortal = &self;
    };
  }
  finish();
  ASSERT_NE(immortal, nullptr);
  EXPECT_TRUE(immortal->is_immortal());
  { const Ref<Actor> again(share, immortal); }
  EXPECT_FALSE(died);
  EXPECT_TRUE(immortal->is_immortal());
  immortal->at_death = nullptr;
  immortal->at_end = nullptr;
}

TEST_F(Interference, ACallbackMayAddCallbacks) {
  collector.call_before([this, many = std::vector<int>(3, 1)](const Collection&) {
    for (int i = 0; i < 100; ++i) {
      collector.call_before([](const Collection&) {});
    }
    calls += many[2];
  });
  collector.collect();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace tarn::test
