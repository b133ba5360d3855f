// A shuffled graph of four million objects: how long a collection takes, and that a budget is kept.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/gc.h>

namespace tarn::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr std::size_t node_count = 100'000;
constexpr bool is_timed = false;
#else
constexpr std::size_t node_count = 4'000'000;
constexpr bool is_timed = true;
#endif

struct Vertex final : Object {
  explicit Vertex(std::uint64_t with_value) : value(with_value) {}
  Member<Vertex> next;
  Member<Vertex> other;
  std::uint64_t value;
  static constexpr auto members = tarn::members(&Vertex::next, &Vertex::other);
};

struct Holder final : Object {
  std::vector<Member<Vertex>> all;
  static constexpr auto members = tarn::members(&Holder::all);
};

// Of this thread: on a busy machine others' time isn't the collector's.
nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return nanoseconds(std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

double milliseconds(nanoseconds time) { return static_cast<double>(time.count()) / 1e6; }

class LargeHeap : public testing::Test {
 protected:
  // All of them, each a root: to be reduced to one.
  std::vector<Ref<Vertex>> build() {
    std::mt19937_64 random(4);
    std::vector<Ref<Vertex>> nodes;
    nodes.reserve(node_count);
    for (std::size_t i = 0; i < node_count; ++i) {
      nodes.push_back(heap.make<Vertex>(i));
    }
    std::vector<std::uint32_t> order(node_count);
    for (std::size_t i = 0; i < node_count; ++i) {
      order[i] = static_cast<std::uint32_t>(i);
    }
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i = 0; i < node_count; ++i) {
      Vertex& node = *nodes[order[i]];
      node.next = nodes[order[(i + 1) % node_count]];
      node.other = nodes[random() % node_count];
    }
    return nodes;
  }

  // How much longer the longest slice was than its budget.
  template <typename Between>
  nanoseconds collect_in_slices(nanoseconds budget, Between between, const char* what) {
    nanoseconds longest{0};
    nanoseconds total{0};
    std::size_t slices = 0;
    for (bool done = false; !done; ++slices) {
      const nanoseconds start = cpu_time();
      done = collector.collect(budget);
      const nanoseconds slice = cpu_time() - start;
      longest = std::max(longest, slice);
      total += slice;
      between();
    }
    std::printf(
        "%s: %zu slices of %.1f ms, longest %.2f ms (by the clock on the wall %.2f), %.0f ms in "
        "all%s\n",
        what, slices, milliseconds(budget), milliseconds(longest),
        milliseconds(collector.last().pause), milliseconds(total),
        collector.last().gave_up ? ", gave up" : "");
    return longest - budget;
  }

  void collect_at_once(const char* what) {
    const nanoseconds start = cpu_time();
    const Collection collection = collector.collect();
    std::printf("%s: %.0f ms, %zu examined, %zu unreachable\n", what,
                milliseconds(cpu_time() - start), collection.examined, collection.unreachable);
  }

  // On a busy machine the processor's time isn't all ours either: one of three runs has to keep it.
  template <typename Run>
  void expect_kept(Run run) {
    nanoseconds overrun = run();
    for (int again = 0; again < 2 && is_timed && overrun > 1ms; ++again) {
      overrun = std::min<nanoseconds>(overrun, run());
    }
    if (is_timed) {
      EXPECT_LE(milliseconds(overrun), 1.0);
    }
  }

  ObjectHeap heap;
  Collector collector{heap, {.automatic = false}};
};

TEST_F(LargeHeap, FullCollections) {
  std::vector<Ref<Vertex>> nodes = build();
  collect_at_once("all alive, each held");
  collect_at_once("the same again");
  nodes.erase(nodes.begin() + 1, nodes.end());
  collect_at_once("all alive, one held");
  const nanoseconds start = cpu_time();
  EXPECT_EQ(collector.collect(Generation::young).examined, 0U);
  std::printf("young, nothing new: %.2f ms\n", milliseconds(cpu_time() - start));
  nodes.clear();
  collect_at_once("all garbage");
  EXPECT_EQ(collector.last().unreachable, node_count);
}

TEST_F(LargeHeap, ABudgetIsKeptWhileAllIsAlive) {
  std::vector<Ref<Vertex>> nodes = build();
  nodes.erase(nodes.begin() + 1, nodes.end());
  Ref<Vertex> at = nodes[0];
  std::mt19937_64 random(5);
  const auto program = [&] {
    for (int i = 0; i < 1000; ++i) {
      Ref<Vertex> next(random() % 2 == 0 ? at->next : at->other);
      if (random() % 8 == 0) {
        at->other = heap.make<Vertex>(0);
        at->other->next = next;
        at->other->other = next;
      }
      at = std::move(next);
    }
  };
  expect_kept([&] { return collect_in_slices(1ms, program, "alive, in use"); });
  expect_kept([&] { return collect_in_slices(200us, program, "alive, in use"); });
}

TEST_F(LargeHeap, ABudgetIsKeptWhileAllIsGarbage) {
  const Ref<Holder> holder = heap.make<Holder>();
  const auto program = [&] {
    for (int i = 0; i < 100; ++i) {
      holder->all.push_back(heap.make<Vertex>(0));
    }
  };
  expect_kept([&] {
    build().clear();
    const nanoseconds overrun = collect_in_slices(1ms, program, "garbage");
    EXPECT_EQ(collector.last().unreachable, node_count);
    EXPECT_FALSE(collector.last().gave_up);
    return overrun;
  });
}

TEST_F(LargeHeap, ABudgetIsKeptWithManyContainers) {
  const std::size_t count = node_count / 40;
  expect_kept([&] {
    for (std::size_t i = 0; i < count; ++i) {
      const Ref<Holder> holder = heap.make<Holder>();
      Ref<Vertex> vertex = heap.make<Vertex>(i);
      for (int j = 0; j < 4; ++j) {
        holder->all.push_back(vertex);
      }
      vertex->next = vertex;
    }
    const auto nothing = [] {};
    return collect_in_slices(1ms, nothing, "containers");
  });
}

}  // namespace
}  // namespace tarn::test
