// How a struct becomes a type: members in every container, bases, slots, types made at run time.

#include <array>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "object/edges.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

struct Part {
  Member<Leaf> leaf;
  std::optional<Member<Leaf>> maybe;
  static constexpr auto members = tarn::members(&Part::leaf, &Part::maybe);
};

struct Everything : Object {
  Member<Leaf> one;
  std::vector<Member<Leaf>> many;
  std::array<Member<Leaf>, 3> three;
  Member<Leaf> plain[2];
  std::optional<Member<Leaf>> maybe;
  std::pair<int, Member<Leaf>> pair;
  std::map<std::string, Member<Leaf>> sorted;
  std::unordered_map<std::string, Member<Leaf>> named;
  std::unordered_map<int, std::vector<Member<Leaf>>> nested;
  Part part;
  std::vector<Part> parts;
  std::unique_ptr<Part> elsewhere;
  int number = 0;
  static constexpr auto members = tarn::members(
      &Everything::one, &Everything::many, &Everything::three, &Everything::plain,
      &Everything::maybe, &Everything::pair, &Everything::sorted, &Everything::named,
      &Everything::nested, &Everything::part, &Everything::parts, &Everything::elsewhere);
};

std::size_t edges_of(const Object& object) {
  std::size_t count = 0;
  object::for_each_edge(object, [&](Object&) { ++count; });
  return count;
}

class CountingVisitor : public Visitor {
 public:
  CountingVisitor() : Visitor(&each) {}
  std::size_t count = 0;

 private:
  static void each(Visitor& visitor, Object* const* first, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      static_cast<CountingVisitor&>(visitor).count += first[i] != nullptr ? 1U : 0U;
    }
  }
};

TEST(Members, AreTraversedAndClearedInEveryContainer) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>();
  Ref<Everything> all = heap.make<Everything>();
  all->one = leaf;
  all->many.resize(4);
  all->many[2] = leaf;
  all->three[1] = leaf;
  all->plain[1] = leaf;
  all->maybe.emplace(leaf);
  all->pair.second = leaf;
  all->sorted["a"] = leaf;
  all->named["b"] = leaf;
  all->nested[5].emplace_back(leaf);
  all->nested[5].emplace_back(leaf);
  all->part.leaf = leaf;
  all->part.maybe.emplace(leaf);
  all->parts.resize(2);
  all->parts[1].leaf = leaf;
  all->elsewhere = std::make_unique<Part>();
  all->elsewhere->leaf = leaf;
  EXPECT_EQ(edges_of(*all), 14U);
  EXPECT_EQ(leaf->reference_count(), 15);
  CountingVisitor visitor;
  all->type().slots().traverse(*all, visitor);
  EXPECT_EQ(visitor.count, 14U);
  EXPECT_EQ(all->type().member_count(), 4U);  // with the array's three; the others take a call
  heap.verify();

  all->type().slots().clear(*all);
  EXPECT_EQ(edges_of(*all), 0U);
  EXPECT_EQ(leaf->reference_count(), 1);
  EXPECT_EQ(all->many.size(), 0U);
}

// Cleared all at once: who comes back meanwhile finds nothing.
struct AllOrNothing : Object {
  Member<Object> one;
  std::array<Member<Object>, 2> others;
  void clear_members() noexcept {
    const Ref<Object> old = one.take();
    const std::array<Ref<Object>, 2> old_others{others[0].take(), others[1].take()};
  }
  static constexpr auto members = tarn::members(&AllOrNothing::one, &AllOrNothing::others);
};

struct Returner : Object {
  explicit Returner(AllOrNothing& its_owner) : owner(&its_owner) {}
  ~Returner() { found += edges_of(*owner); }
  AllOrNothing* owner;
  static inline std::size_t found = 0;
};

TEST(Members, MayBeClearedAllAtOnce) {
  ObjectHeap heap;
  const Ref<AllOrNothing> all = heap.make<AllOrNothing>();
  all->one = heap.make<Returner>(*all);
  all->others[0] = heap.make<Leaf>();
  all->others[1] = heap.make<Returner>(*all);
  EXPECT_EQ(edges_of(*all), 3U);
  EXPECT_EQ(all->type().slots().traverse_rest, nullptr);
  heap.verify();
  all->type().slots().clear(*all);
  EXPECT_EQ(Returner::found, 0U);
  EXPECT_EQ(edges_of(*all), 0U);
}

// Its base's function knows nothing of what it adds.
struct AllOrNothingAndMore : AllOrNothing {
  using Base = AllOrNothing;
  Member<Object> more;
  static constexpr auto members = tarn::members(&AllOrNothingAndMore::more);
};

TEST(Members, OfADerivedTypeAreClearedBesideThoseThatTheBaseClears) {
  ObjectHeap heap;
  const Ref<AllOrNothingAndMore> all = heap.make<AllOrNothingAndMore>();
  all->one = heap.make<Leaf>();
  all->more = all;
  EXPECT_EQ(edges_of(*all), 2U);
  all->type().slots().clear(*all);
  EXPECT_EQ(edges_of(*all), 0U);
}

struct Animal : Object {
  Member<Leaf> first;
  std::string repr() const { return "an animal"; }
  std::size_t hash() const { return 42; }
  Comparison compare(const Object& other, CompareOperator comparison) const {
    if (!is<Animal>(other) || comparison != CompareOperator::equal) {
      return Comparison::not_implemented;
    }
    return static_cast<const Animal&>(other).first == first ? Comparison::yes : Comparison::no;
  }
  static constexpr auto members = tarn::members(&Animal::first);
};
struct Dog : Animal {
  using Base = Animal;
  Member<Leaf> second;
  std::string repr() const { return "a dog"; }
  static constexpr auto members = tarn::members(&Dog::second);
};
struct Puppy final : Dog {
  using Base = Dog;
  static constexpr const char* type_name = "Puppy";
};

TEST(Types, HaveTheMembersAndSlotsOfTheirBases) {
  ObjectHeap heap;
  Ref<Leaf> leaf = heap.make<Leaf>();
  Ref<Puppy> puppy = heap.make<Puppy>();
  puppy->first = leaf;
  puppy->second = leaf;
  EXPECT_EQ(edges_of(*puppy), 2U);
  EXPECT_EQ(puppy->type().member_count(), 2U);
  EXPECT_STREQ(puppy->type().name(), "Puppy");
  EXPECT_EQ(puppy->type().base(), &heap.type<Dog>());
  EXPECT_EQ(puppy->type().base()->base(), &heap.type<Animal>());
  EXPECT_EQ(heap.type<Animal>().base(), &heap.type<Object>());
  EXPECT_EQ(heap.type<Object>().base(), nullptr);
  EXPECT_TRUE(puppy->type().is_subtype_of(heap.type<Animal>()));
  EXPECT_FALSE(heap.type<Animal>().is_subtype_of(puppy->type()));
  EXPECT_TRUE(is<Animal>(*puppy));
  EXPECT_FALSE(is_exactly<Animal>(*puppy));
  EXPECT_TRUE(is_exactly<Puppy>(*puppy));
  EXPECT_EQ(repr(*puppy), "a dog");
  EXPECT_EQ(hash(*puppy), 42U);
  EXPECT_EQ(compare(*puppy, *puppy, CompareOperator::equal), Comparison::yes);
  EXPECT_EQ(compare(*puppy, *leaf, CompareOperator::equal), Comparison::not_implemented);
  EXPECT_EQ(compare(*leaf, *leaf, CompareOperator::equal), Comparison::yes);
  EXPECT_EQ(compare(*leaf, *puppy, CompareOperator::less), Comparison::not_implemented);
  Ref<Animal> animal = puppy;
  puppy = nullptr;
  animal = nullptr;  // through the base, by the slot of its own type
  EXPECT_EQ(leaf->reference_count(), 1);
}

TEST(Types, AreObjects) {
  ObjectHeap heap;
  Type& type = heap.type<Type>();
  EXPECT_EQ(&type.type(), &type);
  EXPECT_EQ(&heap.type<Leaf>().type(), &type);
  EXPECT_TRUE(is<Type>(heap.type<Leaf>()));
  EXPECT_TRUE(heap.type<Leaf>().is_immortal());
  EXPECT_EQ(repr(heap.type<Leaf>()), "<type tarn::test::Leaf>");
  EXPECT_EQ(repr(*heap.make<Leaf>()).substr(0, 31), "<tarn::test::Leaf object at 0x7");
  EXPECT_FALSE(heap.type<Leaf>().has_references());
  EXPECT_TRUE(heap.type<Pair>().has_references());
  EXPECT_TRUE(heap.type<Tuple>().has_references());
  EXPECT_FALSE(heap.type<Text>().has_references());
}

TEST(Types, CanBeMadeAtRunTime) {
  ObjectHeap heap;
  static int finalized = 0;
  TypeSpec spec;
  spec.name = "Counter";
  spec.base = &heap.type<Node>();
  spec.basic_size = sizeof(Node);
  spec.slots.finalize = [](Object&) noexcept { ++finalized; };
  spec.slots.repr = [](const Object& object) {
    return "Counter " + std::to_string(static_cast<const Node&>(object).value);
  };
  Type& counter = heap.make_type(spec);
  Ref<Node> node = heap.make_as<Node>(counter, 7);
  EXPECT_EQ(repr(*node), "Counter 7");
  EXPECT_EQ(&node->type(), &counter);
  EXPECT_TRUE(is<Node>(*node));
  node->next = heap.make<Node>();
  EXPECT_EQ(edges_of(*node), 1U);
  heap.verify();
  node = nullptr;
  EXPECT_EQ(finalized, 1);
  EXPECT_EQ(live(heap), 0U);
}

TEST(Types, AllocateBlocksBySlot) {
  ObjectHeap heap;
  void* const block = heap.type<Leaf>().slots().allocate(heap.type<Leaf>(), 0);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(heap.type<Tuple>().slots().allocate(heap.type<Tuple>(), SIZE_MAX), nullptr);
  EXPECT_EQ(live(heap), 0U);  // no object lives in it
}

struct Forgetful : Object {
  Member<Leaf> listed;
  Member<Leaf> forgotten;
  static constexpr auto members = tarn::members(&Forgetful::listed);
};

TEST(TypesDeathTest, AMemberThatTheListForgotIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "lists are compared with members in builds that check objects";
  }
  EXPECT_DEATH(
      {
        ObjectHeap heap;
        (void)heap.make<Forgetful>();
      },
      "tarn: .*Forgetful has a Member at offset 24 that its list of members lacks; name it in "
      "tarn::members\\(…\\)");
}

}  // namespace
}  // namespace tarn::test
