// Random operations on a dict, a set and a list beside the standard library's, with verify() after each.
#include <array>
#include <list>
#include <map>
#include <random>

#include <tarn/gc.h>

#include "base/assert.h"
#include "builtins/setups.h"

namespace tarn::test {
namespace {

// Unoptimised and instrumented builds are some thirty times slower.
constexpr int effort = tarn_debug_checks ? 1 : 5;

class Models : public BuiltinsTest {};

// Keys whose hashes collide often.
struct Colliding : Object {
  explicit Colliding(std::int64_t its_value) : value(its_value) {}
  [[nodiscard]] std::size_t hash() const { return static_cast<std::size_t>(value % 5) << 40; }
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const {
    if (!is<Colliding>(other) || comparison != CompareOperator::equal) {
      return Comparison::not_implemented;
    }
    return static_cast<const Colliding&>(other).value == value ? Comparison::yes : Comparison::no;
  }
  std::int64_t value;
};

TEST_F(Models, ADictAgreesWithOne) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    const auto range = static_cast<std::int64_t>(seed % 3 == 0 ? 12 : seed % 3 == 1 ? 60 : 700);
    const Ref<Dict> dict = all.dict();
    std::list<std::pair<std::int64_t, std::int64_t>> model;  // in order
    const auto key_of = [&](std::int64_t value) -> Ref<Object> {
      return seed % 2 == 0 ? Ref<Object>(number(value * 1000))
                           : Ref<Object>(heap.make<Colliding>(value));
    };
    const auto find = [&](std::int64_t key) {
      return std::find_if(model.begin(), model.end(),
                          [&](const auto& pair) { return pair.first == key; });
    };
    for (int step = 0; step < 1500 * effort; ++step) {
      const auto key = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range));
      const auto found = find(key);
      const Ref<Object> object = key_of(key);
      switch (random() % 8) {
        case 0:
        case 1:
        case 2:
          dict->set(object, number(step));
          if (found == model.end()) {
            model.emplace_back(key, step);
          } else {
            found->second = step;
          }
          break;
        case 3:
        case 4:
          if (found == model.end()) {
            ASSERT_THROW(dict->erase(*object), KeyError);
          } else {
            ASSERT_EQ(static_cast<Int&>(*dict->pop(*object)).word(), found->second);
            model.erase(found);
          }
          break;
        case 5:
          if (!model.empty()) {
            ASSERT_EQ(static_cast<Int&>(*dict->pop_item()->at(1)).word(), model.back().second);
            model.pop_back();
          }
          break;
        case 6:
          if (random() % 200 == 0) {
            dict->clear();
            model.clear();
          }
          break;
        default:
          ASSERT_EQ(dict->contains(*object), found != model.end());
      }
      dict->verify();
      ASSERT_EQ(dict->size(), model.size()) << "seed " << seed << " step " << step;
      if (step % 50 == 0) {
        auto expected = model.begin();
        for (const Ref<Object>& value : each(*dict->copy()->iterate_values())) {
          ASSERT_EQ(static_cast<Int&>(*value).word(), (expected++)->second)
              << "seed " << seed << " step " << step;
        }
        ASSERT_EQ(expected, model.end());
      }
    }
  }
}

TEST_F(Models, AListAgreesWithAVector) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 random(seed);
    const Ref<List> list = all.list();
    std::vector<std::int64_t> model;
    for (int step = 0; step < 2000 * effort; ++step) {
      const std::size_t at = model.empty() ? 0 : random() % model.size();
      const auto place = static_cast<std::ptrdiff_t>(at);
      switch (random() % 8) {
        case 0:
        case 1:
          list->append(number(step));
          model.push_back(step);
          break;
        case 2:
          list->insert(place, number(step));
          model.insert(model.begin() + place, step);
          break;
        case 3:
          if (!model.empty()) {
            ASSERT_EQ(static_cast<Int&>(*list->pop(place)).word(), model[at]);
            model.erase(model.begin() + place);
          }
          break;
        case 4: {
          const std::size_t count = std::min<std::size_t>(random() % 5, model.size() - at);
          const auto end = static_cast<std::ptrdiff_t>(at + count);
          list->set_slice({.start = place, .stop = end}, *all.tuple({number(1), number(2)}));
          model.erase(model.begin() + place, model.begin() + end);
          model.insert(model.begin() + place, {1, 2});
          break;
        }
        case 5:
          if (random() % 100 == 0) {
            list->sort();
            std::sort(model.begin(), model.end());
          }
          break;
        case 6:
          if (random() % 100 == 0) {
            list->erase_slice({.start = place});
            model.resize(at);
          }
          break;
        default:
          if (!model.empty()) {
            list->set(place - static_cast<std::ptrdiff_t>(model.size()), number(step));
            model[at] = step;
          }
      }
      list->verify();
      ASSERT_EQ(list->size(), model.size()) << "seed " << seed << " step " << step;
      for (std::size_t i = step % 20 == 0 ? 0 : at; i < model.size() && (step % 20 == 0 || i == at);
           ++i) {
        ASSERT_EQ(static_cast<Int&>(*list->at(static_cast<Index>(i))).word(), model[i])
            << "seed " << seed;
      }
    }
  }
}

// Instances of a few classes; what runs in the middle of an allocation changes one, too.
TEST_F(Models, InstancesAgreeWithListsOfPairs) {
  using Model = std::list<std::pair<std::string, std::int64_t>>;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::mt19937_64 random(seed);
    Collector collector(heap, {.automatic = false});
    const auto below = [&](std::size_t bound) {
      return static_cast<std::size_t>(random() % bound);
    };
    std::vector<Type*> types;
    for (int i = 0; i < 3; ++i) {
      types.push_back(&all.define_class("Class" + std::to_string(i)));
    }
    std::vector<Ref<Str>> names;
    for (std::size_t i = 0, count = std::array{3, 6, 12, 45}[seed % 4]; i < count; ++i) {
      names.push_back(all.intern("name" + std::to_string(i)));
    }
    std::vector<std::pair<Ref<Instance>, Model>> all_of_them(10);
    for (auto& [instance, model] : all_of_them) {
      instance = all.instance(*types[below(types.size())]);
    }
    const auto find = [](Model& model, const Str& name) {
      return std::find_if(model.begin(), model.end(),
                          [&](const auto& pair) { return pair.first == name.utf8(); });
    };
    std::int64_t step = 0;
    const auto change = [&](std::size_t which) {
      auto& [instance, model] = all_of_them[which];
      const Ref<Instance> held = instance;
      // In order most of the time, as programs have it.
      const Str& name =
          *names[below(4) != 0 && model.size() < names.size() ? model.size() : below(names.size())];
      switch (below(12)) {
        case 0: {
          const bool was_there = find(model, name) != model.end();
          try {
            held->delete_attribute(name);
            if (held != instance) {
              break;  // another one has taken its place meanwhile
            }
            const auto found = find(model, name);
            ASSERT_NE(found, model.end());
            model.erase(found);
          } catch (const AttributeError&) {
            ASSERT_TRUE(!was_there || held != instance || find(model, name) == model.end());
          }
          break;
        }
        case 1:
          if (below(20) == 0) {
            (void)held->attributes();
          }
          break;
        case 2:
          instance = all.instance(*types[below(types.size())]);
          model.clear();
          break;
        case 3: {
          const auto found = find(model, name);
          const Ref<Object> value = held->find_attribute(name);
          ASSERT_EQ(value != nullptr, found != model.end());
          if (value) {
            ASSERT_EQ(static_cast<Int&>(*value).word(), found->second);
          }
          break;
        }
        default: {
          const std::int64_t value = 1000 + ++step;
          held->set_attribute(name, number(value));
          if (held != instance) {
            break;
          }
          if (const auto found = find(model, name); found != model.end()) {
            found->second = value;
          } else {
            model.emplace_back(name.utf8(), value);
          }
        }
      }
      held->verify();
    };
    std::size_t changed_meanwhile = all_of_them.size();
    collector.call_before([&](const Collection&) {
      if (changed_meanwhile < all_of_them.size()) {
        collector.collect_at_allocations(0);
        change(std::exchange(changed_meanwhile, all_of_them.size()));
      }
    });
    for (int round = 0; round < 1500 * effort; ++round) {
      const std::size_t which = below(all_of_them.size());
      if (below(3) == 0) {
        changed_meanwhile = below(2) == 0 ? which : below(all_of_them.size());
        collector.collect_at_allocations(1 + below(3));
      }
      ASSERT_NO_FATAL_FAILURE(change(which)) << "seed " << seed << " round " << round;
      changed_meanwhile = all_of_them.size();
      collector.collect_at_allocations(0);
      if (round % 20 == 0) {
        auto& [instance, model] = all_of_them[below(all_of_them.size())];
        std::string expected = "{";
        for (const auto& [name, value] : model) {
          expected += (expected.size() == 1 ? "'" : ", '") + name + "': " + std::to_string(value);
        }
        ASSERT_EQ(repr(*instance->attributes()), expected + "}")
            << "seed " << seed << " round " << round;
        instance = all.instance(*types[below(types.size())]);
        model.clear();
      }
    }
    heap.verify();
  }
}

}  // namespace
}  // namespace tarn::test
