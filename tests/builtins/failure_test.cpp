// Out of memory, at each point in turn: std::bad_alloc, and everything is as it was or whole.
#include <new>

#include "builtins/setups.h"

namespace tarn::test {
namespace {

// Requests of the C++ library's containers fail, too: the nth from when it's set.
std::size_t until_failure = 0;

bool fails() { return until_failure != 0 && --until_failure == 0; }

}  // namespace
}  // namespace tarn::test

// Not inlined: the compiler would see malloc's block go to delete, or new's to free, and warn.
// NOLINTBEGIN(misc-new-delete-overloads)
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const block = tarn::test::fails() ? nullptr : std::malloc(size);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return tarn::test::fails() ? nullptr : std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
// NOLINTEND(misc-new-delete-overloads)

namespace tarn::test {
namespace {

void use_everything(Builtins& all, const Ref<List>& list, const Ref<Dict>& dict,
                    const Ref<Set>& set) {
  const auto number = [&](std::int64_t value) { return all.integer(value); };
  Type& point = all.define_class("Point");
  const Ref<Instance> instance = all.instance(point);
  instance->set_attribute(*all.string("name"), number(1000));
  list->append(instance);
  for (int i = 0; i < 12; ++i) {
    list->append(number(1000 + i));
    dict->set(all.string(std::to_string(10 + i)), number(2000 + i));
    (void)set->add(number(3000 + i));
  }
  list->insert(3, all.intern("interned, and longer than what fits"));
  list->set_slice({.start = 1, .stop = 2}, *all.tuple({number(500), number(501)}));
  list->erase_slice({.start = 4, .stop = 12, .step = 3});
  list->extend(*dict);
  dict->erase(*all.string("15"));
  dict->update(*dict->copy());
  (void)dict->set_default(all.string("a new one"), list);
  (void)set->join(*set)->intersect(*set);
  (void)repr(*dict);
  const Ref<FrozenSet> frozen = all.frozenset_of(*set);
  (void)frozen->join(*all.set({number(5)}))->symmetric_difference(*set);
  (void)all.set({frozen})->contains(*set);
  (void)bit_or(*dict->keys(), *set);
  (void)rich_compare(*dict->items(), *dict->copy()->items(), CompareOperator::equal);
  (void)repr(*dict->values());
  const Ref<List> large_list = all.list();
  for (int i = 0; i < 900; ++i) {
    large_list->append(all.none());
  }
  large_list->erase_slice({.start = 100});
  const Ref<List> sorted = all.list();
  for (int i = 0; i < 40; ++i) {
    sorted->append(number(i * 7919 % 1000));
  }
  sorted->sort();
  Ref<Object> large = power(*number(7), *number(300));
  large = floor_divide(*multiply(*large, *large), *add(*large, *number(1)));
  (void)bit_and(*large, *negate(*large));
  (void)Int::parse(all, repr(*large));
  (void)all.string("joined ")->join(*all.string("to this"))->repeat(3)->slice({.step = -1});
  for (const Ref<Object>& item : each(*dict->iterate_items())) {
    list->append(item);
  }
  (void)all.tuple_of(*list)->repeat(2);
  (void)dict->pop_item();
}

TEST(Builtins, StayWholeWhicheverAllocationFails) {
  bool done = false;
  std::size_t nth = 1;
  for (; !done && nth < 3000; ++nth) {
    ObjectHeap heap;
    object::HeapState& state = object::HeapState::of(heap);
    Builtins all(heap);
    const std::size_t before = live(heap);
    {
      const Ref<List> list = all.list();
      const Ref<Dict> dict = all.dict();
      const Ref<Set> set = all.set();
      state.pools().hear_of_all(true);
      state.fail_the(nth);
      try {
        use_everything(all, list, dict, set);
        done = true;
      } catch (const std::bad_alloc&) {
        done = false;
      }
      state.fail_the(0);
      list->verify();
      dict->verify();
      set->verify();
      heap.verify();
      list->clear();
      dict->clear();
    }
    // The class has its name, its keys, a table of them and the attribute's name.
    EXPECT_LE(live(heap), before + 4) << "request " << nth;
    EXPECT_LE(all.interned(), 1U);
  }
  EXPECT_TRUE(done);
  EXPECT_GT(nth, 100U);
}

TEST(Builtins, StayWholeWhicheverRequestOfTheLibraryFails) {
  bool done = false;
  std::size_t nth = 1;
  for (; !done && nth < 3000; ++nth) {
    ObjectHeap heap;
    Builtins all(heap);
    const std::size_t before = live(heap);
    {
      const Ref<List> list = all.list();
      const Ref<Dict> dict = all.dict();
      const Ref<Set> set = all.set();
      until_failure = nth;
      try {
        use_everything(all, list, dict, set);
        done = true;
      } catch (const std::bad_alloc&) {
        done = false;
      }
      until_failure = 0;
      list->verify();
      dict->verify();
      set->verify();
      heap.verify();
      list->clear();
      dict->clear();
    }
    EXPECT_LE(live(heap), before + 4) << "request " << nth;
    EXPECT_LE(all.interned(), 1U);
  }
  EXPECT_TRUE(done);
  EXPECT_GT(nth, 50U);
}

TEST(Builtins, ThatCouldNotBeMadeLeaveNothing) {
  bool done = false;
  for (std::size_t nth = 1; !done && nth < 3000; nth += 7) {
    ObjectHeap heap;
    object::HeapState& state = object::HeapState::of(heap);
    state.pools().hear_of_all(true);
    state.fail_the(nth);
    try {
      const Builtins all(heap);
      done = true;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(live(heap), 0U);
    }
    state.fail_the(0);
    heap.verify();
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tarn::test
