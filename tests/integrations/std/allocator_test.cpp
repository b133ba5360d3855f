#include <tarn/allocator.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integrations/std/heap_count.h"

namespace tarn {
namespace {

template <typename T>
using Vector = std::vector<T, Allocator<T>>;
using String = std::basic_string<char, std::char_traits<char>, Allocator<char>>;

const char* const long_text = "a string too long to lie within the object that stands for it";

static_assert(
    std::is_same_v<std::allocator_traits<Allocator<int>>::rebind_alloc<long>, Allocator<long>>);
static_assert(!std::is_default_constructible_v<Allocator<int>>, "there is no heap to fall back to");
static_assert(std::is_nothrow_copy_constructible_v<Allocator<int>>);
static_assert(std::is_nothrow_move_assignable_v<Vector<int>>);

TEST(Allocator, ServesContainersOfEveryKindAndGetsEverythingBack) {
  for (const HeapOptions& options :
       {unchecked(Geometry::tarn), unchecked(Geometry::classic), checked(Geometry::modern)}) {
    Heap heap(options);
    {
      Vector<int> vector(heap);
      std::deque<int, Allocator<int>> deque(heap);
      std::list<int, Allocator<int>> list(heap);
      std::set<int, std::less<>, Allocator<int>> set(heap);
      std::map<int, int, std::less<>, Allocator<std::pair<const int, int>>> map(heap);
      std::unordered_map<int, String, std::hash<int>, std::equal_to<>,
                         Allocator<std::pair<const int, String>>>
          unordered_map(heap);
      for (int i = 0; i < 1000; ++i) {
        vector.push_back(i);
        deque.push_front(i);
        list.push_back(i);
        set.insert(i);
        map[i] = -i;
        unordered_map.emplace(i, String(long_text, heap));
      }
      for (int i = 0; i < 1000; i += 2) {
        set.erase(i);
        map.erase(i);
        list.pop_front();
      }
      EXPECT_EQ(vector[999], 999);
      EXPECT_EQ(deque[0], 999);
      EXPECT_EQ(list.front(), 500);
      EXPECT_EQ(set.size(), 500U);
      EXPECT_EQ(map[501], -501);
      EXPECT_EQ(unordered_map.at(17), long_text);
      heap.verify();
      EXPECT_GT(blocks_allocated(heap), 3000U);
    }
    heap.verify();
    EXPECT_EQ(blocks_allocated(heap), 0U);
  }
}

TEST(Allocator, AllocatesInItsDomain) {
  Heap heap;
  Vector<int> numbers({1, 2, 3}, Allocator<int>(heap, Domain::mem));
  EXPECT_EQ(blocks_allocated(heap, Domain::mem), 1U);
  EXPECT_EQ(blocks_allocated(heap, Domain::obj), 0U);
}

TEST(Allocator, IsEqualToAnyOfTheSameHeapAndDomain) {
  Heap heap;
  Heap other;
  const Allocator<int> numbers(heap);
  const Allocator<long> rebound(numbers);
  EXPECT_TRUE(numbers == Allocator<int>(heap));
  EXPECT_TRUE(numbers == rebound);
  EXPECT_TRUE(rebound == numbers);
  EXPECT_TRUE(numbers != Allocator<int>(other));
  EXPECT_TRUE(numbers != Allocator<int>(heap, Domain::mem));
}

TEST(Allocator, ThrowsBadArrayNewLengthWhenTheSizeOverflows) {
  Heap heap;
  Allocator<long> allocator(heap);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / sizeof(long) + 1), std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX), std::bad_array_new_length);
}

TEST(Allocator, ThrowsBadAllocWhenThereIsNoMemory) {
  Heap heap;
  Allocator<long> allocator(heap);
  try {
    (void)allocator.allocate(SIZE_MAX / sizeof(long));
    FAIL() << "almost all addresses were allocated";
  } catch (const std::bad_array_new_length&) {
    FAIL() << "the size doesn't overflow";
  } catch (const std::bad_alloc&) {
  }
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

TEST(Allocator, AlignsOverAlignedElements) {
  struct alignas(128) Wide {
    char value;
  };
  for (const HeapOptions& options : {unchecked(Geometry::classic), checked(Geometry::tarn)}) {
    Heap heap(options);
    {
      Vector<Wide> several(heap);
      std::list<Wide, Allocator<Wide>> apart(heap);
      for (int i = 0; i < 20; ++i) {
        several.push_back({'x'});
        apart.push_back({'y'});
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(several.data()) % 128, 0U);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&apart.back()) % 128, 0U);
      }
    }
    EXPECT_EQ(blocks_allocated(heap), 0U);
  }
}

// 16 bytes are more than the classic geometry's alignment of 8.
TEST(Allocator, AlignsLongDoublesInTheClassicGeometryToo) {
  Heap heap(unchecked(Geometry::classic));
  std::list<long double, Allocator<long double>> numbers(heap);
  for (int i = 0; i < 100; ++i) {
    numbers.push_back(i);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&numbers.back()) % alignof(long double), 0U);
  }
}

class MovedContainers : public testing::Test {
 protected:
  Heap near_;
  Heap far_;
};

TEST_F(MovedContainers, MoveConstructionTakesMemoryAndHeap) {
  Vector<int> source({1, 2, 3}, near_);
  const int* const elements = source.data();
  const Vector<int> target(std::move(source));
  EXPECT_EQ(target.data(), elements);
  EXPECT_EQ(&target.get_allocator().heap(), &near_);
}

TEST_F(MovedContainers, MoveAssignmentTakesMemoryAndHeapAndFreesTheOldWhereItCameFrom) {
  Vector<int> source({1, 2, 3}, near_);
  const int* const elements = source.data();
  Vector<int> target({4, 5}, far_);
  target = std::move(source);
  EXPECT_EQ(target.data(), elements);
  EXPECT_EQ(&target.get_allocator().heap(), &near_);
  EXPECT_EQ(blocks_allocated(far_), 0U);
  EXPECT_EQ(blocks_allocated(near_), 1U);
}

TEST_F(MovedContainers, CopyAssignmentStaysOnItsHeap) {
  const Vector<int> source({1, 2, 3}, near_);
  Vector<int> target({4}, far_);
  target = source;
  EXPECT_EQ(&target.get_allocator().heap(), &far_);
  EXPECT_TRUE(far_.owns(target.data()));
  EXPECT_THAT(target, testing::ElementsAre(1, 2, 3));
}

TEST_F(MovedContainers, ACopyIsMadeOnTheSameHeap) {
  const Vector<int> source({1, 2, 3}, near_);
  const Vector<int> target(source);
  EXPECT_TRUE(near_.owns(target.data()));
  EXPECT_EQ(blocks_allocated(near_), 2U);
}

TEST_F(MovedContainers, SwapExchangesMemoryAndHeaps) {
  Vector<int> one({1}, near_);
  Vector<int> other({2}, far_);
  const int* const elements = one.data();
  swap(one, other);
  EXPECT_EQ(other.data(), elements);
  EXPECT_EQ(&other.get_allocator().heap(), &near_);
  EXPECT_EQ(&one.get_allocator().heap(), &far_);
}

TEST_F(MovedContainers, SpliceWithinOneHeapMovesNodes) {
  std::list<int, Allocator<int>> one({1, 2}, near_);
  std::list<int, Allocator<int>> other({3}, Allocator<int>(near_));
  const int* const node = &other.front();
  one.splice(one.end(), other);
  EXPECT_EQ(&one.back(), node);
}

TEST(Allocator, CarriesASharedPointersControlBlock) {
  Heap heap;
  {
    const auto shared = std::allocate_shared<std::array<int, 8>>(Allocator<int>(heap));
    EXPECT_TRUE(heap.owns(shared.get()));
    EXPECT_EQ(blocks_allocated(heap), 1U);
    const std::weak_ptr<std::array<int, 8>> weak = shared;
    EXPECT_FALSE(weak.expired());
  }
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

TEST(Allocator, LosesNothingWhenAnElementsCopyThrows) {
  struct Fragile {
    explicit Fragile(int& left) : left_(&left) {}
    Fragile(const Fragile& other) : left_(other.left_) {
      if (--*left_ == 0) {
        throw std::runtime_error("no more copies");
      }
    }
    int* left_;
  };
  Heap heap;
  {
    int copies_left = 10;
    Vector<Fragile> vector(heap);
    EXPECT_THROW(
        {
          for (int i = 0; i < 20; ++i) {
            vector.push_back(Fragile(copies_left));
          }
        },
        std::runtime_error);
  }
  EXPECT_EQ(blocks_allocated(heap), 0U);
}

}  // namespace
}  // namespace tarn
