#include "tools/cli/capture.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

using namespace std::chrono_literals;

Program shell(const std::string& code) {
  Program program;
  program.path = "/bin/sh";
  program.argv = {"sh", "-c", code};
  program.environment = Environment::of_this_process();
  return program;
}

Captured captured(const std::string& code, CaptureLimits limits = {}) {
  Program program = shell(code);
  return capture(program, limits);
}

bool exists(const std::string& pid) { return ::kill(std::stoi(pid), 0) == 0; }

TEST(Capture, TakesBothStreamsAndTheStatus) {
  const Captured result = captured("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.end, Captured::End::by_itself);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(WEXITSTATUS(result.wait_status), 3);
}

TEST(Capture, TakesAllThatIsWrittenUpToTheLimit) {
  const Captured result = captured("head -c 60000 /dev/zero");
  EXPECT_EQ(result.end, Captured::End::by_itself);
  EXPECT_EQ(result.output.size(), 60000u);
}

TEST(Capture, GivesAnEmptyStandardInputAndNoTerminal) {
  EXPECT_EQ(captured("cat; (: >/dev/tty) 2>/dev/null || echo none").output, "none\n");
}

TEST(Capture, EndsWhatTakesTooLong) {
  const auto start = std::chrono::steady_clock::now();
  const Captured result = captured("trap '' TERM INT; echo started; sleep 100", {300ms, 1000});
  EXPECT_EQ(result.end, Captured::End::out_of_time);
  EXPECT_EQ(result.output, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(Capture, EndsWhatPrintsTooMuch) {
  const Captured result = captured("yes", {10s, 1000});
  EXPECT_EQ(result.end, Captured::End::too_much_output);
  EXPECT_EQ(result.output.size(), 1001u);
  EXPECT_EQ(captured("yes >&2", {10s, 1000}).end, Captured::End::too_much_output);
}

TEST(Capture, DoesNotWaitForAGrandchildThatKeepsThePipeOpenAndEndsIt) {
  const auto start = std::chrono::steady_clock::now();
  const Captured result = captured("sleep 100 & echo $!");
  EXPECT_EQ(result.end, Captured::End::by_itself);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  ASSERT_FALSE(result.output.empty());
  for (int attempt = 0; attempt < 100 && exists(result.output); ++attempt) {
    std::this_thread::sleep_for(20ms);  // until whoever adopted it has reaped it
  }
  EXPECT_FALSE(exists(result.output));
}

TEST(Capture, IsInterruptedByASignalThatAsksTarnToEnd) {
  Program program = shell("kill -TERM $PPID; sleep 100");
  try {
    static_cast<void>(capture(program, {}));
    FAIL() << "not interrupted";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal, SIGTERM);
  }
}

TEST(Capture, SaysThatAProgramCannotBeExecuted) {
  Program program = shell("");
  program.path = "/nowhere/program";
  const Captured result = capture(program, {});
  EXPECT_EQ(WEXITSTATUS(result.wait_status), exit_not_found);
  EXPECT_EQ(result.errors, "sh: its interpreter is missing");
}

}  // namespace
}  // namespace tarn::cli
