// Objects that die one after the other, in the midst of collections.
#include <chrono>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/gc.h>

#include "object/heap_state.h"

namespace tarn::test {
namespace {

using std::chrono::nanoseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr unsigned seeds = 60;
constexpr int links = 5'000;
#else
constexpr unsigned seeds = 600;
constexpr int links = 100'000;
#endif

struct Twig final : Object {
  Member<Twig> left;
  Member<Twig> right;
  std::size_t number = 0;
  static constexpr auto members = tarn::only_members(&Twig::left, &Twig::right);
};
static_assert(sizeof(Twig) == 40);

class Twigs {
 public:
  explicit Twigs(unsigned seed) : random_(seed) {}

  void step() {
    Ref<Twig>& root = roots_[random_() % roots_.size()];
    const Ref<Twig>& other = roots_[random_() % roots_.size()];
    switch (random_() % 8) {
      case 0:
      case 1:
        root = heap.make<Twig>();
        root->number = ++last_;
        root->left = other;
        break;
      case 2:
      case 3:
      case 4:
        if (const Ref<Twig> from = walk(root)) {
          (random_() % 2 == 0 ? from->left : from->right) = walk(other);
        }
        break;
      case 5:
        root = walk(root);
        break;
      case 6:
        // Moved out of the object, without a count: what was condemned may be the program's again.
        if (root && random_() % 2 == 0) {
          root = root->right.take();
        }
        break;
      default:
        root = nullptr;
    }
  }

  [[nodiscard]] std::set<std::size_t> alive() const {
    std::set<std::size_t> numbers;
    heap.for_each_object([&](Object& object) {
      if (is<Twig>(object)) {
        numbers.insert(static_cast<const Twig&>(object).number);
      }
    });
    return numbers;
  }

  [[nodiscard]] std::set<std::size_t> reachable() const {
    std::set<std::size_t> numbers;
    std::vector<const Twig*> left;
    const auto reach = [&](const Twig* twig) {
      if (twig != nullptr && numbers.insert(twig->number).second) {
        left.push_back(twig);
      }
    };
    for (const Ref<Twig>& root : roots_) {
      reach(root.get());
    }
    while (!left.empty()) {
      const Twig* const twig = left.back();
      left.pop_back();
      reach(twig->left.get());
      reach(twig->right.get());
    }
    return numbers;
  }

  void expect_reachable_alive() const {
    const std::set<std::size_t> there = alive();
    for (const std::size_t number : reachable()) {
      EXPECT_TRUE(there.contains(number)) << number;
    }
  }

  ObjectHeap heap{{.reserved_bytes = std::size_t{1} << 26}};
  Collector collector{heap, {.automatic = false}};

 private:
  [[nodiscard]] Ref<Twig> walk(Ref<Twig> at) {
    for (auto left = random_() % 4; at && left > 0; --left) {
      Ref<Twig> next = random_() % 2 == 0 ? at->left : at->right;
      at = std::move(next);
    }
    return at;
  }

  std::mt19937 random_;
  std::vector<Ref<Twig>> roots_{6};
  std::size_t last_ = 0;
};

TEST(OnlyMembersInCollections, ExactlyWhatIsReachableIsLeft) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Twigs twigs(seed);
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 100; ++i) {
        twigs.step();
      }
      twigs.collector.collect();
      ASSERT_EQ(twigs.alive(), twigs.reachable()) << seed;
      twigs.heap.verify();
      twigs.collector.verify();
    }
  }
}

TEST(OnlyMembersInCollections, InSlicesNothingReachableIsFreed) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Twigs twigs(seed);
    for (int slice = 0; slice < 200; ++slice) {
      for (unsigned i = 0; i < 1 + seed % 5; ++i) {
        twigs.step();
      }
      twigs.collector.collect(nanoseconds(seed % 3 * 1000));
      twigs.expect_reachable_alive();
    }
    twigs.collector.verify();
    twigs.heap.verify();
    twigs.collector.collect();
    ASSERT_EQ(twigs.alive(), twigs.reachable()) << seed;
    twigs.collector.verify();
  }
}

// A long cycle is condemned, and before that's proved right the program, who could still come by it, breaks it up: the
// collection hears of each link.
TEST(OnlyMembersInCollections, ALongChainOfCondemnedDiesBetweenSlices) {
  int times_condemned = 0;
  for (int after = 1;; ++after) {
    ObjectHeap heap;
    Collector collector(heap, {.automatic = false});
    Ref<Twig> first = heap.make<Twig>();
    Twig* const raw = first.get();
    Ref<Twig> at = first;
    for (int i = 0; i < links; ++i) {
      Ref<Twig> next = heap.make<Twig>();
      at->right = next;
      at = std::move(next);
    }
    at->left = first;
    at = nullptr;
    first = nullptr;
    for (int slices = 0; slices < after && !collector.collect(nanoseconds(200'000)); ++slices) {
    }
    if (!collector.is_under_way()) {
      break;
    }
    if (detail::Access::count(*raw) >= biased_most) {
      continue;  // not yet, or no longer
    }
    ++times_condemned;
    raw->right.take();
    heap.verify();
    collector.verify();
    while (!collector.collect(nanoseconds(200'000))) {
    }
    collector.collect();
    EXPECT_EQ(heap.statistics().objects, heap.statistics().types) << after;
    collector.verify();
    heap.verify();
  }
  EXPECT_GT(times_condemned, 0);
}

}  // namespace
}  // namespace tarn::test
