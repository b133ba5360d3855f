#include "sight/map/why_columns.h"

#include <gtest/gtest.h>

#include "sight/map/sample_file.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t blocks_of_sample = 11;

// Counts how often it's asked: three groupings a snapshot.
struct Asked {
  int times = 0;
  [[nodiscard]] WhyJson json() {
    return [this](const reading::HeapImage& /*image*/, const reading::Why& /*why*/) {
      ++times;
      return std::string("{}");
    };
  }
  [[nodiscard]] int snapshots() const { return times / 3; }
};

std::vector<ReadColumns> columns_with(const SampleFile& file, WhyColumns& why) {
  const SnapshotDatabase database(file.path());
  why.choose(file.path(), database, snapshot_ids(database));
  return columns_of(database, [&](Columns& columns, std::int64_t id, const Slots& slots) {
    why.add_to(columns, id, slots);
  });
}

void expect_told(const ReadColumns& columns) {
  EXPECT_EQ(columns.text("why.problem"), "");
  EXPECT_EQ(columns.text("why.holder"), "{}");
  EXPECT_EQ(columns.numbers.at("why.holder.answer").size(),
            columns.numbers.at("slot.state").size());
}

void expect_not_told(const ReadColumns& columns, const std::string& id) {
  EXPECT_EQ(columns.text("why.problem"),
            "It was worked out for the newest snapshots of the file only. tarn map --snapshot=" +
                id + " makes a page that tells it of this one.");
  for (const std::string by : {"why.holder", "why.type", "why.site"}) {
    EXPECT_EQ(columns.text(by), "");
    EXPECT_TRUE(!columns.numbers.contains(by + ".answer") ||
                columns.numbers.at(by + ".answer").empty());
  }
}

TEST(WhyColumns, OfManyBlocksTheNewestSnapshotsAreWorkedOut) {
  const SampleFile file;
  for (int i = 0; i < 3; ++i) {
    file.add_snapshot();
  }
  Asked asked;
  WhyColumns why(asked.json(), 2 * blocks_of_sample);
  const std::vector<ReadColumns> all = columns_with(file, why);
  ASSERT_EQ(all.size(), 3);
  expect_not_told(all[0], "1");
  expect_told(all[1]);
  expect_told(all[2]);
  EXPECT_EQ(asked.snapshots(), 2);
}

TEST(WhyColumns, TheNewestIsWorkedOutHoweverManyBlocksItHas) {
  const SampleFile file;
  file.add_snapshot();
  file.add_snapshot();
  Asked asked;
  WhyColumns why(asked.json(), 1);
  const std::vector<ReadColumns> all = columns_with(file, why);
  ASSERT_EQ(all.size(), 2);
  expect_not_told(all[0], "1");
  expect_told(all[1]);
  EXPECT_EQ(asked.snapshots(), 1);
}

TEST(WhyColumns, WhatWasWorkedOutIsRememberedAndCountsNoMore) {
  const SampleFile file;
  file.add_snapshot();
  Asked asked;
  WhyColumns why(asked.json(), blocks_of_sample);
  for (int snapshots = 1; snapshots <= 4; ++snapshots) {
    const std::vector<ReadColumns> all = columns_with(file, why);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(snapshots));
    for (const ReadColumns& columns : all) {
      expect_told(columns);
    }
    EXPECT_EQ(asked.snapshots(), snapshots);
    file.add_snapshot();
  }
}

}  // namespace
}  // namespace tarn::sight
