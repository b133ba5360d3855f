#include "sight/map/value_columns.h"

#include <gtest/gtest.h>

#include "sight/map/sample_file.h"

namespace tarn::sight {
namespace {

const std::string text = "'it\\'s \u00e9'";  // of the sample's one value
constexpr std::uint64_t beside = 8;

std::vector<ReadColumns> columns_with(const SampleFile& file, ValueColumns& values) {
  const SnapshotDatabase database(file.path());
  values.choose(database, snapshot_ids(database));
  return columns_of(database, [&](Columns& columns, std::int64_t id, const Slots& slots) {
    values.add_to(columns, database, id, slots);
  });
}

TEST(ValueColumns, EachValueIsInItsBlocksSlot) {
  const SampleFile file;
  file.add_snapshot();
  ValueColumns values;
  const ReadColumns columns = columns_with(file, values).at(0);
  EXPECT_EQ(columns.numbers.at("value.slot"), std::vector<double>{2});
  EXPECT_EQ(columns.texts.at("value.text"), std::vector<std::string>{text});
  EXPECT_EQ(columns.number("value.left_out"), 0);
  EXPECT_EQ(columns.number("value.most"), 16 << 20);
  EXPECT_EQ(values.shown(), 1);
}

TEST(ValueColumns, TheNewestSnapshotsHaveTheRoomThatThereIs) {
  const SampleFile file;
  for (int i = 0; i < 3; ++i) {
    file.add_snapshot();
  }
  const std::uint64_t each = text.size() + beside;
  for (const std::uint64_t fit : {0U, 1U, 2U, 3U}) {
    ValueColumns values(each * fit + each / 2);
    const std::vector<ReadColumns> all = columns_with(file, values);
    ASSERT_EQ(all.size(), 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool is_shown = all.size() - i <= fit;
      EXPECT_EQ(all[i].numbers.at("value.slot").size(), is_shown ? 1U : 0U) << fit << " " << i;
      EXPECT_EQ(all[i].number("value.left_out"), is_shown ? 0 : 1) << fit << " " << i;
      EXPECT_EQ(all[i].number("value.most"), static_cast<double>(each * fit + each / 2));
    }
    EXPECT_EQ(values.shown(), fit);
  }
}

}  // namespace
}  // namespace tarn::sight
