#include "base/list.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/child_process.h"

namespace tarn::base {
namespace {

struct Link {
  int number = 0;
  Link* next = nullptr;
  Link* previous = nullptr;
};

std::vector<int> numbers_in(const List<Link>& list) {
  list.verify();
  std::vector<int> numbers;
  for (const Link* link = list.first(); link != nullptr; link = link->next) {
    numbers.push_back(link->number);
  }
  return numbers;
}

class AList : public testing::Test {
 protected:
  AList() {
    list_.push_front(c_);
    list_.push_front(b_);
    list_.push_front(a_);
  }

  Link a_{1};
  Link b_{2};
  Link c_{3};
  Link other_{9};
  List<Link> list_;
};

TEST(AnEmptyList, HasNoFirstElement) {
  const List<Link> list;
  EXPECT_TRUE(list.is_empty());
  EXPECT_EQ(list.first(), nullptr);
  list.verify();
}

TEST_F(AList, PutsAtTheFrontWhatIsPushedThere) {
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(1, 2, 3));
  EXPECT_FALSE(list_.is_empty());
}

TEST_F(AList, InsertsAfterAnElementInTheMiddle) {
  list_.insert_after(a_, other_);
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(1, 9, 2, 3));
}

TEST_F(AList, InsertsAfterTheLast) {
  list_.insert_after(c_, other_);
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(1, 2, 3, 9));
}

TEST_F(AList, RemovesFromTheFrontTheMiddleAndTheEnd) {
  list_.remove(b_);
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(1, 3));
  list_.remove(c_);
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(1));
  list_.remove(a_);
  EXPECT_TRUE(list_.is_empty());
}

TEST_F(AList, ForgetsTheLinksOfWhatItRemoves) {
  list_.remove(b_);
  EXPECT_EQ(b_.next, nullptr);
  EXPECT_EQ(b_.previous, nullptr);
  list_.push_front(b_);
  EXPECT_THAT(numbers_in(list_), testing::ElementsAre(2, 1, 3));
}

TEST_F(AList, AbortsInVerifyWhenItsLinksDisagree) {
  c_.previous = &a_;
  EXPECT_THAT(
      test::text_of_abort([&] { list_.verify(); }),
      testing::StartsWith("tarn: broken invariant: a list's links agree in both directions"));
}

}  // namespace
}  // namespace tarn::base
