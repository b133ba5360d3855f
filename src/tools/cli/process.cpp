#include "tools/cli/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

std::vector<char*> pointers_of(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void exec_failed(const Program& program, int error) {
  const std::string name = escape(program.argv.front());
  switch (error) {
    case ENOENT:
      // The file was there a moment ago: what is missing is what it names in its first line or, for
      // a binary, its loader.
      throw Failure(exit_not_found, fmt::format("{}: its interpreter is missing", name));
    case EACCES:
      throw Failure(exit_not_executable, fmt::format("{}: not executable", name));
    default:
      throw Failure(exit_not_executable, fmt::format("{}: {}", name, std::strerror(error)));
  }
}

// Whether this process group is the one that the terminal's keys act on.
bool is_in_foreground() {
  const int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return false;
  }
  const bool result = ::tcgetpgrp(terminal) == ::getpgrp();
  ::close(terminal);
  return result;
}

class Supervisor {
 public:
  Supervisor(pid_t child, const HeldSignals& signals) : child_(child), signals_(signals) {}

  int wait() {
    while (!collect()) {
      siginfo_t info;
      if (::sigwaitinfo(&signals_.set(), &info) < 0) {
        continue;  // interrupted by a stop and a continuation
      }
      if (info.si_signo == SIGCONT) {
        if (collect()) {
          break;
        }
        continued(info);
      } else if (info.si_signo != SIGCHLD && must_pass_on(info, child_, leads_session_)) {
        pass_on(info);
      }
    }
    return status_;
  }

 private:
  // Takes every change of the child's state. One SIGCHLD may stand for several.
  bool collect() {
    pid_t changed;
    while ((changed = ::waitpid(child_, &status_, WNOHANG | WUNTRACED | WCONTINUED)) == child_) {
      if (WIFSTOPPED(status_)) {
        child_is_stopped_ = true;
        follow_stop(WSTOPSIG(status_));
      } else if (WIFCONTINUED(status_)) {
        child_is_stopped_ = false;
      } else {
        return true;
      }
    }
    if (changed < 0) {
      throw Failure(exit_failure,
                    fmt::format("waiting for process {}: {}", child_, std::strerror(errno)));
    }
    return false;
  }

  void follow_stop(int signal) {
    // A plain SIGSTOP is followed only where a user would otherwise be left at a terminal that no job
    // reads from. Elsewhere whoever stops the program by its id will continue it by its id, and
    // nobody would continue tarn.
    if (signal == SIGSTOP && !is_in_foreground()) {
      return;
    }
    follows_stop_ = true;
    stop_self(signal);
  }

  void continued(const siginfo_t& info) {
    if (child_is_stopped_) {
      ::kill(child_, SIGCONT);
    } else if (!follows_stop_ && info.si_code != SI_KERNEL && info.si_pid != child_) {
      ::kill(child_, SIGCONT);  // a program may have a use of its own for it
    }
    follows_stop_ = false;
  }

  void pass_on(const siginfo_t& info) const {
    if (info.si_code == SI_QUEUE) {
      ::sigqueue(child_, info.si_signo, info.si_value);
    } else {
      ::kill(child_, info.si_signo);
    }
  }

  const pid_t child_;
  const HeldSignals& signals_;
  const bool leads_session_ = ::getsid(0) == ::getpid();
  bool child_is_stopped_ = false;
  bool follows_stop_ = false;  // since tarn stopped itself, until its SIGCONT is taken
  int status_ = 0;
};

}  // namespace

void become(Program& program) {
  const std::vector<char*> arguments = pointers_of(program.argv);
  const std::vector<char*> environment = program.environment.pointers();
  // The p in execvpe is for files without a "#!" line, which a shell then runs; path has a slash.
  ::execvpe(program.path.c_str(), arguments.data(), environment.data());
  exec_failed(program, errno);
}

pid_t spawn(Program& program, const HeldSignals& signals) {
  const std::vector<char*> arguments = pointers_of(program.argv);
  const std::vector<char*> environment = program.environment.pointers();
  int told[2];  // the child tells why exec failed; closed by an exec that didn't
  if (::pipe2(told, O_CLOEXEC) != 0) {
    throw Failure(exit_failure, fmt::format("pipe: {}", std::strerror(errno)));
  }
  const pid_t child = ::fork();
  if (child < 0) {
    throw Failure(exit_failure, fmt::format("fork: {}", std::strerror(errno)));
  }
  if (child == 0) {
    signals.restore_in_child();
    ::execvpe(program.path.c_str(), arguments.data(), environment.data());
    const int error = errno;
    static_cast<void>(!::write(told[1], &error, sizeof error));
    ::_exit(exit_not_found);
  }
  ::close(told[1]);
  int error = 0;
  ssize_t got;
  do {
    got = ::read(told[0], &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  ::close(told[0]);
  if (got == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(child, nullptr, 0);
    exec_failed(program, error);
  }
  return child;
}

int wait_and_pass_signals(pid_t child, const HeldSignals& signals) {
  return Supervisor(child, signals).wait();
}

int end_as(int wait_status) {
  if (WIFEXITED(wait_status)) {
    return WEXITSTATUS(wait_status);
  }
  const int signal = WTERMSIG(wait_status);
  // The program's core file is of use, tarn's is not. The limit keeps a file from being written, and
  // the flag keeps a collector of crashes (a pipe in core_pattern) from being started.
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
  return 128 + signal;
}

std::string signal_name(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  return abbreviation == nullptr ? fmt::format("signal {}", signal)
                                 : fmt::format("SIG{}", abbreviation);
}

}  // namespace tarn::cli
