#include "sight/clean_text.h"

#include <gtest/gtest.h>

namespace tarn::sight {
namespace {

TEST(CleanText, LetsTextBeAndMovesNoCursor) {
  EXPECT_EQ(clean_text("größe 数"), "größe 数");
  EXPECT_EQ(clean_text("a\x1b[31m\n\\"), "a\\x1b[31m\\x0a\\x5c");
  EXPECT_EQ(clean_text("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(clean_text("\xc2\x85"), "\\xc2\\x85");                    // a control
  EXPECT_EQ(clean_text("\xe2\x80\xae"), "\\xe2\\x80\\xae");           // turns what follows
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // half a pair
  EXPECT_EQ(clean_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond the last
  EXPECT_EQ(clean_text("\xc0\xaf"), "\\xc0\\xaf");                    // longer than need be
}

}  // namespace
}  // namespace tarn::sight
