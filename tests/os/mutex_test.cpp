#include "os/mutex.h"

#include <atomic>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "support/child_process.h"

namespace tarn::os {
namespace {

TEST(AMutex, LetsOneThreadInAtATime) {
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5000; ++j) {
        const Locked locked(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(count, 20000);
}

// The mutexes below are static, each with an address of its own: they are never destroyed, and on the stack
// ThreadSanitizer would take one for another of an earlier test.

// The other thread changes two numbers under the lock, always together. A child must be able to take the
// lock, and must find the numbers equal, at whatever moment it was forked.
TEST(AForkSafeMutex, IsFreeInTheChildAndItsDataInOrder) {
  static ForkSafeMutex mutex;
  ASSERT_TRUE(mutex.enlist());
  volatile long one = 0;
  volatile long other = 0;
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    while (!stop) {
      const Locked locked(mutex);
      one = one + 1;
      std::this_thread::yield();  // so that forks come while the numbers differ
      other = other + 1;
    }
  });
  for (int i = 0; i < 50; ++i) {
    const test::ChildResult result = test::run_in_child([&] {
      ::alarm(20);
      const Locked locked(mutex);
      ::_exit(one == other ? 0 : 3);
    });
    ASSERT_TRUE(result.exited) << "signal " << result.signal << " in fork " << i;
    ASSERT_EQ(result.exit_code, 0) << "fork " << i;
  }
  stop = true;
  thread.join();
  mutex.leave();
}

TEST(AForkSafeMutex, IsFreeInTheParentAfterAFork) {
  static ForkSafeMutex one;
  static ForkSafeMutex other;
  ASSERT_TRUE(one.enlist());
  ASSERT_TRUE(other.enlist());
  static_cast<void>(test::run_in_child([] {}));
  // One after the other: nobody may hold two, since fork takes them in an order of its own.
  one.lock();
  one.unlock();
  other.lock();
  other.unlock();
  other.leave();
  one.leave();
}

TEST(AForkSafeMutex, IsNoLongerWaitedForOnceItLeft) {
  static ForkSafeMutex mutex;
  ASSERT_TRUE(mutex.enlist());
  mutex.leave();
  const Locked locked(mutex);
  const test::ChildResult result = test::run_in_child([] {});  // would wait for itself
  EXPECT_TRUE(result.exited);
}

TEST(AForkSafeMutex, LeavesOthersInPlaceWhenItLeaves) {
  static ForkSafeMutex mutexes[3];
  for (ForkSafeMutex& mutex : mutexes) {
    ASSERT_TRUE(mutex.enlist());
  }
  mutexes[1].leave();
  const test::ChildResult result = test::run_in_child([] {
    ::alarm(20);
    mutexes[0].lock();
    mutexes[0].unlock();
    mutexes[2].lock();
    mutexes[2].unlock();
  });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  mutexes[2].leave();
  mutexes[0].leave();
  mutexes[0].leave();  // not enlisted: nothing happens
}

}  // namespace
}  // namespace tarn::os
