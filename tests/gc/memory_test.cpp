// A collection needs no memory: it goes through while every allocation of the process fails.
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <sys/resource.h>

#include <gtest/gtest.h>

#include <tarn/gc.h>

#include "gc/mark_stack.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TARN_TEST_OWNS_MALLOC 0
#else
#define TARN_TEST_OWNS_MALLOC 1
#endif

namespace {
bool all_fail = false;
std::size_t failed = 0;
}  // namespace

#if TARN_TEST_OWNS_MALLOC
// In place of the C library's, which has others by these names.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);

void* malloc(std::size_t size) {
  if (all_fail) {
    ++failed;
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  if (all_fail) {
    ++failed;
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  if (all_fail) {
    ++failed;
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_realloc(block, size);
}
}
#endif

namespace tarn::test {
namespace {

struct Node final : Object {
  Member<Node> next;
  std::vector<Member<Node>> all;
  static constexpr auto members = tarn::members(&Node::next, &Node::all);
};

struct Finalized final : Object {
  void finalize() {}
  Member<Finalized> next;
  static constexpr auto members = tarn::members(&Finalized::next);
};

class WithoutMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (TARN_TEST_OWNS_MALLOC == 0) {
      GTEST_SKIP() << "a sanitizer has the process's malloc";
    }
    for (int i = 0; i < 10000; ++i) {
      const Ref<Node> node = heap.make<Node>();
      node->next = heap.make<Node>();
      node->next->all.push_back(node);
      const Ref<Finalized> finalized = heap.make<Finalized>();
      finalized->next = finalized;
      if (i < 100) {
        weak.emplace_back(node, [this] { ++calls; });
      }
      if (i % 100 == 0) {
        kept.push_back(node);
      }
    }
    failed = 0;
    all_fail = true;
  }
  void TearDown() override { all_fail = false; }

  std::vector<Weak<Node>> weak;
  std::vector<Ref<Node>> kept;
  int calls = 0;
  ObjectHeap heap;
  Collector collector{heap, {.automatic = false}};
};

TEST_F(WithoutMemory, AFullCollectionGoesThrough) {
  const Collection collection = collector.collect();
  all_fail = false;
  EXPECT_EQ(collection.unreachable, 10000U + 2 * 9900U);
  EXPECT_EQ(calls, 99);
  EXPECT_EQ(failed, 0U);
  heap.verify();
  kept.clear();
}

TEST_F(WithoutMemory, ACollectionInSlicesGoesThrough) {
  // What lies in vectors is looked at in one go: where code is slow, as in a debug build, that needs a larger budget.
  std::chrono::microseconds budget(20);
  do {
    while (!collector.collect(budget)) {
    }
    budget *= 10;
  } while (collector.last().gave_up && budget < std::chrono::seconds(10));
  all_fail = false;
  EXPECT_EQ(collector.last().unreachable, 10000U + 2 * 9900U);
  EXPECT_EQ(calls, 99);
  EXPECT_EQ(failed, 0U);
  heap.verify();
  kept.clear();
}

#if TARN_TEST_OWNS_MALLOC
// Under a limit of addresses the stack has what it's granted, and if that's nothing, a few places of its own.
TEST(WithoutAddresses, TheMarkStackHasAFewPlaces) {
  ObjectHeap heap;
  const Ref<Node> object = heap.make<Node>();
  const auto use_stack = [&] {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = 1;
    setrlimit(RLIMIT_AS, &limit);
    gc::MarkStack stack;
    stack.open(std::size_t{1} << 37);
    std::size_t pushed = 0;
    for (; !stack.overflowed() && pushed < 100'000; ++pushed) {
      stack.push(*object);
    }
    const bool is_right = stack.overflowed() && pushed > 16 && stack.size() == pushed - 1;
    while (!stack.is_empty()) {
      (void)stack.pop();
    }
    stack.reset();
    const bool is_shrunk = stack.shrink();
    stack.close();
    std::_Exit(is_right && is_shrunk ? 0 : 1);
  };
  EXPECT_EXIT(use_stack(), testing::ExitedWithCode(0), "");
}

TEST(WithoutAddresses, ACollectorWorksWithinWhatIsGranted) {
  const auto collect = [] {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = rlim_t{64} * 1024 * 1024;
    setrlimit(RLIMIT_AS, &limit);
    ObjectHeap heap;
    Collector collector(heap, {.automatic = false});
    Ref<Node> first;
    for (int i = 0; i < 20'000; ++i) {
      Ref<Node> node = heap.make<Node>();
      node->next = first;
      first = std::move(node);
      const Ref<Node> garbage = heap.make<Node>();
      garbage->next = garbage;
    }
    const bool is_right = collector.collect().unreachable == 20'000U;
    heap.verify();
    std::_Exit(is_right ? 0 : 1);
  };
  EXPECT_EXIT(collect(), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace tarn::test
