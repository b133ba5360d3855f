// tuple, list, dict, set and instances: what is particular to Tarn; that they behave as Python's is test_against_python.py's.
#include <tarn/gc.h>

#include "builtins/setups.h"

namespace tarn::test {
namespace {

class Containers : public BuiltinsTest {};

TEST_F(Containers, TheEmptyTupleExistsOnce) {
  EXPECT_EQ(all.tuple(), all.tuple());
  EXPECT_EQ(all.tuple_of(*all.list()), all.tuple());
  EXPECT_EQ(all.tuple({number(1)})->slice({.start = 1}), all.tuple());
  EXPECT_TRUE(all.tuple()->is_immortal());
  const Ref<Tuple> pair = all.tuple({number(1), number(2)});
  EXPECT_EQ(pair->slice({}), pair);
}

TEST_F(Containers, ATuplesBlockIsTheNextOnesOfItsLength) {
  Ref<Tuple> pair = all.tuple({number(1), number(2)});
  const Tuple* const address = pair.get();
  pair = nullptr;
  pair = all.tuple({number(3), number(4)});
  EXPECT_EQ(pair.get(), address);
}

TEST_F(Containers, AnEmptyListHasNoItems) {
  for (const Ref<List>& list : {all.list(), numbers(0), numbers(3)}) {
    list->clear();
    EXPECT_THROW((void)list->at(0), IndexError);
    EXPECT_THROW(list->set(0, number(1)), IndexError);
    EXPECT_THROW(list->erase(-1), IndexError);
    EXPECT_THROW((void)list->pop(), IndexError);
    EXPECT_THROW(list->remove(*number(1)), ValueError);
    EXPECT_THROW((void)list->index_of(*number(1)), ValueError);
    list->reverse();
    list->sort();
    list->erase_slice({});
    list->set_slice({}, *all.tuple());
    list->set_slice({.step = -1}, *all.tuple());
    list->extend(*list);
    EXPECT_EQ(repr(*list->join(*list)) + repr(*list->repeat(3)) + repr(*list->slice({.step = 2})),
              "[][][]");
    list->insert(5, number(1));
    EXPECT_EQ(repr(*list), "[1]");
  }
  EXPECT_THROW((void)all.dict()->pop_item(), KeyError);
  EXPECT_THROW((void)all.set()->pop(), KeyError);
  EXPECT_THROW(all.set()->remove(*number(1)), KeyError);
  EXPECT_EQ(all.dict()->get(*number(1)), nullptr);
}

// CPython 3.11: the capacities of a list that grows by one are 4, 8, 16, 24, 32, 40, 52, 64, 76, 92, 108. From 64 on blocks
// have more than was asked for.
TEST_F(Containers, AListGrowsAsCPythons) {
  const Ref<List> list = all.list();
  std::vector<std::size_t> capacities;
  for (int i = 0; i < 100; ++i) {
    list->append(all.none());
    if (capacities.empty() || capacities.back() != list->capacity()) {
      capacities.push_back(list->capacity());
    }
    list->verify();
  }
  EXPECT_EQ(capacities, (std::vector<std::size_t>{4, 8, 16, 24, 32, 40, 52, 76, 92, 108}));
  while (list->size() != 0) {
    (void)list->pop();
    list->verify();
  }
  EXPECT_LE(list->capacity(), 16U);
}

TEST_F(Containers, AListMayBeItsOwnSource) {
  const Ref<List> list = numbers(3);
  list->extend(*list);
  EXPECT_EQ(repr(*list), "[0, 1, 2, 0, 1, 2]");
  list->set_slice({.start = 1, .stop = 2}, *list);
  EXPECT_EQ(repr(*list), "[0, 0, 1, 2, 0, 1, 2, 2, 0, 1, 2]");
  list->append(list);
  EXPECT_EQ(repr(*list), "[0, 0, 1, 2, 0, 1, 2, 2, 0, 1, 2, [...]]");
  list->clear();
  const Ref<Dict> dict = all.dict();
  dict->set(text("me"), dict);
  EXPECT_EQ(repr(*dict), "{'me': {...}}");
  dict->clear();
}

TEST_F(Containers, WhatDiesFindsTheContainerWhole) {
  const Ref<List> list = all.list();
  const Ref<Dict> dict = all.dict();
  const Ref<Set> set = all.set();
  int deaths = 0;
  const auto witness = [&] {
    return heap.make<Witness>([&] {
      ++deaths;
      list->verify();
      dict->verify();
      set->verify();
      list->append(number(deaths));
      dict->set(number(1000 + deaths), number(1));
      (void)set->add(number(deaths));
      EXPECT_NE(repr(*list) + repr(*dict) + repr(*set), "");
    });
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 30; ++i) {
      list->append(witness());
      dict->set(number(i), witness());
      (void)set->add(witness());
    }
    list->erase_slice({.start = 0, .stop = 5});
    list->erase_slice({.start = 0, .stop = 9, .step = 2});
    list->set_slice({.start = 0, .stop = 2}, *all.tuple());
    list->set(0, number(0));
    (void)list->pop(0);
    dict->set(number(3), number(3));
    dict->erase(*number(4));
    list->clear();
    dict->clear();
    set->clear();
  }
  EXPECT_GT(deaths, 3 * 90 - 3);
  list->clear();
  dict->clear();
}

TEST_F(Containers, ADictMayChangeWhileItIsSearched) {
  const Ref<Dict> dict = all.dict();
  int asked = 0;
  std::function<void()> change;
  const auto key = [&](std::size_t hash) {
    return heap.make<Key>(hash, [&](const Object&) {
      ++asked;
      if (change) {
        std::exchange(change, nullptr)();
      }
      return false;
    });
  };
  for (const int size : {3, 50}) {
    for (const int how : {0, 1, 2, 3}) {
      dict->clear();
      for (int i = 0; i < size; ++i) {
        dict->set(key(7), number(i));
      }
      change = [&, how, size] {
        if (how == 0) {
          dict->clear();
        } else if (how == 1) {
          for (int i = 0; i < 200; ++i) {
            dict->set(number(1000 + i), number(i));
          }
        } else if (how == 2) {
          dict->clear();
          for (int i = 0; i < size; ++i) {
            dict->set(key(7), number(i));
          }
        } else {
          (void)dict->pop_item();
        }
      };
      dict->set(key(7), text("new"));
      dict->verify();
      EXPECT_EQ(repr(*dict->pop_item()->at(1)), "'new'");
      dict->verify();
    }
  }
  EXPECT_GT(asked, 100);
  // Cleared by the comparison that finds it equal.
  dict->clear();
  const Ref<Key> equal = heap.make<Key>(1, [&](const Object&) {
    dict->clear();
    return true;
  });
  dict->set(equal, number(1));
  EXPECT_EQ(dict->get(*heap.make<Key>(1)), nullptr);
  EXPECT_EQ(dict->size(), 0U);
}

TEST_F(Containers, AListMayChangeWhileItIsCompared) {
  const Ref<List> left = all.list();
  const Ref<List> right = all.list();
  for (int i = 0; i < 5; ++i) {
    left->append(heap.make<Key>(1, [&](const Object&) {
      left->clear();
      right->clear();
      return true;
    }));
    right->append(number(i));
  }
  EXPECT_TRUE(rich_compare(*left, *right, CompareOperator::equal));
  left->append(heap.make<Key>(1, [&](const Object&) {
    left->clear();
    return true;
  }));
  left->remove(*number(7));
  EXPECT_EQ(left->size(), 0U);
}

TEST_F(Containers, ASortThatFailsKeepsEveryItem) {
  const Ref<List> list = numbers(100);
  list->insert(50, text("no number"));
  EXPECT_THROW(list->sort(), TypeError);
  EXPECT_EQ(list->size(), 101U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(contains(*list, *number(i)));
  }
  list->verify();

  struct Jealous : Object {
    explicit Jealous(List& its_list) : list(&its_list) {}
    [[nodiscard]] Comparison compare(const Object&, CompareOperator) const {
      EXPECT_EQ(list->size(), 0U);
      list->append(Builtins::of(*this).none());
      return Comparison::yes;
    }
    List* list;
  };
  list->clear();
  for (int i = 0; i < 2; ++i) {
    list->append(heap.make<Jealous>(*list));
  }
  EXPECT_THROW(list->sort(), ValueError);
  EXPECT_EQ(list->size(), 2U);
  list->clear();
}

// Whatever comparisons say, a sort ends and has the same items.
TEST_F(Containers, ASortEndsWithAnyComparison) {
  struct Arbitrary : Object {
    [[nodiscard]] Comparison compare(const Object&, CompareOperator) const {
      static unsigned state = 1;
      state = state * 1103515245 + 12345;
      return (state >> 16 & 1) != 0 ? Comparison::yes : Comparison::no;
    }
  };
  const Ref<List> list = all.list();
  for (int i = 0; i < 500; ++i) {
    list->append(heap.make<Arbitrary>());
  }
  list->sort();
  list->verify();
  EXPECT_EQ(list->size(), 500U);
}

TEST_F(Containers, IteratorsNoticeThatADictHasChanged) {
  const Ref<Dict> dict = all.dict();
  dict->set(number(1), number(1));
  dict->set(number(2), number(2));
  const Ref<Object> iterator = iterate(*dict);
  (void)next_of(*iterator);
  dict->set(number(3), number(3));
  EXPECT_THROW((void)next_of(*iterator), RuntimeError);
  EXPECT_THROW((void)next_of(*iterator), RuntimeError);
  const Ref<Object> other = iterate(*dict);
  (void)next_of(*other);
  (void)next_of(*other);
  dict->erase(*number(1));
  dict->set(number(4), number(4));
  (void)next_of(*other);
  EXPECT_THROW((void)next_of(*other), RuntimeError);
  const Ref<Set> set = all.set({number(1), number(2)});
  const Ref<Object> of_set = iterate(*set);
  (void)next_of(*of_set);
  set->clear();
  EXPECT_THROW((void)next_of(*of_set), RuntimeError);
}

TEST_F(Containers, NestedTooDeeplyAreAnErrorAndDie) {
  Ref<Object> lists[2] = {all.list(), all.list()};
  Ref<Object> tuples = all.tuple();
  Ref<Object> dicts = all.dict();
  for (int i = 0; i < 100'000; ++i) {
    for (Ref<Object>& list : lists) {
      list = all.list({list});
    }
    tuples = all.tuple({tuples});
    const Ref<Dict> outer = all.dict();
    outer->set(number(1), dicts);
    dicts = outer;
  }
  EXPECT_THROW((void)rich_compare(*lists[0], *lists[1], CompareOperator::equal), RecursionError);
  EXPECT_THROW((void)rich_compare(*lists[0], *lists[1], CompareOperator::less), RecursionError);
  EXPECT_THROW((void)repr(*lists[0]), RecursionError);
  EXPECT_THROW((void)repr(*dicts), RecursionError);
  EXPECT_THROW((void)hash(*tuples), RecursionError);
  EXPECT_EQ(repr(*all.list({number(1)})), "[1]");
}

TEST_F(Containers, CyclesThroughEachAreCollected) {
  Collector collector(heap, {.automatic = false});
  (void)collector.collect();
  const std::size_t before = live(heap);
  Type& node = all.define_class("Node");
  // Its instances' names are there from now on.
  for (const char* const name : {"dict", "set"}) {
    all.instance(node)->set_attribute(*text(name), all.none());
  }
  const std::size_t class_made = live(heap) - before;
  for (const int size : {1, 40, 3000}) {
    const Ref<List> list = all.list();
    const Ref<Dict> by_value = all.dict();
    const Ref<Dict> by_key = all.dict();
    const Ref<Set> set = all.set();
    for (int i = 0; i < size; ++i) {
      list->append(list);
      by_value->set(number(i), by_value);
      const Ref<Instance> key = all.instance(node);
      key->set_attribute(*text("dict"), by_key);
      by_key->set(key, number(i));
      const Ref<Instance> item = all.instance(node);
      item->set_attribute(*text("set"), set);
      (void)set->add(item);
    }
    const Ref<Dict> viewed = all.dict();
    viewed->set(number(1), viewed->keys());
    viewed->set(number(2), viewed->items());
    const Ref<Instance> in_frozen = all.instance(node);
    in_frozen->set_attribute(*text("set"), all.frozenset({in_frozen, number(1)}));
    const Ref<List> of_tuple = all.list();
    of_tuple->append(all.tuple({of_tuple, number(1)}));
    of_tuple->append(iterate(*of_tuple));
    heap.verify();
  }
  EXPECT_GT(live(heap), before + class_made + 6000);
  (void)collector.collect();
  EXPECT_EQ(live(heap), before + class_made);
  heap.verify();
}

TEST_F(Containers, LiveOnWhenACollectionRunsAtEachAllocation) {
  Collector collector(heap);
  collector.collect_at_allocations(1);
  const Ref<Dict> dict = all.dict();
  for (int i = 0; i < 60; ++i) {
    const Ref<List> list = all.list({dict});
    list->append(text("some text"));
    dict->set(text(std::to_string(i).c_str()), all.tuple({list, number(1000 + i)}));
  }
  const Ref<Dict> copy = dict->copy();
  EXPECT_TRUE(rich_compare(*dict, *dict, CompareOperator::equal));
  EXPECT_EQ(copy->size(), 60U);
  dict->clear();
}

TEST_F(Containers, InstancesHaveAttributes) {
  Type& point = all.define_class("Point");
  Type& named = all.define_class(
      "Named",
      {.repr =
           [](const Object& object) {
             const auto& self = static_cast<const Instance&>(object);
             return "<" + repr(*self.attribute(*Builtins::of(object).intern("name"))) + ">";
           }},
      &point);
  const Ref<Instance> instance = all.instance(named);
  EXPECT_TRUE(is<Instance>(*instance));
  EXPECT_TRUE(instance->type().is_subtype_of(point));
  instance->set_attribute(*text("name"), text("p"));
  instance->set_attribute(*text("x"), number(3));
  EXPECT_EQ(repr(*instance), "<'p'>");
  EXPECT_EQ(repr(*instance->attributes()), "{'name': 'p', 'x': 3}");
  EXPECT_TRUE(is_exactly<Str>(*next_of(*iterate(*instance->attributes()))));
  instance->delete_attribute(*text("x"));
  try {
    (void)instance->attribute(*text("x"));
    ADD_FAILURE();
  } catch (const AttributeError& error) {
    EXPECT_STREQ(error.what(), "'Named' object has no attribute 'x'");
  }
  EXPECT_THROW(instance->delete_attribute(*text("x")), AttributeError);
  EXPECT_EQ(repr(*all.instance(point)).substr(0, 19), "<Point object at 0x");
  EXPECT_THROW((void)all.define_class("No", {}, &heap.type<Int>()), TypeError);
  EXPECT_THROW((void)all.define_class("\xFF"), ValueError);
  EXPECT_THROW((void)all.define_class(std::string_view("a\0b", 3)), ValueError);
  const std::string long_name(1000, 'n');
  EXPECT_EQ(repr(*all.instance(all.define_class(long_name))).substr(0, 1014),
            "<" + long_name + " object at 0x");
  Ref<Instance> weakly = all.instance(point);
  const Weak<Instance> weak = weakly;
  weakly = nullptr;
  EXPECT_TRUE(weak.is_dead());
}

}  // namespace
}  // namespace tarn::test
