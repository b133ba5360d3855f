#include "tools/cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::cli {
namespace {

using testing::ElementsAre;

TEST(Text, EscapesWhatIsNotPrintableAndTheBackslash) {
  EXPECT_EQ(escape("plain text ~"), "plain text ~");
  EXPECT_EQ(escape(std::string("a\x1b[2J\n\0b", 8)), "a\\x1b[2J\\x0a\\x00b");
  EXPECT_EQ(escape("\\"), "\\x5c");
  EXPECT_EQ(escape("\x7f\x80\xff"), "\\x7f\\x80\\xff");
}

TEST(Text, ShortensInTheMiddleAndNeverBeyondTheWidth) {
  EXPECT_EQ(shorten("short", 5), "short");
  EXPECT_EQ(shorten("/a/very/long/path/app.py", 15), "/a/v...h/app.py");
  for (std::size_t width = 0; width < 12; ++width) {
    EXPECT_EQ(shorten("twelve chars", width).size(), width);
  }
}

TEST(Text, WritesCountsWithCommas) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(count_text(18446744073709551615u), "18,446,744,073,709,551,615");
}

TEST(Text, WritesBytesInTheLargestUnitThatFits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1 KiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::uint64_t{12} << 20), "12 MiB");
  EXPECT_EQ(bytes_text(18446744073709551615u), "16.0 EiB");
}

TEST(Text, SplitsIntoLinesWithOrWithoutALastNewline) {
  EXPECT_THAT(lines_of(""), ElementsAre());
  EXPECT_THAT(lines_of("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("a\n\nb\n"), ElementsAre("a", "", "b"));
}

TEST(Text, AlignsATableWithRowsOfDifferentLength) {
  Table table;
  table.add({"", "now", "peak"});
  table.add({"arenas", "1", "1,000"});
  table.add({"x"});
  EXPECT_THAT(table.lines(), ElementsAre("        now   peak", "arenas    1  1,000", "x"));
}

}  // namespace
}  // namespace tarn::cli
