// The locked heap under several threads.

#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "base/assert.h"
#include "support/combinations.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

constexpr std::size_t thread_count = 4;
constexpr std::size_t operations = tarn_debug_checks ? 4000 : 40000;

class SharedHeap : public testing::TestWithParam<Combination> {
 protected:
  SharedHeap() : heap_(GetParam().options()) {}

  template <typename Body>
  static void run_threads(Body body) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads.emplace_back([&body, i] { body(i); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  void expect_nothing_allocated() const {
    heap_.verify();
    const HeapStatistics statistics = heap_.statistics();
    for (const auto& of_domain : statistics.classes) {
      for (const SizeClassStatistics& of_class : of_domain) {
        EXPECT_EQ(of_class.blocks_allocated, 0U) << of_class.block_size;
      }
    }
    EXPECT_EQ(statistics.large_now, 0U);
  }

  Heap heap_;
};
INSTANTIATE_TEST_SUITE_P(Of, SharedHeap,
                         testing::ValuesIn(combinations_with(Synchronisation::locked)),
                         NameOfCombination());

// A block that says how large it is and what is in it.
struct Parcel {
  std::size_t size;
  unsigned char fill;

  [[nodiscard]] unsigned char* contents() { return reinterpret_cast<unsigned char*>(this + 1); }
};

TEST_P(SharedHeap, KeepsBlocksWholeThatOtherThreadsFree) {
  std::array<std::atomic<Parcel*>, 64> letter_boxes = {};
  std::atomic<std::size_t> damaged{0};
  const auto take_in = [&](Parcel* parcel, Random& random) {
    if (parcel == nullptr) {
      return;
    }
    for (std::size_t i = 0; i < parcel->size; ++i) {
      damaged += parcel->contents()[i] != parcel->fill ? 1U : 0U;
    }
    if (random.below(2) == 0) {
      heap_.free(parcel);
    } else {
      heap_.free_sized(parcel, sizeof(Parcel) + parcel->size);
    }
  };
  run_threads([&](std::size_t thread) {
    Random random(seed_or(41) + thread);
    for (std::size_t i = 0; i < operations; ++i) {
      const std::size_t size = random.below(random.below(20) == 0 ? 2000 : 200);
      auto* parcel = static_cast<Parcel*>(heap_.allocate(sizeof(Parcel) + size));
      if (random.below(4) == 0) {
        parcel = static_cast<Parcel*>(heap_.reallocate(parcel, sizeof(Parcel) + size));
      }
      parcel->size = size;
      parcel->fill = static_cast<unsigned char>(random.next());
      std::memset(parcel->contents(), parcel->fill, size);
      take_in(letter_boxes[random.below(letter_boxes.size())].exchange(parcel), random);
    }
  });
  Random random(1);
  for (auto& letter_box : letter_boxes) {
    take_in(letter_box.exchange(nullptr), random);
  }
  EXPECT_EQ(damaged, 0U);
  expect_nothing_allocated();
}

// Blocks of whole pages pass from thread to thread, grow and shrink, while others' pages are on their way to the
// system and back.
TEST_P(SharedHeap, KeepsLargeBlocksWholeWhilePagesGoBack) {
  constexpr std::size_t page = 4096;
  constexpr std::size_t rounds = operations / 160;
  std::array<std::atomic<Parcel*>, 16> letter_boxes = {};
  std::atomic<std::size_t> damaged{0};
  std::atomic<bool> is_over{false};
  const auto stamp = [](Parcel* parcel) {
    for (std::size_t at = sizeof(Parcel); at < parcel->size; at += page) {
      reinterpret_cast<unsigned char*>(parcel)[at] = parcel->fill;
    }
  };
  const auto check = [&](Parcel* parcel, std::size_t size) {
    for (std::size_t at = sizeof(Parcel); at < size; at += page) {
      damaged += reinterpret_cast<unsigned char*>(parcel)[at] != parcel->fill ? 1U : 0U;
    }
  };
  std::thread returner([&] {
    while (!is_over) {
      static_cast<void>(heap_.release());
      heap_.verify();
    }
  });
  run_threads([&](std::size_t thread) {
    Random random(seed_or(29) + thread);
    for (std::size_t i = 0; i < rounds; ++i) {
      const std::size_t size = 30'000 + random.below(random.below(8) == 0 ? 4'000'000 : 400'000);
      void* const block =
          random.below(4) == 0 ? heap_.allocate_zeroed(1, size) : heap_.allocate(size);
      auto* parcel = new (block) Parcel{size, static_cast<unsigned char>(random.next() | 1U)};
      stamp(parcel);
      parcel = letter_boxes[random.below(letter_boxes.size())].exchange(parcel);
      if (parcel == nullptr) {
        continue;
      }
      check(parcel, parcel->size);
      if (random.below(2) == 0) {
        const std::size_t before = parcel->size;
        const std::size_t now = 30'000 + random.below(1'500'000);
        parcel = static_cast<Parcel*>(heap_.reallocate(parcel, now));
        check(parcel, before < now ? before : now);
      }
      heap_.free(parcel);
    }
  });
  is_over = true;
  returner.join();
  for (std::atomic<Parcel*>& box : letter_boxes) {
    heap_.free(box.load());
  }
  EXPECT_EQ(damaged, 0U);
  expect_nothing_allocated();
}

TEST_P(SharedHeap, AnswersQuestionsWhileOthersAllocate) {
  std::atomic<bool> wrong{false};
  run_threads([&](std::size_t thread) {
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < operations / 100; ++i) {
      for (int j = 0; j < 50; ++j) {
        blocks.push_back(heap_.allocate(512 - 24, all_domains[thread % 3]));
      }
      wrong = wrong || !heap_.owns(blocks.back()) || heap_.owns(&blocks);
      if (i % 10 == thread) {
        heap_.verify();
        wrong = wrong || heap_.statistics().arenas_now == 0;
      }
      if (blocks.size() > 500) {
        for (void* const block : blocks) {
          heap_.free(block, all_domains[thread % 3]);
        }
        blocks.clear();
        heap_.release_empty_arenas();
      }
    }
    for (void* const block : blocks) {
      heap_.free(block, all_domains[thread % 3]);
    }
  });
  EXPECT_FALSE(wrong);
  expect_nothing_allocated();
}

}  // namespace
}  // namespace tarn::test
