#include "base/assert.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/child_process.h"

namespace tarn::base {
namespace {

TEST(AFailedCheck, PrintsTheInvariantTheExpressionBothValuesAndThePlace) {
  const std::size_t seen = 3;
  const std::string text =
      test::text_of_abort([&] { TARN_CHECK(seen, ==, 4U, "Z1: there are four"); });
  EXPECT_THAT(text, testing::StartsWith("tarn: broken invariant: Z1: there are four\n"
                                        "  seen == 4U does not hold: left 3 (0x3), right 4 (0x4)\n"
                                        "  at "));
  EXPECT_THAT(text, testing::HasSubstr("assert_test.cpp:"));
}

TEST(AFailedCheck, PrintsPointersAsAddresses) {
  const int* const nowhere = nullptr;
  const int* const somewhere = reinterpret_cast<const int*>(0x1000);
  EXPECT_THAT(test::text_of_abort([&] { TARN_CHECK(nowhere, ==, somewhere, "the same"); }),
              testing::HasSubstr("left 0 (0x0), right 4096 (0x1000)"));
}

TEST(ACheckThatHolds, EvaluatesBothSidesOnceAndSaysNothing) {
  int left = 0;
  int right = 0;
  TARN_CHECK(++left, ==, ++right, "they stay equal");
  EXPECT_EQ(left, 1);
  EXPECT_EQ(right, 1);
}

TEST(ADebugCheck, IsMadeOnlyInBuildsWithAssertions) {
  const test::ChildResult result =
      test::run_in_child([] { TARN_DEBUG_CHECK(1, ==, 2, "never holds"); });
  EXPECT_EQ(result.exited, !tarn_debug_checks);
}

TEST(AnExpensiveCheck, IsMadeOnlyWhereItIsAskedFor) {
  bool made = false;
  TARN_EXPENSIVE(made = true);
  EXPECT_EQ(made, tarn_expensive_checks);
}

}  // namespace
}  // namespace tarn::base
