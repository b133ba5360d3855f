#include "tools/cli/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace tarn::cli {
namespace {

constexpr pid_t child = 4711;
constexpr pid_t somebody = 42;

siginfo_t signal_of(int signal, int code, pid_t sender) {
  siginfo_t info = {};
  info.si_signo = signal;
  info.si_code = code;
  info.si_pid = sender;
  return info;
}

TEST(Signals, FromTheTerminalHaveReachedTheProgramAlready) {
  for (const int signal : {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SIGHUP}) {
    EXPECT_FALSE(must_pass_on(signal_of(signal, SI_KERNEL, 0), child, false)) << signal;
  }
}

TEST(Signals, AHangUpIsPassedOnByTheLeaderOfTheSession) {
  EXPECT_TRUE(must_pass_on(signal_of(SIGHUP, SI_KERNEL, 0), child, true));
  EXPECT_FALSE(must_pass_on(signal_of(SIGINT, SI_KERNEL, 0), child, true));
}

TEST(Signals, FromAnotherProcessArePassedOn) {
  for (const int signal :
       {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM, SIGTSTP, SIGRTMIN}) {
    for (const int code : {SI_USER, SI_QUEUE, SI_TKILL, SI_TIMER}) {
      EXPECT_TRUE(must_pass_on(signal_of(signal, code, somebody), child, false)) << signal;
    }
  }
}

TEST(Signals, AnAlarmSetBeforeTarnWasStartedIsPassedOn) {
  EXPECT_TRUE(must_pass_on(signal_of(SIGALRM, SI_KERNEL, 0), child, false));
}

TEST(Signals, FromTheProgramItselfAreNotPassedBack) {
  EXPECT_FALSE(must_pass_on(signal_of(SIGTERM, SI_USER, child), child, false));
}

TEST(HeldSignals, WaitInTheQueueAndTheRestIsAsItWasBefore) {
  sigset_t before;
  sigset_t after;
  ::sigprocmask(SIG_BLOCK, nullptr, &before);
  struct sigaction ignore = {};
  struct sigaction found = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, nullptr);
  {
    const HeldSignals signals;
    ::sigaction(SIGCHLD, nullptr, &found);
    EXPECT_EQ(found.sa_handler, SIG_DFL) << "an ignored SIGCHLD loses exit statuses";
    ::kill(::getpid(), SIGTERM);
    ::kill(::getpid(), SIGUSR1);
    siginfo_t info;
    ASSERT_EQ(::sigwaitinfo(&signals.set(), &info), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_USER);
    EXPECT_EQ(info.si_pid, ::getpid());
    EXPECT_EQ(sigismember(&signals.set(), SIGSEGV), 0);
  }  // The SIGTERM that was not asked for would end this test here.
  ::sigprocmask(SIG_BLOCK, nullptr, &after);
  for (const int signal : {SIGTERM, SIGUSR1, SIGCHLD, SIGINT}) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
  }
  ::sigaction(SIGCHLD, nullptr, &found);
  EXPECT_EQ(found.sa_handler, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
}

}  // namespace
}  // namespace tarn::cli
