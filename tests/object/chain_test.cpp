// Structures of any depth die without using up the stack.

#include <gtest/gtest.h>

#include "base/assert.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

// Unoptimised and instrumented builds are some thirty times slower.
constexpr int links = tarn_debug_checks ? 200'000 : 10'000'000;

TEST(Chains, OfManyLinksDie) {
  ObjectHeap heap;
  Ref<Pair> chain;
  for (int i = 0; i < links; ++i) {
    chain = heap.make<Pair>(std::move(chain), nullptr);
  }
  chain = nullptr;
  EXPECT_EQ(live(heap), 0U);
  heap.verify();
}

struct Odd;
struct Even : Object {
  Member<Odd> next;
  std::vector<Member<Object>> more;
  static constexpr auto members = tarn::members(&Even::next, &Even::more);
};
struct Odd final : Object {
  Member<Even> next;
  static constexpr auto members = tarn::members(&Odd::next);
};

TEST(Chains, OfSeveralTypesAndThroughContainersDie) {
  ObjectHeap heap;
  Ref<Even> chain;
  for (int i = 0; i < links / 20; ++i) {
    Ref<Odd> odd = heap.make<Odd>();
    odd->next = std::move(chain);
    Ref<Tuple> tuple = heap.make_sized<Tuple>(2);
    tuple->items()[0] = std::move(odd);
    chain = heap.make<Even>();
    chain->more.push_back(std::move(tuple));
  }
  chain = nullptr;
  EXPECT_EQ(live(heap), 0U);
  heap.verify();
}

struct Finalized : Object {
  void finalize() { ++count; }
  Member<Finalized> next;
  static inline int count = 0;
  static constexpr auto members = tarn::members(&Finalized::next);
};

TEST(Chains, WithFinalizersAndWeakReferencesDie) {
  ObjectHeap heap;
  Ref<Finalized> chain;
  std::vector<Weak<Finalized>> weak;
  int callbacks = 0;
  for (int i = 0; i < links / 20; ++i) {
    Ref<Finalized> link = heap.make<Finalized>();
    link->next = std::move(chain);
    chain = std::move(link);
    if (i % 10 == 0) {
      weak.emplace_back(chain, [&] { ++callbacks; });
    }
  }
  Finalized::count = 0;
  chain = nullptr;
  EXPECT_EQ(Finalized::count, links / 20);
  EXPECT_EQ(callbacks, links / 200);
  EXPECT_EQ(live(heap), 0U);
  heap.verify();
}

struct Curious : Object {
  explicit Curious(ObjectHeap& of) : heap(of) {}
  ~Curious() {
    if (--left % 100 == 0) {
      heap.verify();
    }
    (void)heap.make<Pair>(heap.make<Pair>(), nullptr);
  }
  ObjectHeap& heap;
  Ref<Curious> next;  // no member: no cycle runs through it here
  static inline int left = 1000;
};

// While a long chain dies, destructors may walk the heap, make objects and let others die.
TEST(Chains, MayBeLookedAtWhileTheyDie) {
  ObjectHeap heap;
  Ref<Curious> chain;
  for (int i = 0; i < 1000; ++i) {
    Ref<Curious> link = heap.make<Curious>(heap);
    link->next = std::move(chain);
    chain = std::move(link);
  }
  chain = nullptr;
  EXPECT_EQ(live(heap), 0U);
}

}  // namespace
}  // namespace tarn::test
