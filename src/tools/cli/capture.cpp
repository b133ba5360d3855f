#include "tools/cli/capture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "tools/cli/descriptor.h"
#include "tools/cli/failure.h"
#include "tools/cli/process.h"

namespace tarn::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Descriptor reading;
  Descriptor writing;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw Failure(exit_failure, fmt::format("pipe: {}", std::strerror(errno)));
    }
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }
};

// The child and everything that is still in its session's first group.
class Session {
 public:
  explicit Session(pid_t leader) : leader_(leader) {}
  ~Session() {
    if (!reaped_) {
      static_cast<void>(end());
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] bool has_ended() const {
    siginfo_t info = {};
    return ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == leader_;
  }
  // Before the leader is reaped, so that the group's id can't be anybody else's.
  int end() {
    int status = 0;
    ::kill(-leader_, SIGKILL);
    ::kill(leader_, SIGKILL);
    while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return status;
  }

 private:
  pid_t leader_;
  bool reaped_ = false;
};

[[noreturn]] void run_child(Program& program, const HeldSignals& signals, int output, int errors,
                            pid_t parent) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(exit_failure);
  }
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  if (nothing > STDERR_FILENO) {
    ::close(nothing);
  }
  signals.restore_in_child();
  try {
    become(program);
  } catch (const Failure& failure) {
    static_cast<void>(!::write(STDERR_FILENO, failure.what(), std::strlen(failure.what())));
    ::_exit(failure.status());
  }
}

// Takes what is there, up to one byte over the limit. A stream at its end isn't polled again.
void drain(pollfd& stream, std::string& text, std::size_t limit) {
  std::array<char, 4096> buffer;
  while (stream.fd >= 0 && text.size() <= limit) {
    const std::size_t room = std::min(buffer.size(), limit + 1 - text.size());
    const ssize_t got = ::read(stream.fd, buffer.data(), room);
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got < 0 && errno == EAGAIN) {
      return;
    } else if (got == 0 || errno != EINTR) {
      stream.fd = -1;
    }
  }
}

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

}  // namespace

Captured capture(Program& program, const CaptureLimits& limits) {
  const HeldSignals signals;
  Pipe output;
  Pipe errors;
  const Descriptor signal_queue(::signalfd(-1, &signals.set(), SFD_CLOEXEC | SFD_NONBLOCK));
  const Clock::time_point deadline = Clock::now() + limits.time;

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    throw Failure(exit_failure, fmt::format("fork: {}", std::strerror(errno)));
  }
  if (child == 0) {
    run_child(program, signals, output.writing.number(), errors.writing.number(), parent);
  }
  Session session(child);
  output.writing.close();
  errors.writing.close();
  ::fcntl(output.reading.number(), F_SETFL, O_NONBLOCK);
  ::fcntl(errors.reading.number(), F_SETFL, O_NONBLOCK);

  Captured captured;
  std::array<pollfd, 3> waited = {pollfd{signal_queue.number(), POLLIN, 0},
                                  pollfd{output.reading.number(), POLLIN, 0},
                                  pollfd{errors.reading.number(), POLLIN, 0}};
  bool ended = false;
  while (!ended) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      captured.end = Captured::End::out_of_time;
      break;
    }
    if (::poll(waited.data(), waited.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      throw Failure(exit_failure, fmt::format("poll: {}", std::strerror(errno)));
    }
    signalfd_siginfo info;
    while (::read(signal_queue.number(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (asks_to_end(static_cast<int>(info.ssi_signo))) {
        throw Interrupted{static_cast<int>(info.ssi_signo)};
      }
    }
    // Asked before the reading, so that all it wrote before it ended is read afterwards.
    ended = session.has_ended();
    drain(waited[1], captured.output, limits.bytes);
    drain(waited[2], captured.errors, limits.bytes);
    if (captured.output.size() > limits.bytes || captured.errors.size() > limits.bytes) {
      captured.end = Captured::End::too_much_output;
      break;
    }
  }
  captured.wait_status = session.end();
  return captured;
}

}  // namespace tarn::cli
