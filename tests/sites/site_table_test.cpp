#include "sites/site_table.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::sites {
namespace {

class SiteTableTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(table_.open()); }
  void TearDown() override {
    table_.verify();
    table_.close();
  }
  std::uint32_t stack(std::initializer_list<int> lines, std::size_t most = 64) {
    table_.begin_stack(most);
    for (const int line : lines) {
      if (!table_.add_frame("f", "a.py", static_cast<std::uint32_t>(line))) {
        break;
      }
    }
    return table_.end_stack();
  }
  SiteTable table_;
};

TEST_F(SiteTableTest, TheSameStackIsTheSameSite) {
  const std::uint32_t one = stack({1, 2, 3});
  EXPECT_EQ(stack({1, 2, 3}), one);
  EXPECT_NE(stack({1, 2}), one);
  EXPECT_NE(stack({3, 2, 1}), one);
  EXPECT_EQ(table_.frame_count(), 3U);
  EXPECT_EQ(table_.string_count(), 2U);
  const Site& site = table_.site(one);
  EXPECT_EQ(site.depth, 3);
  EXPECT_EQ(table_.frame(table_.frame_number(site, 0)).line, 1U);
  EXPECT_EQ(table_.string(table_.frame(table_.frame_number(site, 2)).file), "a.py");
}

TEST_F(SiteTableTest, NoStackIsNative) { EXPECT_EQ(stack({}), SiteTable::native); }

TEST_F(SiteTableTest, ADeeperStackIsCutAndIsAnotherSite) {
  const std::uint32_t whole = stack({1, 2});
  const std::uint32_t cut = stack({1, 2, 3}, 2);
  EXPECT_NE(cut, whole);
  EXPECT_EQ(table_.site(cut).depth, 2);
  EXPECT_TRUE(table_.site(cut).is_cut);
  EXPECT_FALSE(table_.site(whole).is_cut);
}

TEST_F(SiteTableTest, ALongStringIsCut) {
  table_.begin_stack(8);
  ASSERT_TRUE(table_.add_frame(std::string(5000, 'x'), "", 1));
  const Site& site = table_.site(table_.end_stack());
  EXPECT_EQ(table_.string(table_.frame(table_.frame_number(site, 0)).function).size(),
            SiteTable::most_string_bytes);
}

TEST_F(SiteTableTest, WhenThereIsNoRoomForStringsNewStacksAreOther) {
  std::uint32_t number = 0;
  std::uint32_t added = 0;
  while (number != SiteTable::other) {
    table_.begin_stack(8);
    static_cast<void>(table_.add_frame(std::to_string(added), "a.py", 1));
    number = table_.end_stack();
    ASSERT_LT(++added, 1'000'000U);
  }
  EXPECT_GT(added, 60'000U);
  EXPECT_EQ(stack({7}), SiteTable::other);  // "f" is new
  table_.begin_stack(8);
  ASSERT_TRUE(table_.add_frame("0", "a.py", 1));
  EXPECT_NE(table_.end_stack(), SiteTable::other);
}

}  // namespace
}  // namespace tarn::sites
