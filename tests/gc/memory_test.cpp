// A collection needs no memory: it goes through while every allocation of the process fails.
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/gc.h>

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
  while (!collector.collect(std::chrono::microseconds(20))) {
  }
  all_fail = false;
  EXPECT_EQ(collector.last().unreachable, 10000U + 2 * 9900U);
  EXPECT_EQ(calls, 99);
  EXPECT_EQ(failed, 0U);
  heap.verify();
  kept.clear();
}

}  // namespace
}  // namespace tarn::test
