// Ref, Member and Borrowed: who owns, and when the object dies.

#include <gtest/gtest.h>

#include "object/kinds.h"

namespace tarn::test {
namespace {

struct Holder : Object {
  Member<Object> held;
  static constexpr auto members = tarn::members(&Holder::held);
};

class References : public testing::Test {
 protected:
  ~References() override {
    heap.verify();
    EXPECT_EQ(live(heap), 0U);
  }

  ObjectHeap heap;
};

TEST_F(References, CountWhoOwns) {
  Ref<Leaf> first = heap.make<Leaf>(7);
  EXPECT_EQ(first->reference_count(), 1);
  {
    Ref<Leaf> second = first;
    EXPECT_EQ(first->reference_count(), 2);
    std::vector<Ref<Leaf>> list(3, second);
    EXPECT_EQ(first->reference_count(), 5);
    list.pop_back();
    EXPECT_EQ(first->reference_count(), 4);
  }
  EXPECT_EQ(first->reference_count(), 1);
  const auto by_value = [](Ref<Leaf> leaf) { return leaf->reference_count(); };
  EXPECT_EQ(by_value(first), 2);
  EXPECT_EQ(by_value(std::move(first)), 1);
  EXPECT_EQ(first, nullptr);
}

TEST_F(References, LetTheObjectDieAtOnce) {
  int deaths = 0;
  Ref<Witness> witness = heap.make<Witness>([&] { ++deaths; });
  Ref<Witness> again = witness;
  witness = nullptr;
  EXPECT_EQ(deaths, 0);
  again = heap.make<Witness>([] {});
  EXPECT_EQ(deaths, 1);
}

TEST_F(References, SurviveAssignmentToThemselves) {
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  Ref<Leaf>& same = leaf;
  leaf = same;
  EXPECT_EQ(leaf->reference_count(), 1);
  leaf = std::move(same);
  ASSERT_NE(leaf.get(), nullptr);
  EXPECT_EQ(leaf->value, 1);

  Ref<Node> node = heap.make<Node>(1);
  node->next = heap.make<Node>(2);
  Member<Node>& next = node->next;
  node->next = next;
  node->next = std::move(next);
  ASSERT_NE(node->next.get(), nullptr);
  EXPECT_EQ(node->next->value, 2);
  EXPECT_EQ(node->next->reference_count(), 1);
}

TEST_F(References, LetGoOfTheOldObjectWhenTheNewOneIsInPlace) {
  Ref<Holder> holder = heap.make<Holder>();
  Ref<Leaf> leaf = heap.make<Leaf>(5);
  int seen = 0;
  holder->held = heap.make<Witness>([&] { seen = cast<Leaf>(Ref<Object>(holder->held))->value; });
  holder->held = leaf;
  EXPECT_EQ(seen, 5);

  // A destructor that assigns to the reference it's let go from.
  holder->held = heap.make<Witness>([&] { holder->held = nullptr; });
  holder->held = leaf;
  EXPECT_EQ(holder->held, nullptr);
  EXPECT_EQ(leaf->reference_count(), 1);

  Ref<Object> variable = heap.make<Witness>([&] { variable = nullptr; });
  variable = leaf;
  EXPECT_EQ(variable, nullptr);
}

TEST_F(References, AreEqualWhenTheyAreToTheSameObject) {
  Ref<Node> node = heap.make<Node>();
  node->next = node;
  EXPECT_TRUE(node->next == node);
  EXPECT_TRUE(Ref<Object>(node) == node);
  EXPECT_TRUE(Borrowed<Node>(node) == node->next);
  EXPECT_FALSE(node == heap.make<Node>());
  node->next = nullptr;
}

TEST_F(References, BecomeThoseOfTheBaseAndBackByCast) {
  Ref<Leaf> leaf = heap.make<Leaf>(3);
  Ref<Object> object = leaf;
  EXPECT_EQ(leaf->reference_count(), 2);
  object = std::move(leaf);
  EXPECT_EQ(object->reference_count(), 1);
  EXPECT_EQ(cast<Leaf>(object)->value, 3);
  EXPECT_EQ(cast<Node>(object), nullptr);
}

TEST_F(References, PassThroughRawPointersByName) {
  Ref<Leaf> leaf = heap.make<Leaf>(3);
  Leaf* const raw = leaf.release();
  EXPECT_EQ(leaf, nullptr);
  EXPECT_EQ(raw->reference_count(), 1);
  Ref<Leaf> shared(share, raw);
  EXPECT_EQ(raw->reference_count(), 2);
  Ref<Leaf> adopted(adopt, raw);
  EXPECT_EQ(raw->reference_count(), 2);
}

TEST_F(References, TakenFromMembersLeaveThemEmpty) {
  Ref<Node> node = heap.make<Node>(1);
  node->next = heap.make<Node>(2);
  Ref<Node> next = node->next.take();
  EXPECT_EQ(node->next, nullptr);
  EXPECT_EQ(next->reference_count(), 1);
  Member<Node>& member = node->next;
  member = Borrowed<Node>(next) ? Ref<Node>(Borrowed<Node>(next)) : nullptr;
  EXPECT_EQ(next->reference_count(), 2);
}

TEST_F(References, BorrowedCostNothingAndOwnNothing) {
  Ref<Leaf> leaf = heap.make<Leaf>(4);
  const auto value_of = [](Borrowed<Leaf> borrowed) {
    EXPECT_EQ(borrowed->reference_count(), 1);
    return borrowed->value;
  };
  EXPECT_EQ(value_of(leaf), 4);
  EXPECT_EQ(value_of(*leaf), 4);
  if constexpr (!check_objects) {
    EXPECT_TRUE(std::is_trivially_copyable_v<Borrowed<Leaf>>);
  }
  EXPECT_EQ(sizeof(Ref<Leaf>), sizeof(void*));
}

TEST(ReferencesDeathTest, ABorrowedObjectThatDiesIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "borrowing is checked in builds that check objects";
  }
  EXPECT_DEATH(
      {
        ObjectHeap heap;
        Ref<Leaf> leaf = heap.make<Leaf>();
        Borrowed<Leaf> borrowed(leaf);
        leaf = nullptr;
      },
      "tarn: an object of type tarn::test::Leaf at 0x[0-9a-f]+ dies while it is borrowed 1 times; "
      "hold a Ref for "
      "as long as it is used");
}

TEST(ReferencesDeathTest, AReleaseTooManyIsReported) {
  EXPECT_DEATH(
      {
        ObjectHeap heap;
        struct Evil : Object {
          ~Evil() { Ref<Evil> self(adopt, this); }
        };
        Ref<Evil> evil = heap.make<Evil>();
        evil = nullptr;
      },
      "tarn: a reference to an object of type .*Evil at 0x[0-9a-f]+ was let go more often than it "
      "was taken; look for "
      "tarn::adopt of a pointer that isn't owned");
}

TEST(ReferencesDeathTest, AReferenceThatOutlivesItsHeapIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "it's an error in builds that check objects only";
  }
  EXPECT_DEATH(
      {
        Ref<Leaf> leaf;
        ObjectHeap heap;
        leaf = heap.make<Leaf>();
      },
      "tarn: an object of type tarn::test::Leaf still has 1 references when its heap is destroyed; "
      "let go of them "
      "before");
}

TEST(ReferencesDeathTest, AnObjectOnTheStackIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "construction is checked in builds that check objects";
  }
  EXPECT_DEATH({ Leaf leaf; },
               "tarn: an object is constructed at 0x[0-9a-f]+, outside of a heap; make it by "
               "ObjectHeap::make");
}

TEST(ReferencesOfAHeapThatGoes, LeaveTheObjectsReadable) {
  if constexpr (check_objects) {
    GTEST_SKIP() << "builds that check objects abort";
  }
  Ref<Leaf> leaf;
  {
    ObjectHeap heap;
    leaf = heap.make<Leaf>(9);
  }
  EXPECT_EQ(leaf->value, 9);
  leaf = nullptr;
}

}  // namespace
}  // namespace tarn::test
