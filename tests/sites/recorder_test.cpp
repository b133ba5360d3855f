// A sampled heap tells the recorder of every block, and a recorder never of a block that isn't there.

#include "sites/recorder.h"

#include <cmath>
#include <cstring>
#include <map>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "heap/instance.h"
#include "support/combinations.h"
#include "support/seed.h"

namespace tarn::sites {
namespace {

// The stack of these tests: a line that the test sets.
thread_local std::uint32_t line = 0;

void walk_stack(SiteTable& table, Domain /*domain*/) {
  if (line != 0) {
    static_cast<void>(table.add_frame("test", "recorder_test.cpp", line));
  }
}

class SampledHeap {
 public:
  SampledHeap(const HeapOptions& options, std::uint64_t rate) {
    RecorderOptions recorder_options;
    recorder_options.rate = rate;
    recorder_options.seed = test::seed_or(7);
    recorder_options.walk_stack = walk_stack;
    EXPECT_TRUE(recorder.open(recorder_options));
    instance = heap::create(options);
    EXPECT_NE(instance, nullptr);
    heap::sample(*instance, memory_, recorder.observer());
  }
  ~SampledHeap() {
    recorder.verify();
    instance->operations->destroy(*instance);
    recorder.close();
  }
  SampledHeap(const SampledHeap&) = delete;
  SampledHeap& operator=(const SampledHeap&) = delete;

  void* allocate(std::size_t size, Domain domain = Domain::obj) {
    const heap::Face& face = instance->face(domain);
    return face.functions->allocate(face.domain, size);
  }
  void* reallocate(void* block, std::size_t size, Domain domain = Domain::obj) {
    const heap::Face& face = instance->face(domain);
    return face.functions->reallocate(face.domain, block, size);
  }
  void free(void* block, Domain domain = Domain::obj) {
    const heap::Face& face = instance->face(domain);
    face.functions->free(face.domain, block);
  }
  std::uint32_t line_of(const RecordedBlocks::Entry& entry) const {
    const Site& site = recorder.table().site(entry.site);
    return site.depth == 0 ? 0
                           : recorder.table().frame(recorder.table().frame_number(site, 0)).line;
  }
  // The line's estimate of live bytes.
  double live_bytes(std::uint32_t of_line) const {
    double sum = 0;
    recorder.blocks().for_each([&](const RecordedBlocks::Entry& entry) {
      if (line_of(entry) == of_line) {
        sum += static_cast<double>(entry.size) * recorder.weight(entry);
      }
    });
    return sum;
  }
  double allocated_bytes(std::uint32_t of_line) const {
    double sum = 0;
    for (std::uint32_t number = 0; number < recorder.table().site_count(); ++number) {
      const Site& site = recorder.table().site(number);
      if (site.depth != 0 &&
          recorder.table().frame(recorder.table().frame_number(site, 0)).line == of_line) {
        sum += site.allocated_bytes;
      }
    }
    return sum;
  }

  Recorder recorder;
  heap::Instance* instance = nullptr;

 private:
  heap::SampledDomains memory_;
};

class RecorderTest : public testing::TestWithParam<test::Combination> {};

TEST_P(RecorderTest, AtARateOfOneEveryLiveBlockIsRecordedWithItsSizeAndSite) {
  SampledHeap heap(GetParam().options(), 1);
  std::mt19937_64 random(test::seed_or(7));
  struct Block {
    std::uint32_t line;
    Domain domain;
    std::size_t least;
  };
  std::map<void*, Block> model;
  const auto any_size = [&]() -> std::size_t {
    const std::uint64_t kind = random() % 100;
    return kind < 70 ? random() % 600 : kind < 95 ? random() % 33'000 : random() % 300'000;
  };
  for (int step = 0; step < 8000; ++step) {
    line = static_cast<std::uint32_t>(1 + random() % 20);
    const std::uint64_t what = random() % 10;
    if (what < 5 || model.empty()) {
      const Domain domain = test::all_domains[random() % 3];
      const std::size_t size = any_size();
      void* const block = heap.allocate(size, domain);
      ASSERT_NE(block, nullptr);
      ASSERT_FALSE(model.contains(block));
      model[block] = {line, domain, size};
      continue;
    }
    auto at = model.lower_bound(reinterpret_cast<void*>(
        reinterpret_cast<std::uintptr_t>(model.begin()->first) + random() % (1U << 22)));
    if (at == model.end()) {
      at = model.begin();
    }
    const auto [block, known] = *at;
    if (what < 8) {
      heap.free(block, known.domain);
      model.erase(at);
    } else {
      const std::size_t size = any_size();
      void* const moved = heap.reallocate(block, size, known.domain);
      ASSERT_NE(moved, nullptr);
      model.erase(at);
      model[moved] = {known.line, known.domain, size};
    }
  }
  EXPECT_EQ(heap.recorder.blocks().size(), model.size());
  for (const auto& [block, known] : model) {
    const RecordedBlocks::Entry* const entry = heap.recorder.find(block);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(heap.line_of(*entry), known.line);
    EXPECT_EQ(static_cast<Domain>(entry->domain), known.domain);
    EXPECT_GE(entry->size, known.least);
  }
  heap.recorder.verify();
  for (const auto& [block, known] : model) {
    heap.free(block, known.domain);
  }
  EXPECT_EQ(heap.recorder.blocks().size(), 0U);
}

TEST_P(RecorderTest, EstimatesOfLiveBytesAndChurnAreNearTheTruth) {
  constexpr std::uint64_t rate = 4096;
  SampledHeap heap(GetParam().options(), rate);
  std::vector<void*> kept;
  // Line 1 keeps 20,000 blocks of 64; line 2 allocates as many and frees them; line 3 lets 2,000 grow to 1,600.
  for (int i = 0; i < 20'000; ++i) {
    line = 1;
    kept.push_back(heap.allocate(64));
    line = 2;
    heap.free(heap.allocate(64));
  }
  for (int i = 0; i < 2000; ++i) {
    line = 3;
    void* block = nullptr;
    for (std::size_t size = 50; size <= 1600; size *= 2) {
      block = heap.reallocate(block, size);
    }
    kept.push_back(block);
  }
  line = 0;
  // A sum of n blocks with weight w = 1/p has a variance of n (1-p)/p size^2; six deviations.
  const auto bound = [](double blocks, double size) {
    const double p = -std::expm1(-size / rate);
    return 6 * size * std::sqrt(blocks * (1 - p) / p);
  };
  const double small =
      static_cast<double>(heap.instance->operations->size_at(*heap.instance, kept.front()));
  EXPECT_NEAR(heap.live_bytes(1), 20'000 * small, bound(20'000, 64) * small / 64);
  EXPECT_EQ(heap.live_bytes(2), 0);
  EXPECT_NEAR(heap.allocated_bytes(2), 20'000 * small, bound(20'000, 64) * small / 64);
  const double large =
      static_cast<double>(heap.instance->operations->size_at(*heap.instance, kept.back()));
  if (large != 0) {
    EXPECT_NEAR(heap.live_bytes(3), 2000 * large,
                bound(2000, 1600) * large / 1600 + 0.01 * 2000 * large);
  }
  for (void* const block : kept) {
    heap.free(block);
  }
  EXPECT_EQ(heap.recorder.blocks().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Heaps, RecorderTest, testing::ValuesIn(test::all_combinations()),
                         test::NameOfCombination());

TEST(Recorder, CountsGrowthWhereItHappens) {
  SampledHeap heap({}, 1);
  line = 1;
  void* block = heap.allocate(100'000);
  const double before = heap.allocated_bytes(1);
  line = 2;
  block = heap.reallocate(block, 300'000);
  EXPECT_EQ(heap.allocated_bytes(1), before);
  EXPECT_EQ(heap.allocated_bytes(2), heap.live_bytes(1) - before);
  block = heap.reallocate(block, 100'000);
  EXPECT_EQ(heap.live_bytes(1), before);
  EXPECT_EQ(heap.recorder.find(block)->counted, 100'000U + 303'104U - 102'400U);
  heap.free(block);
}

TEST(Recorder, ThreadsThatShareAHeapBehindItsLockRecordWhatTheyHold) {
  HeapOptions options;
  options.synchronisation = Synchronisation::locked;
  SampledHeap heap(options, 1);
  constexpr std::uint32_t threads = 4;
  std::vector<std::vector<void*>> kept(threads);
  {
    std::vector<std::jthread> running;
    for (std::uint32_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        line = i + 1;
        std::mt19937 random(i);
        std::vector<void*>& mine = kept[i];
        for (int step = 0; step < 20'000; ++step) {
          if (random() % 2 == 0 || mine.empty()) {
            mine.push_back(heap.allocate(random() % 400));
          } else if (random() % 2 == 0) {
            heap.free(mine.back());
            mine.pop_back();
          } else {
            mine.back() = heap.reallocate(mine.back(), random() % 400);
          }
        }
      });
    }
  }
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < threads; ++i) {
    for (void* const block : kept[i]) {
      const RecordedBlocks::Entry* const entry = heap.recorder.find(block);
      ASSERT_NE(entry, nullptr);
      EXPECT_EQ(heap.line_of(*entry), i + 1);
      ++count;
    }
  }
  EXPECT_EQ(heap.recorder.blocks().size(), count);
}

TEST(Recorder, AHeapThatGoesBehindItsLockIsSampledFurther) {
  SampledHeap heap({}, 1);
  line = 1;
  void* const before = heap.allocate(64);
  heap::share(*heap.instance);
  line = 2;
  void* const after = heap.allocate(64);
  EXPECT_EQ(heap.live_bytes(1), 64);
  EXPECT_EQ(heap.live_bytes(2), 64);
  heap.free(before);
  heap.free(after);
  EXPECT_EQ(heap.recorder.blocks().size(), 0U);
}

TEST(Recorder, WhatHasNoRoomIsCounted) {
  SampledHeap heap({}, 1);
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < RecordedBlocks::most + 100; ++i) {
    blocks.push_back(heap.allocate(16));
  }
  EXPECT_EQ(heap.recorder.not_followed(), 100U);
  for (void* const block : blocks) {
    heap.free(block);
  }
  EXPECT_EQ(heap.recorder.blocks().size(), 0U);
}

}  // namespace
}  // namespace tarn::sites
