// Random graphs beside a model that counts references by hand: the same objects live, with the same counts.

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/assert.h"
#include "object/heap_state.h"
#include "object/kinds.h"

namespace tarn::test {
namespace {

struct Thing : Object {
  explicit Thing(std::size_t its_number) : number(its_number) {}
  std::size_t number;
  Member<Thing> left;
  std::vector<Member<Thing>> more;
  static constexpr auto members = tarn::members(&Thing::left, &Thing::more);
};

struct ModelThing {
  Count count = 0;
  std::size_t left = 0;  // 0: none
  std::vector<std::size_t> more;
};

class Model {
 public:
  std::map<std::size_t, ModelThing> things;

  void take(std::size_t number) {
    if (number != 0) {
      ++things.at(number).count;
    }
  }
  void drop(std::size_t number) {
    std::vector<std::size_t> to_drop{number};
    while (!to_drop.empty()) {
      const std::size_t next = to_drop.back();
      to_drop.pop_back();
      if (next != 0 && --things.at(next).count == 0) {
        to_drop.push_back(things.at(next).left);
        const auto& more = things.at(next).more;
        to_drop.insert(to_drop.end(), more.begin(), more.end());
        things.erase(next);
      }
    }
  }
};

std::size_t number_of(const Ref<Thing>& thing) { return thing ? thing->number : 0; }

void run(std::uint64_t seed, int steps, int verify_each, bool hear_of_all) {
  std::mt19937_64 random(seed);
  ObjectHeap heap;
  object::HeapState::of(heap).pools().hear_of_all(hear_of_all);
  Model model;
  std::vector<Ref<Thing>> roots(40);
  std::map<std::size_t, Weak<Thing>> weak;
  std::size_t last = 0;
  const auto root = [&]() -> Ref<Thing>& { return roots[random() % roots.size()]; };
  const auto assign = [&](Ref<Thing>& to, const Ref<Thing>& from) {
    const std::size_t old = number_of(to);
    model.take(number_of(from));
    to = from;
    model.drop(old);
  };
  for (int step = 0; step < steps; ++step) {
    switch (random() % 8) {
      case 0:
      case 1: {
        Ref<Thing>& place = root();
        const std::size_t old = number_of(place);
        model.things[++last].count = 1;
        place = heap.make<Thing>(last);
        weak[last] = place;
        model.drop(old);
        break;
      }
      case 2:
        assign(root(), nullptr);
        break;
      case 3:
        assign(root(), root());
        break;
      case 4:
      case 5:
        if (Ref<Thing> owner = root()) {
          ModelThing& entry = model.things.at(owner->number);
          const Ref<Thing> target = root();
          const std::size_t old = entry.left;
          model.take(number_of(target));
          entry.left = number_of(target);
          owner->left = target;
          model.drop(old);
        }
        break;
      case 6:
        if (Ref<Thing> owner = root()) {
          if (const Ref<Thing> target = root()) {
            owner->more.push_back(target);
            model.take(target->number);
            model.things.at(owner->number).more.push_back(target->number);
          }
        }
        break;
      default:
        if (Ref<Thing> owner = root(); owner && !owner->more.empty()) {
          ModelThing& entry = model.things.at(owner->number);
          const std::size_t index = random() % owner->more.size();
          const std::size_t old = entry.more[index];
          entry.more.erase(entry.more.begin() + static_cast<std::ptrdiff_t>(index));
          owner->more.erase(owner->more.begin() + static_cast<std::ptrdiff_t>(index));
          model.drop(old);
        }
    }
    if (step % verify_each == 0) {
      heap.verify();
      ASSERT_EQ(live(heap), model.things.size()) << "seed " << seed << " step " << step;
      for (auto& [number, reference] : weak) {
        const Ref<Thing> alive = reference.lock();
        const auto found = model.things.find(number);
        ASSERT_EQ(alive != nullptr, found != model.things.end()) << "seed " << seed;
        if (alive) {
          ASSERT_EQ(alive->number, number);
          ASSERT_EQ(alive->reference_count() - 1, found->second.count);
        }
      }
      if (step % (4 * verify_each) == 0) {
        heap.release();
        heap.verify();
      }
    }
  }
}

// Unoptimised and instrumented builds are some thirty times slower.
constexpr int effort = tarn_debug_checks ? 1 : 5;

TEST(RandomObjects, AgreeWithTheModelAfterEachStepWhileFew) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    run(seed, 300 * effort, 1, seed == 2);
  }
}

TEST(RandomObjects, AgreeWithTheModelWhenMany) { run(7, 20000 * effort, 4000, false); }

}  // namespace
}  // namespace tarn::test
