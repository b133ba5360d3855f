// Objects that don't come to life, or go, and who knows of them; bases beside Object.
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "object/edges.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

struct Failing final : Object {
  Failing(std::optional<Weak<Failing>>& weak, bool fails) {
    weak.emplace(*this);
    if (fails) {
      throw std::runtime_error("no");
    }
  }
  std::uint64_t value = 1;
};

struct FailingText final : Sized<FailingText, char> {
  explicit FailingText(std::optional<Weak<FailingText>>& weak) {
    weak.emplace(*this);
    throw std::runtime_error("no");
  }
};

TEST(Construction, AWeakReferenceToAnObjectThatDidNotComeToLifeIsDead) {
  ObjectHeap heap;
  std::optional<Weak<Failing>> first;
  EXPECT_THROW((void)heap.make<Failing>(first, true), std::runtime_error);
  EXPECT_TRUE(first->is_dead());
  heap.verify();
  std::optional<Weak<Failing>> second;
  const Ref<Failing> object = heap.make<Failing>(second, false);
  EXPECT_TRUE(first->is_dead());
  EXPECT_EQ(second->lock(), object);
  std::optional<Weak<FailingText>> text;
  EXPECT_THROW((void)heap.make_sized<FailingText>(5, text), std::runtime_error);
  EXPECT_TRUE(text->is_dead());
  std::optional<Weak<FailingText>> large;
  EXPECT_THROW((void)heap.make_sized<FailingText>(50'000, large), std::runtime_error);
  EXPECT_TRUE(large->is_dead());
  heap.verify();
}

struct Leaving final : Object {
  explicit Leaving(Weak<Leaving>& place) : place_(&place) {}
  ~Leaving() { *place_ = Weak<Leaving>(*this); }

  Weak<Leaving>* place_;
};

TEST(Construction, AWeakReferenceToAnObjectThatDiesIsDead) {
  ObjectHeap heap;
  Weak<Leaving> place;
  (void)heap.make<Leaving>(place);
  EXPECT_TRUE(place.is_dead());
  const Weak<Leaving> copy = place;
  heap.verify();
  Weak<Leaving> other;
  const Ref<Leaving> next = heap.make<Leaving>(other);
  EXPECT_TRUE(place.is_dead());
  EXPECT_TRUE(copy.is_dead());
}

struct Linked {
  std::uint64_t filler = 7;
  Member<Leaf> link;
};
struct Mixed final : Object, Linked {
  Member<Leaf> own;
  static constexpr auto members = tarn::members(&Mixed::own, &Mixed::link);
};

TEST(Construction, MembersOfABaseBesideObjectAreSeen) {
  ObjectHeap heap;
  const Ref<Mixed> mixed = heap.make<Mixed>();
  const Ref<Leaf> own = heap.make<Leaf>(1);
  const Ref<Leaf> link = heap.make<Leaf>(2);
  mixed->own = own;
  mixed->link = link;
  std::vector<const Object*> seen;
  object::for_each_edge(*mixed, [&](Object& target) { seen.push_back(&target); });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], own.get());
  EXPECT_EQ(seen[1], link.get());
  heap.verify();
}

// Its base would give the blocks to pools, where they aren't from.
TEST(ConstructionDeathTest, ATypeMadeAtRunTimeDoesNotOutgrowItsBasesWayToFree) {
  ObjectHeap heap;
  TypeSpec large;
  large.name = "Large";
  large.basic_size = 8000;
  large.base = &heap.type<Leaf>();
  EXPECT_DEATH(heap.make_type(large), "give it a slot");
  TypeSpec with_items;
  with_items.name = "WithItems";
  with_items.basic_size = sizeof(Leaf);
  with_items.item_size = 8;
  with_items.base = &heap.type<Leaf>();
  EXPECT_DEATH(heap.make_type(with_items), "give it a slot");
}

struct Clinging final : Object {
  explicit Clinging(bool& its_clings) : clings(its_clings) {}
  ~Clinging() {
    if (clings) {
      const Ref<Clinging> self(share, this);
    }
  }
  bool& clings;
};

// Its end would end the object's life once more.
TEST(ConstructionDeathTest, AReferenceToAnObjectThatDiesIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "references are checked in builds that check objects";
  }
  ObjectHeap heap;
  bool clings = false;
  (void)heap.make<Clinging>(clings);
  clings = true;
  Ref<Clinging> object = heap.make<Clinging>(clings);
  EXPECT_DEATH(object = nullptr,
               "a reference is made to an object of type .*Clinging at 0x.* that "
               "is dying, .*in its finalize\\(\\), not in its destructor");
  clings = false;
}

struct Known final : Object {
  explicit Known(std::optional<Weak<Known>>& weak) { weak.emplace(*this); }
};

// Each heap under its own lock: whoever looks for the heap of an object in construction doesn't look into others.
TEST(Construction, TwoHeapsKeepOutOfEachOthersLargeObjects) {
  ObjectHeap heap;
  std::atomic<bool> stop = false;
  std::thread other([&] {
    ObjectHeap others;
    while (!stop) {
      (void)others.make_sized<Text>(5000);
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    std::optional<Weak<Known>> weak;
    (void)heap.make<Known>(weak);
    EXPECT_TRUE(weak->is_dead());
  }
  stop = true;
  other.join();
}

}  // namespace
}  // namespace tarn::test
