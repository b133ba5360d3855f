#include <tarn/memory_resource.h>

#include <cstdint>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory_resource>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integrations/std/heap_count.h"

namespace tarn {
namespace {

const std::string long_text = "a string too long to lie within the object that stands for it";

// Each geometry, with and without checks: the debug heap also compares the size at each free.
class MemoryResourceOnEveryHeap : public testing::TestWithParam<HeapOptions> {
 protected:
  Heap heap_{GetParam()};
  MemoryResource resource_{heap_};
};

std::string name_of(const testing::TestParamInfo<HeapOptions>& instance) {
  constexpr const char* names[] = {"Tarn", "Classic", "Modern"};
  return std::string(names[static_cast<int>(instance.param.geometry)]) +
         (instance.param.checks == Checks::debug ? "Checked" : "");
}

INSTANTIATE_TEST_SUITE_P(Heaps, MemoryResourceOnEveryHeap,
                         testing::Values(unchecked(Geometry::tarn), unchecked(Geometry::classic),
                                         unchecked(Geometry::modern), checked(Geometry::tarn),
                                         checked(Geometry::classic), checked(Geometry::modern)),
                         name_of);

TEST_P(MemoryResourceOnEveryHeap, ServesContainersOfEveryKindAndGetsEverythingBack) {
  constexpr int count = 1000;
  {
    std::pmr::vector<int> vector(&resource_);
    std::pmr::deque<int> deque(&resource_);
    std::pmr::list<int> list(&resource_);
    std::pmr::forward_list<int> forward_list(&resource_);
    std::pmr::set<int> set(&resource_);
    std::pmr::multimap<int, std::pmr::string> multimap(&resource_);
    std::pmr::unordered_set<int> unordered_set(&resource_);
    std::pmr::unordered_map<int, std::pmr::vector<int>> unordered_map(&resource_);
    for (int i = 0; i < count; ++i) {
      vector.push_back(i);
      deque.push_front(i);
      list.push_back(i);
      forward_list.push_front(i);
      set.insert(i);
      multimap.emplace(i % 10, long_text);
      unordered_set.insert(i);
      unordered_map[i % 100].push_back(i);
    }
    for (int i = 0; i < count; i += 2) {
      set.erase(i);
      unordered_set.erase(i);
      list.pop_front();
    }

    EXPECT_EQ(vector[999], 999);
    EXPECT_EQ(deque[999], 0);
    EXPECT_EQ(list.front(), 500);
    EXPECT_EQ(forward_list.front(), 999);
    EXPECT_EQ(set.size(), 500U);
    EXPECT_EQ(multimap.count(3), 100U);
    EXPECT_EQ(multimap.begin()->second, long_text.c_str());
    EXPECT_EQ(unordered_set.count(501), 1U);
    EXPECT_EQ(unordered_map[7].back(), 907);
    heap_.verify();
    EXPECT_GT(blocks_allocated(heap_), 3000U);
  }
  heap_.verify();
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST_P(MemoryResourceOnEveryHeap, AlignsAsAsked) {
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    for (const std::size_t size : {1U, 24U, 100U, 512U, 513U, 5000U}) {
      void* const block = resource_.allocate(size, alignment);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U)
          << size << " at " << alignment;
      resource_.deallocate(block, size, alignment);
    }
  }
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST_P(MemoryResourceOnEveryHeap, HoldsOverAlignedElements) {
  struct alignas(64) CacheLine {
    int value;
  };
  {
    std::pmr::list<CacheLine> lines(&resource_);
    for (int i = 0; i < 100; ++i) {
      lines.push_back({i});
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&lines.back()) % 64, 0U);
    }
    EXPECT_EQ(lines.back().value, 99);
  }
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST_P(MemoryResourceOnEveryHeap, GivesAZeroSizeABlockOfItsOwn) {
  void* const one = resource_.allocate(0);
  void* const other = resource_.allocate(0);
  EXPECT_NE(one, nullptr);
  EXPECT_NE(one, other);
  resource_.deallocate(one, 0);
  resource_.deallocate(other, 0);
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST_P(MemoryResourceOnEveryHeap, ThrowsBadAllocWhenThereIsNoMemory) {
  // Volatile, since the compiler warns of sizes that it sees to be impossible.
  const volatile std::size_t half = SIZE_MAX / 2;
  const volatile std::size_t all = SIZE_MAX;
  EXPECT_THROW((void)resource_.allocate(half), std::bad_alloc);
  EXPECT_THROW((void)resource_.allocate(all), std::bad_alloc);
  EXPECT_THROW((void)resource_.allocate(half, 64), std::bad_alloc);
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST_P(MemoryResourceOnEveryHeap, LosesNothingWhenAConstructorThrows) {
  struct Thrower {
    // Each holds memory; the seventh never comes to be.
    explicit Thrower(std::pmr::memory_resource* resource) : text(long_text, resource) {
      if (++made == 7) {
        throw std::runtime_error("the seventh");
      }
    }
    std::pmr::string text;
    static int& counter() {
      static int count = 0;
      return count;
    }
    int& made = counter();
  };
  Thrower::counter() = 0;
  {
    std::pmr::list<Thrower> list(&resource_);
    EXPECT_THROW(
        {
          for (int i = 0; i < 10; ++i) {
            list.emplace_back(&resource_);
          }
        },
        std::runtime_error);
    EXPECT_EQ(list.size(), 6U);
    heap_.verify();
  }
  EXPECT_EQ(blocks_allocated(heap_), 0U);
}

TEST(MemoryResource, AllocatesInItsDomain) {
  Heap heap;
  MemoryResource objects(heap);
  MemoryResource buffers(heap, Domain::mem);
  void* const object = objects.allocate(64);
  void* const buffer = buffers.allocate(64);
  EXPECT_EQ(blocks_allocated(heap, Domain::obj), 1U);
  EXPECT_EQ(blocks_allocated(heap, Domain::mem), 1U);
  EXPECT_EQ(blocks_allocated(heap, Domain::raw), 0U);
  objects.deallocate(object, 64);
  buffers.deallocate(buffer, 64);
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

TEST(MemoryResource, IsEqualToAnotherOfTheSameHeapAndDomainOnly) {
  Heap heap;
  Heap other_heap;
  const MemoryResource one(heap);
  const MemoryResource two(heap);
  const MemoryResource of_buffers(heap, Domain::mem);
  const MemoryResource elsewhere(other_heap);
  EXPECT_TRUE(one == one);
  EXPECT_TRUE(one == two);
  EXPECT_FALSE(one == of_buffers);
  EXPECT_FALSE(one == elsewhere);
  EXPECT_FALSE(one == *std::pmr::new_delete_resource());
  EXPECT_FALSE(*std::pmr::new_delete_resource() == one);
}

TEST(MemoryResource, LetsAMovedContainerTakeTheMemoryWithinOneHeap) {
  Heap heap;
  MemoryResource one(heap);
  MemoryResource two(heap);
  std::pmr::vector<int> source({1, 2, 3}, &one);
  const int* const elements = source.data();
  std::pmr::vector<int> target(&two);
  target = std::move(source);
  EXPECT_EQ(target.data(), elements);
  EXPECT_THAT(target, testing::ElementsAre(1, 2, 3));
}

TEST(MemoryResource, CopiesTheElementsOfAContainerMovedToAnotherHeap) {
  Heap near;
  Heap far;
  MemoryResource near_resource(near);
  MemoryResource far_resource(far);
  {
    std::pmr::vector<std::pmr::string> source({std::pmr::string(long_text)}, &near_resource);
    std::pmr::vector<std::pmr::string> target(&far_resource);
    target = std::move(source);
    EXPECT_TRUE(far.owns(target.data()));
    EXPECT_TRUE(far.owns(target.front().data()));
    EXPECT_EQ(target.front(), long_text.c_str());
  }
  EXPECT_EQ(blocks_allocated(near), 0U);
  EXPECT_EQ(blocks_allocated(far), 0U);
}

TEST(MemoryResource, FeedsTheStandardPools) {
  Heap heap;
  MemoryResource resource(heap);
  {
    std::pmr::unsynchronized_pool_resource pools(&resource);
    std::pmr::list<int> list(&pools);
    for (int i = 0; i < 1000; ++i) {
      list.push_back(i);
    }
    EXPECT_GT(blocks_allocated(heap), 0U);
  }
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

TEST(MemoryResource, ServesThreadsWhereTheHeapIsLocked) {
  HeapOptions options;
  options.synchronisation = Synchronisation::locked;
  Heap heap(options);
  const auto work = [&heap] {
    MemoryResource resource(heap);
    std::pmr::map<int, std::pmr::string> map(&resource);
    for (int i = 0; i < 2000; ++i) {
      map.emplace(i % 300, long_text);
      map.erase((i * 7) % 300);
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  heap.verify();
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

}  // namespace
}  // namespace tarn
