// int, bool, float and None: where words end, what is shared, what they throw.
#include <gmp.h>

#include "builtins/setups.h"

namespace tarn::test {
namespace {

class Numbers : public BuiltinsTest {};

TEST_F(Numbers, ThatAreSmallExistOnceAndForEver) {
  for (std::int64_t i = Builtins::least_small_int; i <= Builtins::most_small_int; ++i) {
    EXPECT_EQ(number(i), number(i));
    EXPECT_TRUE(number(i)->is_immortal());
    EXPECT_EQ(number(i)->word(), i);
  }
  EXPECT_NE(number(-6), number(-6));
  EXPECT_NE(number(257), number(257));
  EXPECT_FALSE(number(257)->is_immortal());
  EXPECT_EQ(add(*number(200), *number(56)), number(256));
  EXPECT_EQ(all.boolean(true), all.boolean(true));
  EXPECT_TRUE(all.none()->is_immortal());
  EXPECT_EQ(sizeof(Int), 32U);
}

TEST_F(Numbers, GoFromWordsToLimbsAndBack) {
  const Ref<Int> most = number(INT64_MAX);
  const Ref<Int> beyond = cast<Int>(add(*most, *number(1)));
  EXPECT_FALSE(beyond->is_word());
  EXPECT_EQ(repr(*beyond), "9223372036854775808");
  EXPECT_TRUE(cast<Int>(subtract(*beyond, *number(1)))->is_word());
  EXPECT_EQ(repr(*negate(*beyond)), "-9223372036854775808");
  EXPECT_TRUE(cast<Int>(negate(*beyond))->is_word());
  const Ref<Int> least = number(INT64_MIN);
  EXPECT_EQ(repr(*negate(*least)), "9223372036854775808");
  EXPECT_EQ(repr(*floor_divide(*least, *number(-1))), "9223372036854775808");
  EXPECT_EQ(repr(*modulo(*least, *number(-1))), "0");
  EXPECT_EQ(repr(*multiply(*least, *least)), "85070591730234615865843651857942052864");
  EXPECT_EQ(repr(*absolute(*least)), "9223372036854775808");
  EXPECT_EQ(repr(*shift_left(*number(-1), *number(63))), "-9223372036854775808");
  EXPECT_EQ(repr(*shift_right(*beyond, *number(1000))), "0");
  EXPECT_EQ(repr(*shift_right(*negate(*add(*beyond, *number(1))), *number(1000))), "-1");
  EXPECT_EQ(hash(*beyond), 4U);
}

TEST_F(Numbers, BoolIsAnInt) {
  EXPECT_TRUE(is<Int>(*all.boolean(true)));
  EXPECT_FALSE(is_exactly<Int>(*all.boolean(true)));
  EXPECT_EQ(repr(*add(*all.boolean(true), *all.boolean(true))), "2");
  EXPECT_EQ(bit_and(*all.boolean(true), *all.boolean(false)), all.boolean(false));
  EXPECT_TRUE(rich_compare(*all.boolean(true), *number(1), CompareOperator::equal));
  EXPECT_TRUE(rich_compare(*all.floating(1), *all.boolean(true), CompareOperator::equal));
  EXPECT_EQ(hash(*all.boolean(true)), hash(*all.floating(1.0)));
}

TEST_F(Numbers, SayWhatIsWrong) {
  const auto message_of = [](auto action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.name()) + ": " + error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(message_of([&] { (void)floor_divide(*number(1), *number(0)); }),
            "ZeroDivisionError: integer division or modulo by zero");
  EXPECT_EQ(message_of([&] { (void)add(*number(1), *text("a")); }),
            "TypeError: unsupported operand type(s) for +: 'int' and 'str'");
  EXPECT_EQ(message_of([&] { (void)shift_left(*number(1), *number(-1)); }),
            "ValueError: negative shift count");
  EXPECT_EQ(message_of([&] { (void)Int::parse(all, "12a"); }),
            "ValueError: invalid literal for int() with base 10: '12a'");
  EXPECT_EQ(message_of([&] { (void)Int::parse(all, "1\xFF"); }),
            "ValueError: invalid literal for int() with base 10: '1'");
  EXPECT_EQ(message_of([&] { (void)Float::parse("1_"); }),
            "ValueError: could not convert string to float: '1_'");
  EXPECT_EQ(message_of([&] { (void)cast<Int>(power(*number(10), *number(400)))->to_double(); }),
            "OverflowError: int too large to convert to float");
  EXPECT_EQ(message_of([&] { (void)rich_compare(*number(1), *text("a"), CompareOperator::less); }),
            "TypeError: '<' not supported between instances of 'int' and 'str'");
}

TEST_F(Numbers, ThatNoMachineHoldsAreOutOfMemory) {
  EXPECT_THROW((void)shift_left(*number(1), *power(*number(10), *number(30))), std::bad_alloc);
  EXPECT_THROW((void)power(*number(3), *power(*number(10), *number(30))), std::bad_alloc);
  EXPECT_THROW((void)power(*number(3), *number(INT64_MAX)), std::bad_alloc);
  EXPECT_EQ(repr(*power(*number(-1), *add(*power(*number(10), *number(30)), *number(1)))), "-1");
}

// GMP's functions would end the program when there's no memory: those that are used ask for none.
TEST_F(Numbers, LetGmpAllocateNothing) {
  static std::size_t requests = 0;
  void* (*allocate)(std::size_t) = nullptr;
  void* (*reallocate)(void*, std::size_t, std::size_t) = nullptr;
  void (*release)(void*, std::size_t) = nullptr;
  mp_get_memory_functions(&allocate, &reallocate, &release);
  mp_set_memory_functions(
      [](std::size_t size) {
        ++requests;
        return std::malloc(size);
      },
      [](void* block, std::size_t, std::size_t size) {
        ++requests;
        return std::realloc(block, size);
      },
      [](void* block, std::size_t) { std::free(block); });
  for (const std::int64_t bits : {60, 130, 3000, 6100, 6200, 20'000, 100'000, 400'000}) {
    const Ref<Object> left = subtract(*shift_left(*number(3), *number(bits)), *number(5));
    const Ref<Object> right = add(*shift_left(*number(1), *number(bits / 3)), *number(7));
    const Ref<Object> product = multiply(*left, *right);
    EXPECT_EQ(repr(*modulo(*product, *left)), "0");
    const Ref<Object> quotient = floor_divide(*product, *right);
    EXPECT_TRUE(rich_compare(*quotient, *left, CompareOperator::equal));
    EXPECT_TRUE(rich_compare(*Int::parse(all, repr(*left)), *left, CompareOperator::equal));
    const Ref<Object> square = multiply(*left, *left);
    EXPECT_TRUE(rich_compare(*floor_divide(*square, *left), *left, CompareOperator::equal));
    EXPECT_TRUE(rich_compare(*Int::parse(all, cast<Int>(square)->to_text(16), 16), *square,
                             CompareOperator::equal));
    (void)hash(*square);
  }
  mp_set_memory_functions(allocate, reallocate, release);
  EXPECT_EQ(requests, 0U);
}

TEST_F(Numbers, NanIsEqualToNothingButFoundByIdentity) {
  const Ref<Float> nan = all.floating(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(rich_compare(*nan, *nan, CompareOperator::equal));
  EXPECT_TRUE(same_or_equal(*nan, *nan));
  const Ref<Dict> dict = all.dict();
  dict->set(nan, number(1));
  EXPECT_TRUE(dict->contains(*nan));
  EXPECT_FALSE(dict->contains(*all.floating(std::numeric_limits<double>::quiet_NaN())));
}

TEST(BuiltinsOf, AHeapThatHasNone) {
  ObjectHeap heap;
  EXPECT_THROW((void)Builtins::of(heap), std::logic_error);
  Builtins all(heap);
  EXPECT_EQ(&Builtins::of(heap), &all);
  EXPECT_THROW(Builtins another(heap), std::logic_error);
}

TEST(BuiltinsOf, AHeapMayGoBeforeWhatIsLeftDies) {
  ObjectHeap heap;
  {
    Builtins all(heap);
    const Ref<List> list = all.list({all.intern("an interned one that goes with the heap")});
    list->append(list);
  }
  heap.verify();
}

}  // namespace
}  // namespace tarn::test
