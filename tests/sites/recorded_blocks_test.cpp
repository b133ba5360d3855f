#include "sites/recorded_blocks.h"

#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "support/seed.h"

namespace tarn::sites {
namespace {

TEST(RecordedBlocks, AreThoseOfAModelAfterAnyInsertionsAndRemovals) {
  std::mt19937_64 random(test::seed_or(7));
  RecordedBlocks blocks;
  std::unordered_map<std::uintptr_t, std::uint64_t> model;
  // Few addresses, so that they come again, and close ones, so that runs of slots are long.
  const auto address = [&] { return std::uintptr_t{0x7f0000000000} + random() % 5000 * 16; };
  for (int step = 0; step < 60'000; ++step) {
    const std::uintptr_t at = address();
    const bool fills = step / 10'000 % 2 == 0;
    if (random() % 4 < (fills ? 3U : 1U)) {
      const std::uint64_t size = random();
      ASSERT_TRUE(blocks.insert({at, size, 1, 2, 0}));
      model[at] = size;
    } else {
      RecordedBlocks::Entry entry = {};
      ASSERT_EQ(blocks.remove(at, entry), model.contains(at));
      if (model.contains(at)) {
        EXPECT_EQ(entry.size, model[at]);
        model.erase(at);
      }
    }
    ASSERT_EQ(blocks.size(), model.size());
    if (step % 1000 == 0) {
      blocks.verify();
    }
  }
  blocks.verify();
  for (const auto& [at, size] : model) {
    ASSERT_NE(blocks.find(at), nullptr);
    EXPECT_EQ(blocks.find(at)->size, size);
  }
  std::size_t seen = 0;
  blocks.for_each([&](const RecordedBlocks::Entry& entry) {
    ++seen;
    EXPECT_EQ(model.at(entry.address), entry.size);
  });
  EXPECT_EQ(seen, model.size());
  blocks.close();
}

TEST(RecordedBlocks, AnEmptyTableFindsNothing) {
  RecordedBlocks blocks;
  RecordedBlocks::Entry entry = {};
  EXPECT_EQ(blocks.find(16), nullptr);
  EXPECT_FALSE(blocks.remove(16, entry));
  blocks.verify();
}

TEST(RecordedBlocks, TooManyAreRefusedAndTheOthersStay) {
  RecordedBlocks blocks;
  for (std::uintptr_t i = 1; i <= RecordedBlocks::most; ++i) {
    ASSERT_TRUE(blocks.insert({16 * i, i, i, 0, 0}));
  }
  EXPECT_FALSE(blocks.insert({8, 1, 1, 0, 0}));
  EXPECT_EQ(blocks.size(), RecordedBlocks::most);
  EXPECT_EQ(blocks.find(16)->size, 1U);
  RecordedBlocks::Entry entry = {};
  EXPECT_TRUE(blocks.remove(16, entry));
  EXPECT_TRUE(blocks.insert({8, 1, 1, 0, 0}));
  blocks.close();
}

}  // namespace
}  // namespace tarn::sites
