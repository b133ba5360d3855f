// The lock: one at a time, in the order of asking, nobody starved.

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include <tarn/gil.h>

#include "object/kinds.h"

namespace tarn::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(GilTest, LetsOneThreadInAtATime) {
  Gil gil;
  gil.set_switch_interval(std::chrono::microseconds(50));
  int inside = 0;
  std::size_t sum = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const Gil::Guard guard(gil);
      for (int step = 0; step < 20000; ++step) {
        ++inside;
        ASSERT_EQ(inside, 1);
        ++sum;
        --inside;
        gil.poll();
        if (step % 1000 == 0) {
          const Gil::Release release(gil);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(sum, 80000U);
  EXPECT_FALSE(gil.is_held_by_this_thread());
  EXPECT_TRUE(gil.is_in_use());
}

TEST(GilTest, GoesToWhoeverWaitedLongest) {
  Gil gil;
  std::vector<int> order;
  std::vector<std::thread> threads;
  {
    const Gil::Guard guard(gil);
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([&, i] {
        const Gil::Guard inner(gil);
        order.push_back(i);
      });
      while (gil.waiting() != static_cast<std::size_t>(i) + 1) {
        std::this_thread::yield();
      }
    }
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

// Two that compute without end and one that comes now and then: all get their turns.
TEST(GilTest, StarvesNobody) {
  Gil gil;
  gil.set_switch_interval(milliseconds(1));
  std::atomic<bool> stop{false};
  std::array<std::atomic<std::size_t>, 2> turns{};
  std::vector<std::thread> busy;
  for (std::atomic<std::size_t>& count : turns) {
    busy.emplace_back([&] {
      const Gil::Guard guard(gil);
      while (!stop.load()) {
        ++count;
        gil.poll();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const Gil::Guard guard(gil);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  stop = true;
  for (std::thread& thread : busy) {
    thread.join();
  }
  EXPECT_GT(turns[0].load(), 0U);
  EXPECT_GT(turns[1].load(), 0U);
}

TEST(GilTest, IsAskedForNoSoonerThanTheSwitchInterval) {
  Gil gil;
  gil.set_switch_interval(milliseconds(40));
  std::atomic<bool> got{false};
  gil.acquire();
  const auto start = steady_clock::now();
  std::thread other([&] {
    const Gil::Guard guard(gil);
    got = true;
  });
  while (!got.load()) {
    gil.poll();
  }
  EXPECT_GE(steady_clock::now() - start, milliseconds(35));
  gil.release();
  other.join();
}

TEST(GilTest, IsFreeWhileAThreadWaitsForSomethingElse) {
  Gil gil;
  std::atomic<int> step{0};
  std::thread other;
  {
    const Gil::Guard guard(gil);
    other = std::thread([&] {
      const Gil::Guard inner(gil);
      step = 1;
    });
    const Gil::Release release(gil);
    EXPECT_FALSE(gil.is_held_by_this_thread());
    while (step.load() != 1) {
      std::this_thread::yield();
    }
  }
  other.join();
}

TEST(GilTest, ProtectsTheObjectsOfAHeap) {
  ObjectHeap heap;
  Gil& gil = heap.gil();
  gil.set_switch_interval(std::chrono::microseconds(100));
  Ref<Node> root;
  {
    const Gil::Guard guard(gil);
    root = heap.make<Node>();
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const Gil::Guard guard(gil);
      for (int step = 0; step < 2000; ++step) {
        Ref<Node> child = heap.make<Node>(i);
        child->parent = root;
        root->children.push_back(child);
        if (root->children.size() > 50) {
          root->children.clear();
        }
        gil.poll();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const Gil::Guard guard(gil);
  heap.verify();
  root = nullptr;
  EXPECT_EQ(live(heap), 0U);
}

TEST(GilDeathTest, MisuseIsReported) {
  EXPECT_DEATH(
      {
        Gil gil;
        gil.acquire();
        gil.acquire();
      },
      "tarn: this thread acquires the Gil that it holds already; release it first, or pass it on");
  EXPECT_DEATH(
      {
        Gil gil;
        gil.release();
      },
      "tarn: a thread releases the Gil that it doesn't hold; acquire it first");
}

TEST(GilDeathTest, AnObjectTouchedWithoutItIsReported) {
  if constexpr (!check_objects) {
    GTEST_SKIP() << "threads are checked in builds that check objects";
  }
  EXPECT_DEATH(
      {
        ObjectHeap heap;
        heap.gil().acquire();
        Ref<Leaf> leaf = heap.make<Leaf>();
        heap.gil().release();
        Ref<Leaf> copy = leaf;
      },
      "tarn: a thread touches an object of type tarn::test::Leaf at 0x[0-9a-f]+ without the Gil of "
      "its heap; put a "
      "Gil::Guard around it");
}

}  // namespace
}  // namespace tarn::test
