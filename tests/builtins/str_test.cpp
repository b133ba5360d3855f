// str and bytes: code points, interning, hashes.
#include "builtins/setups.h"

namespace tarn::test {
namespace {

class Strings : public BuiltinsTest {};

TEST_F(Strings, AreMadeOfCodePoints) {
  const Ref<Str> mixed = text("aé€😀z");
  EXPECT_EQ(mixed->length(), 5U);
  EXPECT_EQ(mixed->size(), 11U);
  EXPECT_FALSE(mixed->is_ascii());
  EXPECT_EQ(mixed->at(3)->utf8(), "😀");
  EXPECT_EQ(mixed->at(-5)->utf8(), "a");
  EXPECT_EQ(mixed->slice({.start = 1, .stop = 4})->utf8(), "é€😀");
  EXPECT_EQ(mixed->slice({.step = -2})->utf8(), "z€a");
  EXPECT_EQ(mixed->find(*text("😀")), 3);
  EXPECT_EQ(mixed->find(*text("a"), 1), -1);
  std::string back;
  for (const Ref<Object>& point : each(*mixed)) {
    back = std::string(static_cast<Str&>(*point).utf8()) + back;
  }
  EXPECT_EQ(back, "z😀€éa");
  EXPECT_THROW((void)mixed->at(5), IndexError);
}

TEST_F(Strings, ThatAreNoUtf8AreRefused) {
  for (const char* bad : {"\x80", "a\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xFF", "12345678\xE2\x82", "\xF0\x80\x80\x80"}) {
    EXPECT_THROW((void)text(bad), ValueError);
    EXPECT_THROW((void)all.intern(bad), ValueError);
  }
  try {
    (void)text("12345678\xE2\x82");
    ADD_FAILURE();
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "the text is no UTF-8 from byte 8 on");
  }
}

TEST_F(Strings, OfOneCharacterExistOnce) {
  EXPECT_EQ(text("é"), text("aé")->at(1));
  EXPECT_EQ(text(""), text("abc")->slice({.start = 2, .stop = 1}));
  EXPECT_TRUE(text("x")->is_immortal());
  EXPECT_NE(text("€"), text("€"));
  EXPECT_EQ(all.bytes("\xFF"), all.bytes("a\xFF")->slice({.start = 1}));
}

TEST_F(Strings, ThatAreInternedAreOneAndDie) {
  const std::size_t before = live(heap);
  Ref<Str> name = all.intern("a name");
  EXPECT_EQ(all.intern("a name"), name);
  EXPECT_NE(text("a name"), name);
  EXPECT_TRUE(name->is_interned());
  EXPECT_EQ(all.interned(), 1U);
  name = nullptr;
  EXPECT_EQ(all.interned(), 0U);
  EXPECT_EQ(live(heap), before);
  name = all.intern("a name");
  EXPECT_EQ(name->utf8(), "a name");
  EXPECT_EQ(all.intern("x"), text("x"));
}

// A str that is yet to die is none that could be had.
TEST_F(Strings, ThatWaitForTheirEndAreNotFound) {
  Ref<Str> name = all.intern("late");
  int called = 0;
  const Weak<Str> weak(name, [&] {
    ++called;
    const Ref<Str> another = all.intern("late");
    EXPECT_EQ(another->utf8(), "late");
    EXPECT_TRUE(another->is_interned());
  });
  name = nullptr;
  EXPECT_EQ(called, 1);
  EXPECT_EQ(all.interned(), 0U);
}

// The values are CPython 3.11's, with PYTHONHASHSEED=0.
TEST_F(Strings, HashAsCPythonsWithTheSameSeed) {
  EXPECT_EQ(hash(*text("")), 0U);
  EXPECT_EQ(hash(*text("abc")), hash(*all.bytes("abc")));
  EXPECT_NE(hash(*text("é")), hash(*all.bytes("é")));  // of its code points, in one byte each
  EXPECT_EQ(hash(*text("é")), hash(*all.bytes("\xE9")));
  EXPECT_EQ(hash(*text("\u20AC")), hash(*all.bytes("\xAC\x20")));
  ObjectHeap other_heap;
  Builtins other(other_heap);
  EXPECT_NE(hash(*other.string("abc")),
            hash(*text("abc")));  // with a random seed: but for one in 2^64
}

TEST_F(Strings, RepeatedBeyondMemoryAreRefused) {
  EXPECT_THROW((void)text("ab")->repeat(INT64_MAX), std::bad_alloc);
  EXPECT_THROW((void)all.bytes("ab")->repeat(INT64_MAX / 4), std::bad_alloc);
  EXPECT_THROW((void)all.tuple({number(1)})->repeat(INT64_MAX / 2), std::bad_alloc);
  EXPECT_EQ(text("ab")->repeat(-1), text(""));
  EXPECT_EQ(text("é")->repeat(3)->length(), 3U);
}

}  // namespace
}  // namespace tarn::test
