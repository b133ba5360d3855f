#include "heap/address_table.h"

#include <set>

#include <gtest/gtest.h>

#include "support/seed.h"

namespace tarn::heap {
namespace {

const void* address(std::size_t number) { return reinterpret_cast<const void*>(number * 16); }

class AnAddressTable : public testing::Test {
 protected:
  ~AnAddressTable() override { table_.close(); }
  AddressTable table_;
};

TEST_F(AnAddressTable, HoldsNothingAtFirst) {
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_FALSE(table_.contains(address(1)));
  EXPECT_FALSE(table_.remove(address(1)));
  table_.for_each([](const void*) { FAIL(); });
}

TEST_F(AnAddressTable, HoldsAnAddressOnce) {
  EXPECT_TRUE(table_.insert(address(1)));
  EXPECT_TRUE(table_.insert(address(1)));
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_TRUE(table_.remove(address(1)));
  EXPECT_FALSE(table_.contains(address(1)));
  EXPECT_FALSE(table_.remove(address(1)));
}

TEST_F(AnAddressTable, FindsEverythingAfterItGrew) {
  for (std::size_t i = 1; i <= 10000; ++i) {
    ASSERT_TRUE(table_.insert(address(i)));
  }
  EXPECT_EQ(table_.size(), 10000U);
  for (std::size_t i = 1; i <= 10000; ++i) {
    ASSERT_TRUE(table_.contains(address(i))) << i;
  }
  EXPECT_FALSE(table_.contains(address(10001)));
}

TEST_F(AnAddressTable, CanBeUsedAgainAfterItWasClosed) {
  ASSERT_TRUE(table_.insert(address(1)));
  table_.close();
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_FALSE(table_.contains(address(1)));
  EXPECT_TRUE(table_.insert(address(2)));
  EXPECT_TRUE(table_.contains(address(2)));
}

TEST_F(AnAddressTable, HoldsWhatAPlainSetHoldsThroughRandomChanges) {
  const std::uint64_t seed = test::seed_or(21);
  test::Random random(seed);
  std::set<const void*> model;
  for (int step = 0; step < 100000; ++step) {
    const void* const one = address(1 + random.below(700));
    if (random.below(2) == 0) {
      ASSERT_TRUE(table_.insert(one));
      model.insert(one);
    } else {
      ASSERT_EQ(table_.remove(one), model.erase(one) == 1) << "seed " << seed << ", step " << step;
    }
    ASSERT_EQ(table_.size(), model.size()) << "seed " << seed << ", step " << step;
    const void* const other = address(1 + random.below(700));
    ASSERT_EQ(table_.contains(other), model.count(other) == 1)
        << "seed " << seed << ", step " << step;
  }
  std::set<const void*> visited;
  table_.for_each([&](const void* one) { visited.insert(one); });
  EXPECT_EQ(visited, model);
}

}  // namespace
}  // namespace tarn::heap
