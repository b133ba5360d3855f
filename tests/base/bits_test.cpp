#include "base/bits.h"

#include <gtest/gtest.h>

namespace tarn::base {
namespace {

TEST(Bits, RoundUpToTheNextMultipleAndLeaveMultiplesAlone) {
  EXPECT_EQ(round_up(0, 16), 0U);
  EXPECT_EQ(round_up(1, 16), 16U);
  EXPECT_EQ(round_up(16, 16), 16U);
  EXPECT_EQ(round_up(17, 16), 32U);
  EXPECT_EQ(round_up(4097, 4096), 8192U);
}

TEST(Bits, RoundDownToTheMultipleBefore) {
  EXPECT_EQ(round_down(0, 16), 0U);
  EXPECT_EQ(round_down(15, 16), 0U);
  EXPECT_EQ(round_down(16, 16), 16U);
  EXPECT_EQ(round_down(4097, 4096), 4096U);
}

TEST(Bits, ZeroIsNoPowerOfTwo) {
  EXPECT_FALSE(is_power_of_two(0));
  EXPECT_TRUE(is_power_of_two(1));
  EXPECT_FALSE(is_power_of_two(3));
  EXPECT_TRUE(is_power_of_two(std::size_t{1} << 63));
}

TEST(Bits, TheShiftOfAPowerOfTwoIsItsExponent) {
  EXPECT_EQ(shift_of(1), 0U);
  EXPECT_EQ(shift_of(4096), 12U);
  EXPECT_EQ(shift_of(std::size_t{1} << 63), 63U);
}

}  // namespace
}  // namespace tarn::base
