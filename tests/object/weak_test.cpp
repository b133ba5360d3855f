// Weak references, their callbacks, and finalizers.

#include <gtest/gtest.h>

#include "object/kinds.h"

namespace tarn::test {
namespace {

TEST(WeakReferences, KnowWhetherTheObjectLives) {
  ObjectHeap heap;
  Weak<Leaf> none;
  EXPECT_EQ(none.lock(), nullptr);
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  Weak<Leaf> weak = leaf;
  Weak<Leaf> copy = weak;
  Weak<Object> moved = std::move(leaf);
  EXPECT_NE(leaf, nullptr);
  EXPECT_EQ(leaf->reference_count(), 1);
  EXPECT_EQ(weak.lock()->value, 1);
  heap.verify();
  leaf = nullptr;
  EXPECT_TRUE(weak.is_dead());
  EXPECT_TRUE(copy.is_dead());
  EXPECT_TRUE(moved.is_dead());
  heap.verify();
  // The block is used again; the old references don't see the new object.
  leaf = heap.make<Leaf>(2);
  EXPECT_TRUE(weak.is_dead());
}

TEST(WeakReferences, AreForgottenWithTheLastOfThem) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  for (int i = 0; i < 3; ++i) {
    Weak<Leaf> weak = leaf;
    weak = Weak<Leaf>(leaf);
    Weak<Leaf>& same = weak;
    weak = same;
    EXPECT_EQ(weak.lock(), leaf);
    heap.verify();
  }
  heap.verify();
}

TEST(WeakReferences, AreAllClearedBeforeACallbackRuns) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  std::vector<int> calls;
  Weak<Leaf> first;
  Weak<Leaf> second;
  first = Weak<Leaf>(leaf, [&] {
    calls.push_back(1);
    EXPECT_TRUE(first.is_dead());
    EXPECT_TRUE(second.is_dead());
  });
  second = Weak<Leaf>(leaf, [&] {
    calls.push_back(2);
    EXPECT_TRUE(first.is_dead());
    heap.verify();
    (void)heap.make<Leaf>();
  });
  leaf = nullptr;
  EXPECT_EQ(calls, (std::vector<int>{2, 1}));
}

TEST(WeakReferences, ThatAreGoneDontCallBack) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  int calls = 0;
  {
    Weak<Leaf> gone(leaf, [&] { ++calls; });
    Weak<Leaf> assigned(leaf, [&] { ++calls; });
    assigned = Weak<Leaf>();
  }
  Weak<Leaf> kept(leaf, [&] { calls += 10; });
  Weak<Leaf> copy = kept;
  // One callback destroys the reference that the next one belongs to, and its own.
  auto victim = std::make_unique<Weak<Leaf>>(leaf, [&] { calls += 1000; });
  auto killer = std::make_unique<Weak<Leaf>>();
  *killer = Weak<Leaf>(leaf, [&] {
    calls += 100;
    victim.reset();
    killer.reset();
  });
  leaf = nullptr;
  EXPECT_EQ(calls, 110);
}

TEST(WeakReferences, OutliveTheirHeap) {
  Weak<Leaf> weak;
  {
    ObjectHeap heap;
    Ref<Leaf> leaf = heap.make<Leaf>(1);
    immortalize(leaf);
    weak = Weak<Leaf>(leaf, [] { ADD_FAILURE() << "the heap went, not the object"; });
    (void)leaf.release();
  }
  EXPECT_TRUE(weak.is_dead());
}

TEST(WeakReferences, ToManyObjects) {
  ObjectHeap heap;
  std::vector<Ref<Leaf>> leaves;
  std::vector<Weak<Leaf>> weak;
  for (int i = 0; i < 5000; ++i) {
    leaves.push_back(heap.make<Leaf>(i));
    weak.emplace_back(leaves.back());
  }
  for (std::size_t i = 0; i < leaves.size(); i += 2) {
    leaves[i] = nullptr;
  }
  heap.verify();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_EQ(weak[i].lock(), leaves[i]);
  }
}

struct Late final : Object {
  explicit Late(Weak<Late>& to) : place(to) {}
  void finalize() { place = Weak<Late>(Ref<Late>(share, this)); }
  Weak<Late>& place;
};

TEST(Finalizers, MayMakeTheTypesFirstWeakReference) {
  ObjectHeap heap;
  Weak<Late> weak;
  Weak<Late> of_the_next;
  heap.make<Late>(weak) = nullptr;
  EXPECT_TRUE(weak.is_dead());
  heap.verify();
  // It has the dead one's block.
  const Ref<Late> next = heap.make<Late>(of_the_next);
  EXPECT_EQ(weak.lock(), nullptr);
  heap.verify();
}

struct Phoenix : Object {
  Phoenix(Ref<Phoenix>& to, int& counter, bool again)
      : place(to), finalized(counter), resurrects(again) {}
  void finalize() {
    ++finalized;
    EXPECT_EQ(weak_to_itself.lock().get(),
              this);  // as in Python, weak references are cleared later
    if (resurrects) {
      place = Ref<Phoenix>(share, this);
    }
  }

  Ref<Phoenix>& place;
  int& finalized;
  bool resurrects;
  Weak<Phoenix> weak_to_itself;
};

TEST(Finalizers, RunOnceAndMayResurrect) {
  ObjectHeap heap;
  Ref<Phoenix> place;
  int finalized = 0;
  Ref<Phoenix> phoenix = heap.make<Phoenix>(place, finalized, true);
  phoenix->weak_to_itself = phoenix;
  Weak<Phoenix> weak = phoenix;
  phoenix = nullptr;
  EXPECT_EQ(finalized, 1);
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(place->reference_count(), 1);
  EXPECT_EQ(weak.lock(), place);
  heap.verify();
  place = nullptr;
  EXPECT_EQ(finalized, 1);
  EXPECT_TRUE(weak.is_dead());
  EXPECT_EQ(live(heap), 0U);
  // The block's next object has its own finalizer to come.
  phoenix = heap.make<Phoenix>(place, finalized, false);
  phoenix->weak_to_itself = phoenix;
  phoenix = nullptr;
  EXPECT_EQ(finalized, 2);
  heap.verify();
}

TEST(Finalizers, ComeBeforeCallbacks) {
  struct Ends : Object {
    explicit Ends(std::vector<int>& to) : order(to) {}
    void finalize() { order.push_back(1); }
    ~Ends() { order.push_back(3); }
    std::vector<int>& order;
  };
  ObjectHeap heap;
  std::vector<int> order;
  Ref<Ends> object = heap.make<Ends>(order);
  const Weak<Ends> weak(object, [&] { order.push_back(2); });
  object = nullptr;
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace tarn::test
