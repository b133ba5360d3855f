#include "os/event.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace tarn::os {
namespace {

using Clock = std::chrono::steady_clock;

TEST(AnEvent, IsWaitedForUntilTheTimeIsUp) {
  Event event;
  const auto start = Clock::now();
  EXPECT_FALSE(event.wait_for(30));
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
}

TEST(AnEvent, ThatIsSetIsNotWaitedFor) {
  Event event;
  event.set();
  EXPECT_TRUE(event.wait_for(60'000));
  EXPECT_TRUE(event.wait_for(60'000)) << "it stays set";
  event.reset();
  EXPECT_FALSE(event.wait_for(0));
}

TEST(AnEvent, WakesTheThreadThatWaits) {
  Event event;
  bool woken = false;
  std::thread waiter([&] { woken = event.wait_for(60'000); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  event.set();
  waiter.join();
  EXPECT_TRUE(woken);
}

TEST(AnEvent, LeavesErrnoToWhoeverSetsIt) {
  Event event;
  errno = ERANGE;
  event.set();
  EXPECT_EQ(errno, ERANGE);
}

}  // namespace
}  // namespace tarn::os
