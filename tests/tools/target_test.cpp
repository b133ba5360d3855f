#include "tools/cli/target.h"

#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

std::string problem_of(const std::string& word) {
  try {
    return std::to_string(read_process_id(word, "tarn release"));
  } catch (const UsageError& error) {
    return error.what();
  }
}

std::string problem_of(pid_t pid) {
  try {
    return find_target(pid).name;
  } catch (const Failure& failure) {
    return failure.what();
  }
}

TEST(Target, AProcessIdIsAPositiveNumberAndNothingElse) {
  EXPECT_EQ(read_process_id("4711", "tarn release"), 4711);
  EXPECT_EQ(read_process_id("2147483647", "tarn release"), 2147483647);
  for (const char* const word : {"", "0", "-1", "+1", " 1", "1 ", "0x10", "1.5", "2147483648",
                                 "self", "99999999999999999999", "4711/../1"}) {
    EXPECT_EQ(problem_of(std::string(word)),
              "'" + std::string(word) + "' is not a process id; try 'tarn release --help'");
  }
  EXPECT_EQ(problem_of(std::string("\x1b[2J")),
            "'\\x1b[2J' is not a process id; try 'tarn release --help'");
}

TEST(Target, IsFoundWithItsUserAndItsStart) {
  const Target target = find_target(::getpid());
  EXPECT_EQ(target.pid, ::getpid());
  EXPECT_EQ(target.user, ::geteuid());
  EXPECT_GT(target.start, 0U);
  EXPECT_NE(target.name.find("tools_test"), std::string::npos) << target.name;
  EXPECT_GT(resident_bytes(::getpid()), std::uint64_t{1} << 20);
}

TEST(Target, AThreadsIdAndAnIdOfNobodyAreNoProcess) {
  pid_t thread_id = 0;
  std::thread([&] {
    thread_id = ::gettid();
    EXPECT_EQ(problem_of(thread_id), "there is no process " + std::to_string(thread_id));
  }).join();
  EXPECT_EQ(problem_of(pid_t{2147483647}), "there is no process 2147483647");
}

TEST(Target, OneThatHasEndedIsSaidToHave) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(0);
  }
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(problem_of(child), "process " + std::to_string(child) + " has ended");
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(problem_of(child), "there is no process " + std::to_string(child));
}

}  // namespace
}  // namespace tarn::cli
