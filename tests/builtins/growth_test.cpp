// Lists that grow: in place where they are large, while they are collected, and while a collection is under way.
#include <chrono>
#include <functional>

#include <tarn/gc.h>

#include "builtins/setups.h"

namespace tarn::test {
namespace {

class Growth : public BuiltinsTest {};

TEST_F(Growth, AListGrowsAndShrinksThroughAllSizes) {
  const Ref<List> list = all.list();
  bool was_large = false;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    list->append(number(i));
    if (i % 997 == 0) {
      list->verify();
      heap.verify();
    }
    was_large = was_large || heap.statistics().large_objects == 1;
  }
  EXPECT_TRUE(was_large);
  EXPECT_EQ(heap.statistics().large_objects, 1U);
  for (std::int64_t i = 20'000; i-- > 0;) {
    ASSERT_EQ(static_cast<Int&>(*list->pop()).word(), i);
    if (i % 997 == 0) {
      list->verify();
      heap.verify();
    }
  }
  EXPECT_EQ(heap.statistics().large_objects, 0U);
}

// Its items may be seen by somebody else, who holds their array: then it stays where it is.
TEST_F(Growth, AnArrayThatSomebodyHoldsStays) {
  const Collector collector(heap);
  const Ref<List> list = numbers(2000);
  const std::vector<Ref<Object>> held = collector.referents(*list);
  ASSERT_EQ(held.size(), 1U);
  for (std::int64_t i = 2000; i < 20'000; ++i) {
    list->append(number(i));
  }
  list->verify();
  heap.verify();
  EXPECT_EQ(held[0]->reference_count(), 1);
  EXPECT_EQ(collector.referents(*held[0]).size(), 0U);  // the list has them now
  EXPECT_EQ(list->size(), 20'000U);
}

TEST_F(Growth, AListMayGrowWhileItIsCollectedInSlices) {
  Collector collector(heap, {.automatic = false});
  Type& node = all.define_class("Node");
  const Ref<Str> next = all.intern("next");
  std::vector<Ref<List>> lists;
  for (int i = 0; i < 6; ++i) {
    lists.push_back(all.list());
  }
  for (int round = 0; round < 300; ++round) {
    for (const Ref<List>& list : lists) {
      for (int i = 0; i < 7; ++i) {
        const Ref<Instance> item = all.instance(node);
        item->set_attribute(*next, list);  // a cycle through the list
        list->append(item);
      }
    }
    (void)collector.collect(std::chrono::nanoseconds(1));
    if (round % 60 == 59) {
      heap.verify();
      lists[static_cast<std::size_t>(round / 60)] = all.list();  // what it was is garbage
    }
  }
  for (const Ref<List>& list : lists) {
    list->verify();
    for (const Ref<Object>& item : each(*list)) {
      ASSERT_EQ(static_cast<Instance&>(*item).attribute(*next), list);
    }
  }
  lists.clear();
  (void)collector.collect();
  (void)collector.collect();
  EXPECT_EQ(heap.statistics().large_objects, 0U);
  heap.verify();
}

// What dies with a list, and makes it grow: when it's finalized, or when the list is cleared.
struct Grower : Object {
  explicit Grower(List& its_list, bool in_finalizer) : list(&its_list), finalizes(in_finalizer) {}
  ~Grower() {
    if (!finalizes) {
      grow();
    }
  }
  void finalize() {
    if (finalizes) {
      grow();
    }
  }
  void grow() const {
    Builtins& all = Builtins::of(*this);
    for (int i = 0; i < 3000; ++i) {
      list->append(all.integer(1000 + i));
    }
    list->sort();
    ++grown;
  }

  List* list;
  bool finalizes;
  static inline int grown = 0;
};

TEST_F(Growth, WhatDiesWithAListMayMakeItGrow) {
  Collector collector(heap, {.automatic = false});
  (void)heap.type<Grower>();
  const std::size_t before = live(heap);
  for (const bool in_finalizer : {true, false}) {
    for (const int size : {1, 5, 60, 700, 9000}) {
      Grower::grown = 0;
      {
        const Ref<List> list = all.list();
        list->append(list);
        for (int i = 0; i < size; ++i) {
          list->append(number(2000 + i));
          if (i % 300 == 0) {
            list->append(heap.make<Grower>(*list, in_finalizer));
          }
        }
      }
      (void)collector.collect();
      (void)collector.collect();
      EXPECT_GT(Grower::grown, 0);
      heap.verify();
      EXPECT_EQ(live(heap), before) << in_finalizer << ' ' << size;
      EXPECT_EQ(heap.statistics().large_objects, 0U);
    }
  }
}

// Whose death, amid the clearing of a garbage dict or set, does something to it.
struct LastWords : Object {
  explicit LastWords(std::function<void()> words) : say(std::move(words)) {}
  ~LastWords() { say(); }
  static std::size_t hash() { return 7; }
  std::function<void()> say;
};
struct Counted : Object {
  Counted() { ++living; }
  ~Counted() { --living; }
  static inline int living = 0;
};

class WhatDiesWithADict : public BuiltinsTest {
 protected:
  // The pool of entries lies before that of dicts, so entries are cleared first.
  void SetUp() override { fifteen = all.tuple(std::vector<Ref<Object>>(15, all.none())); }
  void collect() {
    (void)collector.collect();
    (void)collector.collect();
    heap.verify();
  }

  Ref<Tuple> fifteen;
  Collector collector{heap, {.automatic = false}};
};

TEST_F(WhatDiesWithADict, MayChangeIt) {
  bool died = false;
  {
    const Ref<Dict> dict = all.dict();
    dict->set(all.string("self"), dict);
    dict->set(heap.make<LastWords>([this, &died, raw = dict.get()] {
      (void)raw->pop(*number(1));
      raw->set(number(2), heap.make<Counted>());
      raw->set(number(4), heap.make<Counted>());
      died = true;
    }),
              heap.make<Counted>());
    dict->set(number(1), heap.make<Counted>());
  }
  collect();
  EXPECT_TRUE(died);
  EXPECT_EQ(Counted::living, 0);
}

TEST_F(WhatDiesWithADict, MayCopyIt) {
  int copied = 0;
  {
    const Ref<Dict> dict = all.dict();
    const Ref<List> holder = all.list();
    holder->append(dict);
    dict->set(number(1), holder);
    dict->set(heap.make<LastWords>([&copied, raw = dict.get()] { copied += raw->copy() ? 1 : 0; }),
              all.none());
  }
  collect();
  EXPECT_EQ(copied, 1);
}

TEST_F(Growth, ASortIsStableWhateverItSorts) {
  const auto word_of = [](const Ref<Object>& item) { return static_cast<Int&>(*item).word(); };
  for (const int size : {2, 12, 13, 500, 3000}) {
    const Ref<List> list = all.list();
    std::vector<Ref<Object>> model;
    for (int i = 0; i < size; ++i) {
      model.emplace_back(number(1000 + i * 7919 % (size / 3 + 1)));
      list->append(model.back());
    }
    std::stable_sort(model.begin(), model.end(), [&](const auto& left, const auto& right) {
      return word_of(left) < word_of(right);
    });
    list->sort();
    list->verify();
    for (std::size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(list->items()[i].get(), model[i].get()) << size << ' ' << i;
    }
    list->append(power(*number(10), *number(30)));  // no word
    list->append(all.floating(1000.5));
    list->sort();
    list->verify();
    EXPECT_EQ(list->at(-1)->type().name(), std::string("int"));
  }
}

}  // namespace
}  // namespace tarn::test
