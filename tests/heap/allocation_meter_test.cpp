// The meter of allocated bytes against a model that knows every block.
#include "heap/allocation_meter.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "heap/instance.h"
#include "support/combinations.h"

namespace tarn::test {
namespace {

struct Block {
  void* address;
  std::size_t size;
};

class AllocationMeter : public testing::TestWithParam<Combination> {
 protected:
  AllocationMeter() : instance_(heap::create(GetParam().options())) {}
  ~AllocationMeter() override { instance_->operations->destroy(*instance_); }

  Block allocate(std::size_t size) {
    const heap::Face& face = instance_->face(Domain::obj);
    return {face.functions->allocate(face.domain, size), size};
  }
  void free(const Block& block) {
    const heap::Face& face = instance_->face(Domain::obj);
    face.functions->free(face.domain, block.address);
  }
  std::size_t metered() { return instance_->meter.allocated; }
  // As the statistics have it, of blocks in pools.
  std::size_t counted() {
    HeapStatistics statistics;
    instance_->operations->collect_statistics(*instance_, statistics);
    std::size_t bytes = 0;
    for (const auto& classes : statistics.classes) {
      for (const SizeClassStatistics& of_class : classes) {
        bytes += of_class.blocks_allocated * of_class.block_size;
      }
    }
    return bytes;
  }

  heap::Instance* instance_;
  std::mt19937 random_{7};
};

TEST_P(AllocationMeter, AgreesWithTheStatisticsOnceItIsRecounted) {
  std::vector<Block> blocks;
  for (int step = 0; step < 40'000; ++step) {
    if (blocks.empty() || random_() % 100 < (step / 4'000 % 2 == 0 ? 70U : 30U)) {
      blocks.push_back(allocate(1 + random_() % 500));
    } else {
      std::swap(blocks[random_() % blocks.size()], blocks.back());
      free(blocks.back());
      blocks.pop_back();
    }
    if (step % 5'000 == 0) {
      instance_->operations->recount(*instance_);
      EXPECT_EQ(metered(), counted());
    }
  }
  for (const Block& block : blocks) {
    free(block);
  }
  instance_->operations->recount(*instance_);
  EXPECT_EQ(metered(), 0U);
}

TEST_P(AllocationMeter, IsBehindByNoMoreThanAPoolForEachClassAndAnEighthOfWhatCameBack) {
  std::vector<Block> blocks(100'000);
  std::ranges::generate(blocks, [&] { return allocate(100); });
  const std::size_t one_pool = 64 * 1024;
  EXPECT_NEAR(static_cast<double>(metered()), static_cast<double>(counted()), one_pool);
  const std::size_t peak = counted();
  std::ranges::shuffle(blocks, random_);
  while (blocks.size() > 50'000) {
    free(blocks.back());
    blocks.pop_back();
  }
  EXPECT_GE(metered() + one_pool, counted());
  EXPECT_LE(metered(), counted() + peak / 6);
  for (const Block& block : blocks) {
    free(block);
  }
  EXPECT_LE(metered(), one_pool);
}

TEST_P(AllocationMeter, KnowsLargeRequests) {
  const std::size_t before = metered();
  const Block large = allocate(10'000'000);
  EXPECT_GE(metered(), before + 10'000'000);
  EXPECT_LE(metered(), before + 10'100'000);
  const heap::Face& face = instance_->face(Domain::obj);
  const Block smaller = {face.functions->reallocate(face.domain, large.address, 1'000'000), 0};
  EXPECT_LE(metered(), before + 1'100'000);
  free(smaller);
  EXPECT_LE(metered(), before + 1'000);
}

TEST_P(AllocationMeter, ABlockThatGrowsIsHandedOutOnce) {
  const heap::Face& face = instance_->face(Domain::obj);
  void* block = face.functions->allocate(face.domain, 1'000'000);
  const std::size_t before = instance_->meter.handed_out;
  const std::size_t allocated = metered();
  for (std::size_t size = 1'000'001; size <= 1'000'500; ++size) {
    block = face.functions->reallocate(face.domain, block, size);
    ASSERT_NE(block, nullptr);
  }
  EXPECT_LE(instance_->meter.handed_out, before + 100'000);
  EXPECT_LE(metered(), allocated + 100'000);
  free({block, 0});
}

TEST_P(AllocationMeter, TellsWhenSoMuchWasHandedOut) {
  int told = 0;
  instance_->meter.context = &told;
  instance_->meter.told = [](void* context, heap::AllocationMeter& meter) {
    ++*static_cast<int*>(context);
    meter.tell_at += 100'000;
  };
  instance_->meter.tell_at = instance_->meter.handed_out + 100'000;
  std::vector<Block> blocks(10'000);
  std::ranges::generate(blocks, [&] { return allocate(100); });
  EXPECT_GE(told, 9);
  EXPECT_LE(told, 20);
  instance_->meter.tell_at = SIZE_MAX;
  for (const Block& block : blocks) {
    free(block);
  }
}

TEST_P(AllocationMeter, GoesOnWhenTheHeapIsShared) {
  const Block first = allocate(100);
  heap::share(*instance_);
  std::vector<Block> blocks(10'000);
  std::ranges::generate(blocks, [&] { return allocate(100); });
  instance_->operations->recount(*instance_);
  EXPECT_EQ(metered(), counted());
  for (const Block& block : blocks) {
    free(block);
  }
  free(first);
  instance_->operations->recount(*instance_);
  EXPECT_EQ(metered(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OfOneThread, AllocationMeter,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

}  // namespace
}  // namespace tarn::test
