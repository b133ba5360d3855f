#include "integrations/python/version.h"

#include <gtest/gtest.h>

namespace tarn::python {
namespace {

TEST(AVersion, IsReadFromWhatPythonSays) {
  const Version version = parse_version("3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0]");
  EXPECT_EQ(version.major, 3);
  EXPECT_EQ(version.minor, 11);
  EXPECT_FALSE(version.free_threaded);
}

TEST(AVersion, IsZeroWhenItIsNotUnderstood) {
  for (const char* const text : {"", "3", "x.y", "PyPy", "3,11"}) {
    EXPECT_EQ(parse_version(text).major, 0) << text;
    EXPECT_NE(reason_against(parse_version(text)), nullptr) << text;
  }
}

TEST(AVersion, IsSupportedFromThreeEightToThreeFourteen) {
  EXPECT_NE(reason_against(parse_version("3.7.16 (default)")), nullptr);
  EXPECT_NE(reason_against(parse_version("2.7.18 (default)")), nullptr);
  EXPECT_NE(reason_against(parse_version("3.15.0a1 (main)")), nullptr);
  EXPECT_NE(reason_against(parse_version("4.8.0 (main)")), nullptr);
  EXPECT_EQ(reason_against(parse_version("3.8.18 (default)")), nullptr);
  EXPECT_EQ(reason_against(parse_version("3.14.0 (main)")), nullptr);
}

TEST(AFreeThreadedBuild, IsRefusedWithItsReason) {
  for (const char* const text :
       {"3.13.0 experimental free-threading build (main)", "3.14.0 free-threading build (main)"}) {
    EXPECT_TRUE(parse_version(text).free_threaded);
    EXPECT_STREQ(reason_against(parse_version(text)),
                 "a free-threaded build finds its objects by walking its own allocator's heaps, so "
                 "that one can't be replaced; use a build with a GIL");
  }
}

}  // namespace
}  // namespace tarn::python
