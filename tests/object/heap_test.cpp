// ObjectHeap: making objects of every size, running out of memory, what remains at the end.

#include <algorithm>

#include <gtest/gtest.h>

#include "object/edges.h"
#include "object/heap_state.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

TEST(ObjectHeapTest, GivesEachTypePoolsOfItsOwn) {
  ObjectHeap heap;
  std::vector<Ref<Leaf>> leaves;
  std::vector<Ref<Pair>> pairs;
  for (int i = 0; i < 2000; ++i) {
    leaves.push_back(heap.make<Leaf>(i));
    pairs.push_back(heap.make<Pair>());
  }
  const auto& pools = object::HeapState::of(heap).pools();
  pools.for_each_pool([&](const alloc::Pool& pool) {
    const Type* type = nullptr;
    object::ObjectPools::for_each_object(pool, [&](Object& object) {
      EXPECT_TRUE(type == nullptr || type == &object.type());
      type = &object.type();
      EXPECT_EQ(pool.block_size, &object.type() == &heap.type<Type>()
                                     ? pool.block_size
                                     : base::round_up(object.type().basic_size(), 8));
    });
  });
  heap.verify();
  EXPECT_EQ(live(heap), 4000U);
}

template <std::size_t size>
struct Sized8 final : Object {
  std::uint64_t words[(size - sizeof(Object)) / 8] = {};
};
struct alignas(16) Aligned : Object {
  std::uint64_t words[4] = {};
};
struct Odd final : Object {
  char bytes[9] = {};  // 25 with what every object has
};

// So many of them that several pools are full, with every third gone; none overlaps another, and what the collector knows of
// each is its own.
template <typename T>
void expect_blocks_of_its_size(std::size_t block_size, std::size_t alignment) {
  ObjectHeap heap;
  object::HeapState& state = object::HeapState::of(heap);
  std::vector<Ref<T>> objects;
  for (std::size_t i = 0; i < 40000 / sizeof(T) + 100; ++i) {
    objects.push_back(heap.make<T>());
  }
  EXPECT_EQ(heap.type<T>().alignment(), alignment);
  for (std::size_t i = 0; i < objects.size(); i += 3) {
    objects[i] = nullptr;
  }
  std::erase(objects, nullptr);
  for (const Ref<T>& object : objects) {
    EXPECT_EQ(state.pools().range().lookup().pool_at(object.get())->block_size, block_size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(object.get()) % alignment, 0U);
    EXPECT_FALSE(state.test(object::SideBit::mark, *object));
    EXPECT_EQ(state.scratch(*object), 0U);
    state.set(object::SideBit::mark, *object);
    state.scratch(*object) = 1;
  }
  std::vector<const std::byte*> places;
  for (const Ref<T>& object : objects) {
    places.push_back(reinterpret_cast<const std::byte*>(object.get()));
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i) {
    ASSERT_GE(places[i] - places[i - 1], static_cast<std::ptrdiff_t>(sizeof(T)));
  }
  heap.verify();
  heap.release();
  heap.verify();
  objects.clear();
  heap.verify();
  EXPECT_EQ(live(heap), 0U);
}

TEST(ObjectHeapTest, GivesObjectsBlocksOfTheirOwnSizeInStepsOfEight) {
  expect_blocks_of_its_size<Sized8<24>>(24, 8);
  expect_blocks_of_its_size<Sized8<32>>(32, 8);
  expect_blocks_of_its_size<Sized8<40>>(40, 8);
  expect_blocks_of_its_size<Sized8<56>>(56, 8);
  expect_blocks_of_its_size<Sized8<72>>(72, 8);
  expect_blocks_of_its_size<Sized8<200>>(200, 8);
  expect_blocks_of_its_size<Sized8<1032>>(1032, 8);
  expect_blocks_of_its_size<Sized8<4088>>(4088, 8);
  expect_blocks_of_its_size<Odd>(32, 8);
  expect_blocks_of_its_size<Aligned>(48, 16);
}

TEST(ObjectHeapTest, AlignsInstancesOfTypesMadeAtRunTime) {
  ObjectHeap heap;
  TypeSpec spec;
  spec.name = "Longer";
  spec.base = &heap.type<Aligned>();
  spec.basic_size = sizeof(Aligned) + 8;
  Type& longer = heap.make_type(spec);
  EXPECT_EQ(longer.alignment(), 16U);
  std::vector<Ref<Aligned>> objects;
  for (int i = 0; i < 100; ++i) {
    objects.push_back(heap.make_as<Aligned>(longer));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects.back().get()) % 16, 0U);
  }
  spec.name = "Aligned by itself";
  spec.base = nullptr;
  spec.slots.deallocate = &detail::deallocate_of<Aligned>;
  spec.alignment = 16;
  Type& itself = heap.make_type(spec);
  objects.push_back(heap.make_as<Aligned>(itself));
  objects.push_back(heap.make_as<Aligned>(itself));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects.back().get()) % 16, 0U);
  heap.verify();
}

TEST(ObjectHeapDeathTest, AnAlignmentThatIsNoneOrTooLargeIsReported) {
  ObjectHeap heap;
  TypeSpec spec;
  spec.name = "Made";
  for (const std::size_t alignment : {0U, 3U, 32U}) {
    spec.alignment = alignment;
    EXPECT_DEATH(heap.make_type(spec), "a type.s alignment is a power of two, 16 at most");
  }
}

TEST(ObjectHeapDeathTest, AnObjectInABlockThatIsNotAlignedForItIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "it's an error in builds that check objects only";
  }
  ObjectHeap heap;
  TypeSpec spec;
  spec.name = "Longer";
  spec.slots.deallocate = &detail::deallocate_of<Aligned>;
  spec.basic_size = sizeof(Aligned) + 8;
  Type& longer = heap.make_type(spec);
  EXPECT_DEATH(
      {
        const Ref<Aligned> first = heap.make_as<Aligned>(longer);
        const Ref<Aligned> second = heap.make_as<Aligned>(longer);
      },
      "tarn: tarn::test::.*Aligned is aligned to 16 bytes, and the type that it.s made as isn.t; "
      "say "
      "so in its TypeSpec::alignment");
}

TEST(ObjectHeapTest, UsesTheBlockFreedLastFirst) {
  ObjectHeap heap;
  Ref<Leaf> keep = heap.make<Leaf>();
  Ref<Leaf> first = heap.make<Leaf>();
  Ref<Leaf> second = heap.make<Leaf>();
  const Leaf* const address = first.get();
  const Leaf* const other = second.get();
  second = nullptr;
  first = nullptr;
  EXPECT_EQ(heap.make<Leaf>().get(), address);
  first = heap.make<Leaf>();
  EXPECT_EQ(first.get(), address);
  second = heap.make<Leaf>();
  EXPECT_EQ(second.get(), other);
}

TEST(ObjectHeapTest, MakesObjectsWithItemsOfEverySize) {
  ObjectHeap heap;
  std::vector<Ref<Text>> texts;
  for (std::size_t size = 0; size < 9000; size = size < 600 ? size + 1 : size + 97) {
    Ref<Text> text = heap.make_sized<Text>(size);
    EXPECT_EQ(text->size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(text.get()) % 16, 0U);
    for (char& letter : text->items()) {
      EXPECT_EQ(letter, 0);
      letter = static_cast<char>(size);
    }
    texts.push_back(std::move(text));
  }
  EXPECT_GT(heap.statistics().large_objects, 10U);
  heap.verify();
  for (const Ref<Text>& text : texts) {
    for (const char letter : text->items()) {
      ASSERT_EQ(letter, static_cast<char>(text->size()));
    }
  }
  texts.clear();
  heap.verify();
  EXPECT_EQ(live(heap), 0U);
  EXPECT_EQ(heap.statistics().large_objects, 0U);
}

TEST(ObjectHeapTest, TracesTheItemsOfObjects) {
  ObjectHeap heap;
  Ref<Tuple> tuple = heap.make_sized<Tuple>(1000);  // a large one
  Ref<Tuple> small = heap.make_sized<Tuple>(2);
  Ref<Leaf> leaf = heap.make<Leaf>();
  for (Member<Object>& item : tuple->items()) {
    item = leaf;
  }
  small->items()[1] = tuple;
  EXPECT_EQ(leaf->reference_count(), 1001);
  std::size_t edges = 0;
  object::for_each_edge(*tuple, [&](Object& target) { edges += &target == leaf.get() ? 1U : 0U; });
  EXPECT_EQ(edges, 1000U);
  heap.verify();
  tuple = nullptr;
  small = nullptr;
  EXPECT_EQ(leaf->reference_count(), 1);
}

struct Large : Object {
  char bytes[10000] = {};
  Member<Object> other;
  static constexpr auto members = tarn::members(&Large::other);
};

TEST(ObjectHeapTest, MakesObjectsLargerThanAPoolServes) {
  ObjectHeap heap;
  Ref<Large> large = heap.make<Large>();
  large->other = large;
  EXPECT_EQ(heap.statistics().large_objects, 1U);
  Weak<Large> weak = large;
  heap.verify();
  large->other = nullptr;
  large = nullptr;
  EXPECT_TRUE(weak.is_dead());
  EXPECT_EQ(heap.statistics().large_objects, 0U);
}

struct Thrower : Object {
  explicit Thrower(Ref<Leaf> held) : leaf(std::move(held)) { throw std::runtime_error("no"); }
  Member<Leaf> leaf;
  static constexpr auto members = tarn::members(&Thrower::leaf);
};

struct ThrowingItem {
  ThrowingItem() {
    if (--left == 0) {
      throw std::runtime_error("no");
    }
    ++alive;
  }
  ~ThrowingItem() { --alive; }
  static inline int left = 0;
  static inline int alive = 0;
};
struct Items final : Sized<Items, ThrowingItem> {
  Member<Leaf> leaf;
  explicit Items(Ref<Leaf> held) : leaf(std::move(held)) {}
  static constexpr auto members = tarn::members(&Items::leaf);
};

TEST(ObjectHeapTest, TakesBackTheBlockOfAConstructorThatThrows) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(heap.make<Thrower>(leaf), std::runtime_error);
    EXPECT_EQ(leaf->reference_count(), 1);
    heap.verify();
    ThrowingItem::left = 3;
    EXPECT_THROW(heap.make_sized<Items>(5, leaf), std::runtime_error);
    EXPECT_EQ(leaf->reference_count(), 1);
    EXPECT_EQ(ThrowingItem::alive, 0);
    ThrowingItem::left = 2000;
    EXPECT_THROW(heap.make_sized<Items>(9000, leaf), std::runtime_error);  // a large one
    EXPECT_EQ(ThrowingItem::alive, 0);
    heap.verify();
  }
  EXPECT_EQ(live(heap), 1U);
  ThrowingItem::left = 0;
  Ref<Items> items = heap.make_sized<Items>(5, leaf);
  EXPECT_EQ(ThrowingItem::alive, 5);
  items = nullptr;
  EXPECT_EQ(ThrowingItem::alive, 0);
}

struct Parent;
struct Child : Object {
  Weak<Parent> parent;
  Member<Object> strong;
  static constexpr auto members = tarn::members(&Child::strong);
};

struct Parent : Object {
  explicit Parent(ObjectHeap& heap) {
    child = heap.make<Child>();
    child->parent = Weak<Parent>(*this);
    child->strong = Ref<Parent>(share, this);
    heap.verify();
    child->strong = nullptr;
  }
  Member<Child> child;
  static constexpr auto members = tarn::members(&Parent::child);
};

TEST(ObjectHeapTest, MayBeUsedByAConstructor) {
  ObjectHeap heap;
  Ref<Parent> parent = heap.make<Parent>(heap);
  Ref<Child> child = parent->child;
  EXPECT_EQ(child->parent.lock(), parent);
  EXPECT_EQ(parent->reference_count(), 1);
  parent = nullptr;
  EXPECT_TRUE(child->parent.is_dead());
  heap.verify();
}

TEST(ObjectHeapTest, ThrowsWhenTheAddressesAreUsedUpAndStaysWhole) {
  ObjectHeap heap({.reserved_bytes = std::size_t{2} << 20});
  std::vector<Ref<Pair>> pairs;
  EXPECT_THROW(
      while (true) { pairs.push_back(heap.make<Pair>()); }, std::bad_alloc);
  const std::size_t most = pairs.size();
  EXPECT_GT(most, 50000U);
  heap.verify();
  EXPECT_THROW((void)heap.make_sized<Text>(400), std::bad_alloc);
  EXPECT_THROW((void)heap.make_sized<Tuple>(SIZE_MAX / 8), std::bad_alloc);
  pairs.resize(most / 2);
  for (std::size_t i = most / 2; i < most; ++i) {
    pairs.push_back(heap.make<Pair>());
  }
  EXPECT_THROW(
      while (true) { pairs.push_back(heap.make<Pair>()); }, std::bad_alloc);
  pairs.clear();
  heap.verify();
  EXPECT_EQ(live(heap), 0U);
}

// The same work, with one more request allowed each time until it's done.
TEST(ObjectHeapTest, StaysWholeWhicheverAllocationFails) {
  bool done = false;
  std::size_t nth = 1;
  for (; !done && nth < 200; ++nth) {
    ObjectHeap heap;
    object::HeapState& state = object::HeapState::of(heap);
    state.pools().hear_of_all(true);
    state.fail_the(nth);
    try {
      Ref<Node> root = heap.make<Node>(1);
      root->next = heap.make<Node>(2);
      root->next->parent = root;
      for (int i = 0; i < 5; ++i) {
        Ref<Node> child = heap.make<Node>(i);
        child->parent = root;
        root->children.push_back(std::move(child));
      }
      Ref<Tuple> tuple = heap.make_sized<Tuple>(10);
      tuple->items()[3] = heap.make_sized<Text>(5000);
      tuple->items()[4] = root;
      TypeSpec spec;
      spec.name = "Made";
      spec.base = &heap.type<Leaf>();
      spec.basic_size = sizeof(Leaf);
      Type& made = heap.make_type(spec);
      tuple->items()[5] = heap.make_as<Leaf>(made, 3);
      done = true;
    } catch (const std::bad_alloc&) {
      done = false;
    }
    state.fail_the(0);
    heap.verify();
    EXPECT_EQ(live(heap), 0U);
    EXPECT_NE(heap.make<Node>(), nullptr);
  }
  EXPECT_TRUE(done);
  EXPECT_GT(nth, 15U);
}

struct Knot : Object {
  explicit Knot(int& counter) : deaths(counter) {}
  ~Knot() { ++deaths; }
  Member<Knot> other;
  std::string text = "longer than what fits into the object itself";
  int& deaths;
  static constexpr auto members = tarn::members(&Knot::other);
};

TEST(ObjectHeapTest, EndsWhatIsLeftInCycles) {
  int deaths = 0;
  Weak<Knot> weak;
  {
    ObjectHeap heap;
    Ref<Knot> left = heap.make<Knot>(deaths);
    left->other = heap.make<Knot>(deaths);
    left->other->other = left;
    weak = left;
    immortalize(heap.make<Knot>(deaths));
  }
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(weak.lock(), nullptr);
}

TEST(ObjectHeapTest, GivesBackWhatIsEmpty) {
  ObjectHeap heap;
  std::vector<Ref<Pair>> pairs;
  for (int i = 0; i < 400000; ++i) {
    pairs.push_back(heap.make<Pair>());
  }
  const std::size_t arenas = heap.statistics().arenas_now;
  EXPECT_GE(arenas, 12U);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i % 3000 != 0) {
      pairs[i] = nullptr;
    }
  }
  heap.verify();
  EXPECT_GT(heap.release(), std::size_t{9} << 20);
  heap.verify();
  for (const auto& pair : pairs) {
    EXPECT_TRUE(!pair || pair->reference_count() == 1);
  }
  for (auto& pair : pairs) {
    pair = heap.make<Pair>();
  }
  heap.verify();
  EXPECT_EQ(live(heap), 400000U);
  pairs.clear();
  heap.release();
  EXPECT_LE(heap.statistics().arenas_now, 1U);
  heap.verify();
}

TEST(ObjectHeapTest, KeepsWhatIsBuiltAgainAndAgain) {
  ObjectHeap heap;
  std::size_t arenas = 0;
  for (int round = 0; round < 5; ++round) {
    std::vector<Ref<Pair>> pairs;
    for (int i = 0; i < 200000; ++i) {
      pairs.push_back(heap.make<Pair>());
    }
    pairs.clear();
    arenas = heap.statistics().arenas_now;
    EXPECT_GE(arenas, 6U);
    heap.verify();
  }
  // Another use, of less: what isn't needed for long goes.
  for (int round = 0; round < 100; ++round) {
    std::vector<Ref<Leaf>> leaves;
    for (int i = 0; i < 40000; ++i) {
      leaves.push_back(heap.make<Leaf>());
    }
  }
  heap.verify();
  EXPECT_LT(heap.statistics().arenas_now, arenas);
}

TEST(ObjectHeapTest, ImmortalObjectsLiveOn) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>(1);
  immortalize(leaf);
  Leaf* const raw = leaf.get();
  EXPECT_TRUE(raw->is_immortal());
  for (int i = 0; i < 1000; ++i) {
    Ref<Leaf> copy = leaf;
  }
  leaf = nullptr;
  for (int i = 0; i < 10; ++i) {
    const Ref<Leaf> unowned(adopt, raw);
  }
  EXPECT_EQ(raw->value, 1);
  EXPECT_TRUE(raw->is_immortal());
  heap.verify();
}

TEST(ObjectHeapTest, WalksOverAllObjects) {
  ObjectHeap heap;
  Ref<Node> node = heap.make<Node>(1);
  node->next = heap.make<Node>(2);
  Ref<Text> text = heap.make_sized<Text>(7000);
  int nodes = 0;
  int texts = 0;
  int types = 0;
  heap.for_each_object([&](Object& object) {
    nodes += is<Node>(object) ? 1 : 0;
    texts += is<Text>(object) ? 1 : 0;
    types += is<Type>(object) ? 1 : 0;
  });
  EXPECT_EQ(nodes, 2);
  EXPECT_EQ(texts, 1);
  EXPECT_EQ(types, 4);
}

TEST(ObjectHeapTest, HeapsKnowNothingOfEachOther) {
  ObjectHeap one;
  ObjectHeap two;
  Ref<Leaf> in_one = one.make<Leaf>(1);
  Ref<Leaf> in_two = two.make<Leaf>(2);
  EXPECT_NE(&in_one->type(), &in_two->type());
  EXPECT_TRUE(is<Leaf>(*in_one));
  EXPECT_TRUE(is<Leaf>(*in_two));
  EXPECT_EQ(live(one), 1U);
  EXPECT_EQ(&in_two->type().heap(), &two);
}

}  // namespace
}  // namespace tarn::test
