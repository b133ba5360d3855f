// Objects that own nothing but others of their own kind, and die one after the other instead of one within the other.
#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/assert.h"
#include "object/heap_state.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

// Unoptimised and instrumented builds are some thirty times slower.
constexpr int links = tarn_debug_checks ? 200'000 : 10'000'000;

struct Twig final : Object {
  Twig() = default;
  Twig(Ref<Twig> l, Ref<Twig> r) noexcept : left(std::move(l)), right(std::move(r)) {}

  Member<Twig> left;
  Member<Twig> right;
  std::size_t number = 0;
  static constexpr auto members = tarn::only_members(&Twig::left, &Twig::right);
};
static_assert(detail::dies_by_list<Twig>());
static_assert(!detail::dies_by_list<Pair>(), "its list doesn't say that it names all");

struct Open : Object {
  Member<Open> next;
  static constexpr auto members = tarn::only_members(&Open::next);
};
static_assert(!detail::dies_by_list<Open>(), "what derives from it may have a destructor");

struct Mixed final : Object {
  Member<Mixed> next;
  Member<Witness> witness;
  static constexpr auto members = tarn::only_members(&Mixed::next, &Mixed::witness);
};
static_assert(!detail::dies_by_list<Mixed>(), "another kind's destructor may do anything");

// The word is that of a template, which doesn't know what derives from it.
template <typename Derived>
struct Linked : Object {
  Member<Derived> next;
  static constexpr auto members = tarn::only_members(&Linked::next);
};
struct Item final : Linked<Item> {
  ~Item() { seen += next != nullptr ? 1 : 0; }
  static inline int seen = 0;
};
static_assert(!detail::dies_by_list<Item>(), "it hasn't said so itself");

TEST(OnlyMembers, OfATemplateLeaveADerivedTypeItsDestructor) {
  ObjectHeap heap;
  Item::seen = 0;
  Ref<Item> item = heap.make<Item>();
  item->next = heap.make<Item>();
  item = nullptr;
  EXPECT_EQ(Item::seen, 1);
}

// It does have something else to be destroyed, which touches an object.
struct Unfaithful final : Object {
  Member<Unfaithful> next;
  Ref<Twig> other;
  static constexpr auto members = tarn::only_members(&Unfaithful::next);
};

TEST(OnlyMembersDeathTest, AFieldThatTouchesObjectsAllTheSameIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "destructors are watched in builds that check objects";
  }
  EXPECT_DEATH(
      {
        ObjectHeap heap;
        const Ref<Unfaithful> one = heap.make<Unfaithful>();
        one->other = heap.make<Twig>();
      },
      "tarn: a destructor in .*Unfaithful touches an object of type .*Twig, though its list says "
      "that there is "
      "none; use tarn::members");
}

struct Farewell final : Object {
  void finalize() {}
  Member<Farewell> next;
  static constexpr auto members = tarn::only_members(&Farewell::next);
};
static_assert(!detail::dies_by_list<Farewell>());

Ref<Twig> tree_of(ObjectHeap& heap, int depth) {
  if (depth == 0) {
    return heap.make<Twig>();
  }
  Ref<Twig> left = tree_of(heap, depth - 1);
  return heap.make<Twig>(std::move(left), tree_of(heap, depth - 1));
}

TEST(OnlyMembers, TreesAndChainsDieToTheLast) {
  ObjectHeap heap;
  Ref<Twig> tree = tree_of(heap, 10);
  EXPECT_EQ(live(heap), 2047U);
  const Ref<Twig> kept = tree->left->right;
  tree = nullptr;
  EXPECT_EQ(live(heap), 511U);
  heap.verify();
  for (const bool to_the_left : {true, false}) {
    Ref<Twig> chain;
    for (int i = 0; i < links / 4; ++i) {
      chain = to_the_left ? heap.make<Twig>(std::move(chain), nullptr)
                          : heap.make<Twig>(nullptr, std::move(chain));
    }
    chain = nullptr;
    EXPECT_EQ(live(heap), 511U);
  }
  heap.verify();
}

TEST(OnlyMembers, WhoIsReferredToTwiceDiesOnce) {
  ObjectHeap heap;
  const Ref<Twig> shared = heap.make<Twig>();
  Ref<Twig> ladder = heap.make<Twig>(shared, shared);
  for (int i = 0; i < 1000; ++i) {
    Ref<Twig> rung = heap.make<Twig>(ladder, ladder);
    ladder = std::move(rung);
  }
  EXPECT_EQ(shared->reference_count(), 3);
  ladder = nullptr;
  EXPECT_EQ(shared->reference_count(), 1);
  EXPECT_EQ(live(heap), 1U);
  heap.verify();
}

TEST(OnlyMembers, WeakReferencesAreClearedAndCalledBack) {
  ObjectHeap heap;
  std::vector<Weak<Twig>> weak;
  int callbacks = 0;
  Ref<Twig> chain;
  for (int i = 0; i < links / 20; ++i) {
    chain = heap.make<Twig>(std::move(chain), heap.make<Twig>());
    if (i % 10 == 0) {
      weak.emplace_back(Ref<Twig>(chain->right), [&] {
        ++callbacks;
        heap.make<Twig>(heap.make<Twig>(), nullptr);
      });
      weak.emplace_back(chain);
    }
  }
  chain = nullptr;
  EXPECT_EQ(callbacks, links / 200);
  for (const Weak<Twig>& reference : weak) {
    ASSERT_TRUE(reference.is_dead());
  }
  EXPECT_EQ(live(heap), 0U);
  heap.verify();
}

// Of one struct, and of types that are made at run time for it: those are another kind, with code of their own.
TEST(OnlyMembers, ChainsThroughTypesMadeAtRunTimeDie) {
  ObjectHeap heap;
  static int finalized = 0;
  finalized = 0;
  static ObjectHeap* its_heap = nullptr;
  its_heap = &heap;
  TypeSpec spec;
  spec.base = &heap.type<Twig>();
  spec.basic_size = sizeof(Twig);
  spec.name = "Other";
  Type& other = heap.make_type(spec);
  spec.name = "Finalized";
  spec.slots.finalize = [](Object&) noexcept {
    if (++finalized % 1000 == 0) {
      its_heap->verify();
    }
    (void)its_heap->make<Twig>(its_heap->make<Twig>(), nullptr);
  };
  Type& with_finalizer = heap.make_type(spec);
  Ref<Twig> chain;
  for (int i = 0; i < links / 100; ++i) {
    chain = heap.make<Twig>(std::move(chain), nullptr);
    chain = heap.make_as<Twig>(other, heap.make<Twig>(), std::move(chain));
    if (i % 5 == 0) {
      chain = heap.make_as<Twig>(with_finalizer, std::move(chain), heap.make<Twig>());
    }
    if (i % 7 == 0) {
      chain = heap.make_as<Twig>(other, chain, std::move(chain));
    }
  }
  chain = nullptr;
  EXPECT_EQ(finalized, (links / 100 + 4) / 5);
  EXPECT_EQ(live(heap), 0U);
  heap.verify();
}

// The list says that it has nothing else to be destroyed; if it has, that isn't lost.
struct Labelled final : Object {
  Member<Labelled> next;
  std::string label = "longer than what fits into the object itself";
  static constexpr auto members = tarn::only_members(&Labelled::next);
};

TEST(OnlyMembers, OtherFieldsAreDestroyedAllTheSame) {
  ObjectHeap heap;
  Ref<Labelled> chain;
  for (int i = 0; i < 100; ++i) {
    Ref<Labelled> link = heap.make<Labelled>();
    link->next = std::move(chain);
    chain = std::move(link);
  }
  chain = nullptr;  // a leak is reported by the sanitizer
  EXPECT_EQ(live(heap), 0U);
}

// By their numbers, which are below `numbers`.
std::vector<bool> reachable_from(const std::vector<Ref<Twig>>& roots, std::size_t numbers) {
  std::vector<bool> seen(numbers);
  std::vector<const Twig*> left;
  const auto reach = [&](const Twig* twig) {
    if (twig != nullptr && !seen[twig->number]) {
      seen[twig->number] = true;
      left.push_back(twig);
    }
  };
  for (const Ref<Twig>& one : roots) {
    reach(one.get());
  }
  while (!left.empty()) {
    const Twig* const twig = left.back();
    left.pop_back();
    reach(twig->left.get());
    reach(twig->right.get());
  }
  return seen;
}

TEST(OnlyMembers, RandomGraphsWithoutCyclesAgreeWithAModelOfCounts) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    ObjectHeap heap;
    std::mt19937 random(seed);
    std::vector<Ref<Twig>> roots(20);
    std::vector<Weak<Twig>> weak;
    std::size_t last = 0;
    for (int step = 0; step < 2000; ++step) {
      Ref<Twig>& root = roots[random() % roots.size()];
      switch (random() % 4) {
        case 0:
        case 1: {
          // To older ones only: no cycle comes about.
          const Ref<Twig> left = roots[random() % roots.size()];
          root = heap.make<Twig>(left, roots[random() % roots.size()]);
          root->number = ++last;
          break;
        }
        case 2:
          root = nullptr;
          break;
        default:
          if (root) {
            (random() % 2 == 0 ? root->left : root->right) = nullptr;
          }
          if (root && seed % 2 == 0 && random() % 8 == 0) {
            weak.emplace_back(root);
          }
      }
      if (step % 100 == 0) {
        heap.verify();
        const std::vector<bool> seen = reachable_from(roots, last + 1);
        ASSERT_EQ(live(heap), static_cast<std::size_t>(std::ranges::count(seen, true)))
            << "seed " << seed << " step " << step;
        for (const Weak<Twig>& reference : weak) {
          const Ref<Twig> alive = reference.lock();
          ASSERT_TRUE(!alive || seen[alive->number]);
        }
        heap.release();
      }
    }
    roots.clear();
    ASSERT_EQ(live(heap), 0U);
    heap.verify();
  }
}

}  // namespace
}  // namespace tarn::test
