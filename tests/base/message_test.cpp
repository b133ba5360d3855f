#include "base/message.h"

#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/child_process.h"

namespace tarn::base {
namespace {

std::string text_of(const Message& message) { return {message.begin(), message.length()}; }

TEST(Message, WritesNumbersInDecimal) {
  EXPECT_EQ(text_of(Message().number(0)), "0");
  EXPECT_EQ(text_of(Message().number(1234567890)), "1234567890");
  EXPECT_EQ(text_of(Message().number(UINT64_MAX)), "18446744073709551615");
}

TEST(Message, WritesAddressesInHexadecimalWithoutLeadingZeros) {
  EXPECT_EQ(text_of(Message().address(nullptr)), "0x0");
  EXPECT_EQ(text_of(Message().address(reinterpret_cast<void*>(0x7f00a0b0))), "0x7f00a0b0");
  EXPECT_EQ(text_of(Message().address(reinterpret_cast<void*>(UINTPTR_MAX))), "0xffffffffffffffff");
}

TEST(Message, EscapesBlanksBackslashesAndWhatIsNotPrintable) {
  EXPECT_EQ(text_of(Message().escaped("a b\\c\n\x7f\xff~!")), "a\\x20b\\x5cc\\x0a\\x7f\\xff~!");
}

TEST(Message, JoinsItsPartsInOrder) {
  EXPECT_EQ(text_of(Message().text("block ").number(5).text(" of ").number(170)), "block 5 of 170");
}

TEST(Message, CutsOffWhatDoesNotFit) {
  Message message;
  for (int i = 0; i < 5000; ++i) {
    message.text("x");
  }
  EXPECT_EQ(message.length(), 2048U);
  EXPECT_EQ(text_of(message), std::string(2048, 'x'));
}

TEST(Message, IsWrittenWhole) {
  const test::ChildResult result =
      test::run_in_child([] { Message().text("one line\n").write_to(standard_error); });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.standard_error, "one line\n");
}

TEST(Message, IsNoErrorWhenNobodyReadsIt) {
  const test::ChildResult result = test::run_in_child([] { Message().text("x").write_to(-1); });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Message, EndsTheProcessWhenItIsAFailure) {
  EXPECT_EQ(test::text_of_abort([] { fail(Message().text("tarn: the reason\n")); }),
            "tarn: the reason\n");
}

}  // namespace
}  // namespace tarn::base
