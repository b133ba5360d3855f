// Instances: attributes whose names are shared by the instances of a class.
#include <tarn/gc.h>

#include "builtins/setups.h"
#include "builtins/shared_keys.h"

namespace tarn::test {
namespace {

using builtins::ClassKeys;
using builtins::SharedKeys;

class Instances : public BuiltinsTest {
 protected:
  [[nodiscard]] Ref<Instance> made(Type& type, const std::vector<std::string>& names) {
    Ref<Instance> instance = all.instance(type);
    for (const std::string& name : names) {
      instance->set_attribute(*all.intern(name), number(1000));
      instance->verify();
    }
    return instance;
  }
  // Its attributes' names, in order; it stays as it is.
  [[nodiscard]] std::string order_of(const Instance& instance) const {
    std::string order;
    const std::vector<Ref<Object>> referents = collector.referents(instance);
    const auto& keys = static_cast<const SharedKeys&>(*referents.at(0));
    for (std::size_t i = 0; i < keys.size() && instance.find_attribute(keys.name(i)); ++i) {
      order += (i == 0 ? "" : " ") + std::string(keys.name(i).utf8());
    }
    return order;
  }
  // Runs when the next object is made.
  void meanwhile(std::function<void()> change) {
    change_ = std::move(change);
    collector.collect_at_allocations(1);
  }
  void SetUp() override {
    collector.call_before([this](const Collection&) {
      if (change_) {
        collector.collect_at_allocations(0);
        std::exchange(change_, nullptr)();
      }
    });
  }
  [[nodiscard]] bool has_changed() const { return !change_; }

  std::function<void()> change_;
  Collector collector{heap, {.automatic = false}};
  Type& point = all.define_class("Point");
};

const std::vector<std::string> four = {"x", "y", "label", "color"};

std::vector<std::string> names_to(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back("attribute_" + std::to_string(i));
  }
  return names;
}

TEST_F(Instances, WithFourAttributesTakeSixtyFourBytes) {
  const Ref<Instance> first = made(point, four);
  const Ref<Object> value = number(1000);
  const std::size_t before = heap.statistics().bytes;
  std::vector<Ref<Instance>> instances;
  for (int i = 0; i < 100; ++i) {
    instances.push_back(all.instance(point));
    for (const std::string& name : four) {
      instances.back()->set_attribute(*all.intern(name), value);
    }
    EXPECT_TRUE(instances.back()->shares_keys());
  }
  EXPECT_EQ(heap.statistics().bytes - before, 100U * 64);
}

TEST_F(Instances, HaveRoomForWhatTheirClassNeeds) {
  for (const int size : {5, 6, 8, 12, 20, 30}) {
    Type& type = all.define_class("Type" + std::to_string(size));
    const std::vector<std::string> names = names_to(size);
    const Ref<Instance> first = made(type, names);
    const Ref<Object> value = number(1000);
    const std::size_t before = heap.statistics().bytes;
    const Ref<Instance> second = all.instance(type);
    for (const std::string& name : names) {
      second->set_attribute(*all.intern(name), value);
      second->verify();
    }
    const auto beyond = static_cast<std::size_t>(size) - Instance::values_inside;
    EXPECT_EQ(heap.statistics().bytes - before, 64 + (32 + beyond * 8 + 15) / 16 * 16);
    EXPECT_TRUE(second->shares_keys());
  }
}

TEST_F(Instances, KeepTheOrderInWhichAttributesCame) {
  const Ref<Instance> xy = made(point, {"x", "y", "z"});
  const Ref<Instance> yx = made(point, {"y", "x", "z"});
  const Ref<Instance> xz = made(point, {"x", "z", "y"});
  EXPECT_EQ(order_of(*xy), "x y z");
  EXPECT_EQ(order_of(*yx), "y x z");
  EXPECT_EQ(order_of(*xz), "x z y");
  EXPECT_EQ(repr(*xz->attributes()), "{'x': 1000, 'z': 1000, 'y': 1000}");
  EXPECT_FALSE(xz->shares_keys());
  xz->verify();
  EXPECT_EQ(repr(*xy->attributes()), "{'x': 1000, 'y': 1000, 'z': 1000}");
  EXPECT_EQ(order_of(*made(point, {"x", "z", "y", "more"})), "x z y more");
}

TEST_F(Instances, PutAnAttributeThatWasDeletedAtTheEnd) {
  for (const bool is_last : {true, false}) {
    for (const int size : {1, 2, 4, 5, 9}) {
      const std::vector<std::string> names = names_to(size);
      const Ref<Instance> instance = made(point, names);
      const std::string name = is_last ? names.back() : names.front();
      instance->delete_attribute(*text(name.c_str()));
      instance->verify();
      EXPECT_EQ(instance->shares_keys(), is_last || size == 1);
      EXPECT_EQ(instance->find_attribute(*text(name.c_str())), nullptr);
      EXPECT_THROW(instance->delete_attribute(*text(name.c_str())), AttributeError);
      instance->set_attribute(*text("between"), number(1));
      instance->set_attribute(*text(name.c_str()), number(2));
      instance->verify();
      const std::string shown = repr(*instance->attributes());
      const std::string end = "'between': 1, '" + name + "': 2}";
      EXPECT_EQ(shown.substr(shown.size() - end.size()), end);
      EXPECT_EQ(instance->attributes()->size(), static_cast<std::size_t>(size) + 1);
    }
  }
}

TEST_F(Instances, HaveADictThatIsAlive) {
  const Ref<Instance> instance = made(point, four);
  const Ref<Dict> dict = instance->attributes();
  EXPECT_EQ(instance->attributes(), dict);
  const Ref<Object> iterator = iterate(*dict);
  (void)next_of(*iterator);
  instance->set_attribute(*text("x"), number(7));  // no change of its keys
  (void)next_of(*iterator);
  instance->set_attribute(*text("another"), number(7));
  EXPECT_THROW((void)next_of(*iterator), RuntimeError);
  dict->set(text("by the dict"), number(8));
  EXPECT_EQ(repr(*instance->attribute(*text("by the dict"))), "8");
  dict->clear();
  EXPECT_EQ(instance->find_attribute(*text("x")), nullptr);
  instance->set_attribute(*text("y"), number(9));
  EXPECT_EQ(repr(*dict), "{'y': 9}");
  instance->verify();
  const Ref<Dict> of_none = all.instance(point)->attributes();  // outlives its instance
  EXPECT_EQ(of_none->size(), 0U);
}

TEST_F(Instances, FindNamesThatAreNotInterned) {
  const Ref<Instance> instance = all.instance(point);
  for (const std::string& name : four) {
    instance->set_attribute(*text(name.c_str()), text(name.c_str()));
  }
  for (const std::string& name : four) {
    const Ref<Str> other = text(name.c_str());
    ASSERT_EQ(other->is_interned(), name.size() == 1);
    EXPECT_EQ(static_cast<Str&>(*instance->attribute(*other)).utf8(), name);
  }
  EXPECT_EQ(instance->find_attribute(*text("no such")), nullptr);
  instance->set_attribute(*text("x"), number(5));
  EXPECT_EQ(repr(*instance->attribute(*text("x"))), "5");
  instance->verify();
}

// A class as a namespace: what it was used for once is in no instance's way.
TEST_F(Instances, AreNoLargerForAClassWithVeryManyNames) {
  const Ref<Instance> large = all.instance(point);
  const std::vector<std::string> names = names_to(10'000);
  for (const std::string& name : names) {
    large->set_attribute(*all.intern(name), all.none());
  }
  EXPECT_FALSE(large->shares_keys());
  EXPECT_EQ(large->attributes()->size(), 10'000U);
  std::vector<Ref<Instance>> instances;
  for (const std::string& name : names) {
    const std::size_t before = heap.statistics().bytes;
    instances.push_back(all.instance(point));
    instances.back()->set_attribute(*all.intern(name), all.none());
    EXPECT_LE(heap.statistics().bytes - before,
              64U + 336);  // with what may be a new table or a dict
  }
  large->verify();
  instances.clear();
  const Ref<Instance> usual = made(point, {names[0], names[1], "x", "y"});
  EXPECT_TRUE(usual->shares_keys());
}

TEST_F(Instances, LetGoOfNamesThatNoneOfThemHas) {
  for (const std::string& name : names_to(10'000)) {
    const Ref<Instance> instance = made(point, {name, "y"});
    EXPECT_TRUE(instance->shares_keys());
  }
  EXPECT_LE(all.interned(), ClassKeys::most_tables * 2);
  made(point, four)->verify();
}

TEST_F(Instances, ThatWentManyWaysHaveDicts) {
  std::vector<Ref<Instance>> instances;
  std::size_t sharing = 0;
  for (const std::string& name : names_to(40)) {
    instances.push_back(made(point, {"x", name, "y"}));
    sharing += instances.back()->shares_keys() ? 1U : 0U;
    EXPECT_EQ(repr(*instances.back()->attribute(*text(name.c_str()))), "1000");
  }
  EXPECT_EQ(sharing, ClassKeys::most_tables);
  instances.resize(5);  // others' places are free again
  EXPECT_TRUE(made(point, {"x", "another way"})->shares_keys());
  instances[0]->verify();
}

TEST_F(Instances, OfDerivedClassesHaveNamesOfTheirOwn) {
  Type& derived = all.define_class("Derived", {}, &point);
  const Ref<Instance> instance = made(derived, {"z"});
  EXPECT_EQ(order_of(*made(point, {"x"})), "x");
  EXPECT_EQ(order_of(*instance), "z");
}

// Whoever makes a type by himself, or an Instance without a class, has dicts.
TEST_F(Instances, OfTypesThatShareNothingHaveDicts) {
  TypeSpec spec;
  spec.name = "Bare";
  spec.base = &point;
  spec.basic_size = sizeof(Instance);
  const Ref<Instance> bare = heap.make_as<Instance>(heap.make_type(spec));
  const Ref<Instance> plain = heap.make<Instance>();
  for (const Ref<Instance>& instance : {bare, plain}) {
    instance->set_attribute(*text("x"), number(1));
    EXPECT_FALSE(instance->shares_keys());
    EXPECT_EQ(repr(*instance->attributes()), "{'x': 1}");
    instance->verify();
  }
}

TEST_F(Instances, AreWholeWhenAValueDies) {
  int deaths = 0;
  for (const int size : {1, 4, 5, 12, 31}) {
    const std::vector<std::string> names = names_to(size);
    const Ref<Instance> instance = made(point, names);
    const Ref<Str> changed = all.intern(names.back());
    const auto witness = [&](std::function<void()> then) {
      return heap.make<Witness>([&, then] {
        ++deaths;
        instance->verify();
        then();
        instance->verify();
      });
    };
    instance->set_attribute(*changed, witness([&] {
      EXPECT_EQ(repr(*instance->attribute(*changed)), "1");
      instance->set_attribute(*text("by the dead"), number(5));
    }));
    instance->set_attribute(*changed, number(1));
    EXPECT_EQ(repr(*instance->attribute(*text("by the dead"))), "5");
    instance->delete_attribute(*text("by the dead"));
    instance->set_attribute(*changed, witness([&] {
      EXPECT_EQ(instance->find_attribute(*changed), nullptr);
      instance->set_attribute(*changed, number(6));
    }));
    instance->delete_attribute(*changed);
    EXPECT_EQ(repr(*instance->attribute(*changed)), "6");
    instance->set_attribute(*changed, witness([&] { (void)instance->attributes(); }));
    instance->set_attribute(*changed, number(7));
    EXPECT_EQ(repr(*instance->attribute(*changed)), "7");
    EXPECT_EQ(instance->attributes()->size(), static_cast<std::size_t>(size));
  }
  EXPECT_EQ(deaths, 15);
}

// Code of the program's that runs while the instance makes a table, an array or a dict.
TEST_F(Instances, MayChangeWhileTheyMakeRoom) {
  int changes = 0;
  for (const int size : {0, 1, 3, 4, 6, 8, 29, 30, 40}) {
    const std::vector<std::string> names = names_to(size);
    for (int how = 0; how < 8; ++how) {
      for (const bool asks_dict : {false, true}) {
        Type& type = all.define_class("Changing");
        const Ref<Instance> instance = made(type, names);
        const Ref<Str> added = all.intern("added");
        const Ref<Str> other = all.intern("other");
        std::vector<Ref<Instance>> others;
        meanwhile([&] {
          ++changes;
          if (how == 0) {
            instance->set_attribute(*added, number(1));
          } else if (how == 1) {
            instance->set_attribute(*other, number(1));
          } else if (how == 2) {
            (void)instance->attributes();
          } else if (how == 3 && size > 0) {
            instance->delete_attribute(*text(names.back().c_str()));
          } else if (how == 4) {
            others.push_back(made(type, names));
            others.back()->set_attribute(*added, number(1));
          } else if (how == 5) {
            for (const std::string& name : names_to(40)) {
              others.push_back(made(type, {name}));
            }
          } else if (how == 7) {
            for (int i = 0; i < 20; ++i) {  // more than there will be room for
              instance->set_attribute(*all.intern("other_" + std::to_string(i)), number(1));
            }
          } else if (how == 6 && size > 0) {
            instance->delete_attribute(*text(names.front().c_str()));
            for (const std::string& name : names_to(12)) {
              instance->set_attribute(*all.intern(name), number(1));
            }
          }
          instance->verify();
        });
        if (asks_dict) {
          (void)instance->attributes();
        }
        instance->set_attribute(*added, number(2));
        instance->verify();
        EXPECT_EQ(repr(*instance->attribute(*added)), "2") << size << ' ' << how;
        EXPECT_EQ(instance->find_attribute(*other) != nullptr, how == 1 && has_changed());
        const auto had = static_cast<std::size_t>(size);
        if (how != 6 && has_changed()) {
          EXPECT_EQ(instance->attributes()->size(), how == 1               ? had + 2
                                                    : how == 7             ? had + 21
                                                    : how == 3 && size > 0 ? had
                                                                           : had + 1);
        }
        meanwhile(nullptr);
        collector.collect_at_allocations(0);
      }
    }
  }
  EXPECT_GT(changes, 80);
}

TEST_F(Instances, ThatAreDeletedFromWhileADictIsMadeSaySo) {
  const Ref<Instance> instance = made(point, four);
  meanwhile([&] { instance->delete_attribute(*text("x")); });
  EXPECT_THROW(instance->delete_attribute(*text("x")), AttributeError);
  instance->verify();
  EXPECT_EQ(instance->attributes()->size(), 3U);
}

TEST_F(Instances, InCyclesAreCollected) {
  const std::vector<std::string> many = names_to(20);
  const auto cycle = [&](int how) {
    const Ref<Instance> instance = made(point, how == 0 ? four : many);
    instance->set_attribute(*all.intern(how == 0 ? four[2] : many[17]), instance);
    if (how == 2) {
      (void)instance->attributes();
    }
    instance->verify();
    return Weak<Instance>(instance);
  };
  for (int how = 0; how < 3; ++how) {
    (void)cycle(how);
  }
  (void)collector.collect();
  const std::size_t before = live(heap);
  for (const bool in_slices : {false, true}) {
    std::vector<Weak<Instance>> watched;
    for (int i = 0; i < 300; ++i) {
      watched.push_back(cycle(i % 3));
    }
    EXPECT_FALSE(watched[0].is_dead());
    heap.verify();
    if (in_slices) {
      while (!collector.collect(std::chrono::nanoseconds(1))) {
        made(point, four)->verify();
      }
      EXPECT_FALSE(collector.last().gave_up);
    } else {
      (void)collector.collect();
    }
    for (const Weak<Instance>& one : watched) {
      EXPECT_TRUE(one.is_dead());
    }
    heap.verify();
    EXPECT_EQ(live(heap), before);
  }
}

// Whose death, amid the clearing of garbage, does something to its instance.
TEST_F(Instances, AreWholeWhileTheyAreCleared) {
  const std::vector<std::string> many = names_to(12);
  int deaths = 0;
  const auto garbage = [&](int how, int place) {
    const Ref<Instance> instance = made(point, many);
    instance->set_attribute(*all.intern(many[5]), instance);
    const Ref<Str> name = all.intern(many[static_cast<std::size_t>(place)]);
    instance->set_attribute(*name, heap.make<Witness>([&, how, place, raw = instance.get()] {
      ++deaths;
      if (place < 4) {  // with the instance's own values, all of which are gone
        EXPECT_FALSE(raw->shares_keys());
        EXPECT_EQ(raw->find_attribute(*text("attribute_2")), nullptr);
        raw->verify();
      }
      if (how == 0) {
        (void)raw->find_attribute(*text("attribute_3"));
      } else if (how == 1) {
        raw->set_attribute(*text("attribute_0"), number(1));
        raw->set_attribute(*text("attribute_9"), number(1));
        raw->set_attribute(*text("another"), number(1));
      } else if (how == 2) {
        (void)repr(*raw->attributes());
        raw->verify();
      } else if (raw->find_attribute(*text("attribute_2"))) {
        raw->delete_attribute(*text("attribute_2"));
      }
    }));
  };
  for (int how = 0; how < 4; ++how) {
    for (const int place : {0, 1, 3, 4, 11}) {
      garbage(how, place);
      (void)collector.collect();
      heap.verify();
    }
  }
  (void)collector.collect();
  EXPECT_EQ(deaths, 20);
  heap.verify();
}

TEST_F(Instances, AreTheReferrersOfTheirValues) {
  const Ref<Instance> instance = made(point, names_to(6));
  const Ref<List> inside = all.list();
  const Ref<List> beyond = all.list();
  instance->set_attribute(*text("attribute_3"), inside);
  instance->set_attribute(*text("attribute_5"), beyond);
  const auto referrers = collector.referrers(*inside);
  ASSERT_EQ(referrers.size(), 1U);
  EXPECT_EQ(referrers[0], instance);
  const auto holders = collector.referrers(*beyond);
  ASSERT_EQ(holders.size(), 1U);
  EXPECT_EQ(collector.referrers(*holders[0]).at(0), instance);
  EXPECT_EQ(collector.referents(*instance).size(), 6U);  // the names, the array, four values
}

// Which attributes an instance had when memory was short, it has, and one more or not.
TEST_F(Instances, StayAsTheyWereWhenMemoryIsShort) {
  object::HeapState& state = object::HeapState::of(heap);
  std::size_t failures = 0;
  bool done = false;
  for (std::size_t nth = 1; !done; ++nth) {
    Type& type = all.define_class("Short");
    const Ref<Instance> instance = all.instance(type);
    const Ref<Instance> other = all.instance(type);
    std::size_t has = 0;
    std::vector<std::string> expected;
    state.pools().hear_of_all(true);
    state.fail_the(nth);
    done = true;
    const auto attempt = [&](auto action) {
      try {
        action();
        return true;
      } catch (const std::bad_alloc&) {
        ++failures;
        done = false;
        return false;
      }
    };
    for (const std::string& name : names_to(34)) {
      has += attempt([&] { instance->set_attribute(*text(name.c_str()), all.none()); }) ? 1U : 0U;
      instance->verify();
    }
    (void)attempt([&] { other->set_attribute(*text("attribute_3"), all.none()); });
    (void)attempt([&] { other->set_attribute(*text("attribute_1"), all.none()); });
    (void)attempt([&] { other->set_attribute(*text("attribute_2"), all.none()); });
    other->verify();
    const Ref<Str> third = all.intern("attribute_3");
    const bool is_gone =
        !other->find_attribute(*third) || attempt([&] { other->delete_attribute(*third); });
    other->verify();
    state.fail_the(0);
    state.pools().hear_of_all(false);
    EXPECT_EQ(instance->attributes()->size(), has);
    EXPECT_EQ(other->find_attribute(*third) == nullptr, is_gone) << nth;
    ASSERT_LT(nth, 500U);
    if (!done) {
      EXPECT_EQ(failures, nth);
    }
  }
  EXPECT_GT(failures, 40U);
}

TEST(InstancesOfAHeap, AreFoundByOthersBuiltinsNames) {
  ObjectHeap heap;
  Type* type = nullptr;
  Ref<Instance> instance;
  {
    Builtins all(heap, {.hash_seed = 5});
    type = &all.define_class("Old");
    instance = all.instance(*type);
    instance->set_attribute(*all.string("x"), all.list());
    instance->set_attribute(*all.string("y"), all.list());
  }
  Builtins all(heap, {.hash_seed = 5});
  const Ref<Str> x = all.intern("x");
  EXPECT_NE(instance->find_attribute(*x), nullptr);
  const Ref<Instance> second = all.instance(*type);
  second->set_attribute(*x, all.none());
  second->set_attribute(*all.intern("y"), all.none());
  second->set_attribute(*all.intern("x"), all.list());
  second->verify();
  EXPECT_EQ(repr(*second->attributes()), "{'x': [], 'y': None}");
  instance->delete_attribute(*x);
  EXPECT_EQ(repr(*instance->attributes()), "{'y': []}");
  instance->verify();
  heap.verify();
}

}  // namespace
}  // namespace tarn::test
