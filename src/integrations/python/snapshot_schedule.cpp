#include "integrations/python/snapshot_schedule.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "integrations/python/cpython.h"
#include "integrations/python/gil.h"
#include "integrations/python/hook.h"
#include "integrations/python/snapshot.h"
#include "os/mutex.h"

namespace tarn::python {

namespace {

constexpr int milliseconds_between_looks = 250;
constexpr int milliseconds_of_patience = 300'000;

// Its ends are closed in a child of fork too: the tool would wait for what the copy writes as long as that child lives.
struct Pipe {
  std::atomic<int> read_end{-1};
  std::atomic<int> write_end{-1};

  [[nodiscard]] bool open() noexcept;
  static void close(std::atomic<int>& end) noexcept;
  void close_both() noexcept {
    close(read_end);
    close(write_end);
  }
};

struct Schedule {
  std::atomic<bool> asked_by_signal{false};
  std::uint64_t next = 0;  // milliseconds of the clock
  std::uint64_t resident_at_last = 0;
  std::uint64_t resident_before = 0;
  bool has_peak = false;
  os::Mutex mutex;  // one at a time; not held by whoever forks, and so anew in a child
  os::ForkSafeMutex descriptors;  // over the pipes, whenever they change
  Pipe stream;                    // from the copy to the tool
  Pipe answer;                    // from the tool to us
  bool knows_fork = false;
};
constinit Schedule schedule;

std::uint64_t now_in_milliseconds() noexcept {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

void on_signal(int /*signal*/) noexcept {
  schedule.asked_by_signal.store(true, std::memory_order_relaxed);
}

// In pages. What the kernel keeps up to date, and not its exact sum.
std::uint64_t resident_pages() noexcept {
  char text[128];
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t got = file < 0 ? -1 : ::read(file, text, sizeof(text) - 1);
  ::close(file);
  if (got <= 0) {
    return 0;
  }
  text[got] = '\0';
  const char* const second = std::strchr(text, ' ');
  return second == nullptr ? 0 : std::strtoull(second, nullptr, 10);
}

void say(const char* what) noexcept {
  if (!hook.settings.quiet) {
    base::Message message;
    message.text("tarn: no snapshot of process ").number(static_cast<std::uint64_t>(::getpid()));
    message.text(": ").text(what).text("\n").write_to(base::standard_error);
  }
}

// ../bin/tarn of the library, or ../../bin/tarn where it's installed. Null: not there.
const char* find_tool() noexcept {
  static constinit char path[2048] = {};
  if (hook.settings.snapshot_tool[0] != '\0') {
    return hook.settings.snapshot_tool;
  }
  Dl_info info = {};
  if (::dladdr(&schedule, &info) == 0 || info.dli_fname == nullptr || info.dli_fname[0] != '/') {
    return nullptr;
  }
  const char* const slash = std::strrchr(info.dli_fname, '/');
  for (const char* const way : {"/../bin/tarn", "/../../bin/tarn"}) {
    std::snprintf(path, sizeof(path), "%.*s%s", static_cast<int>(slash - info.dli_fname),
                  info.dli_fname, way);
    if (::access(path, X_OK) == 0) {
      return path;
    }
  }
  return nullptr;
}

// What the tool is started with. Everything is put together before: between the clone and exec, nothing of the
// process's may change.
struct Start {
  const char* tool;
  const char* arguments[10];
  int input;
  int output;
  unsigned char* stack_of_tool;
};
constexpr std::size_t stack_size = std::size_t{32} * 1024;
constexpr int as_thread_until_exec = CLONE_VM | CLONE_VFORK;

int become_tool(void* data) noexcept {
  const auto& start = *static_cast<const Start*>(data);
  sigset_t none;
  ::sigemptyset(&none);
  // The numbers may be 0 and 1 themselves; a duplicate stays open when the program is executed.
  const int input = ::fcntl(start.input, F_DUPFD, 3);
  const int output = ::fcntl(start.output, F_DUPFD, 3);
  if (::dup2(input, 0) == 0 && ::dup2(output, 1) == 1) {
    ::close(input);
    ::close(output);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const char* const environment[] = {nullptr};
    ::execve(start.tool, const_cast<char* const*>(start.arguments),
             const_cast<char* const*>(environment));
  }
  ::_exit(127);
}

// Ends at once, so that the tool is nobody's child: its end would be seen by a program that waits for its own.
int become_nobody(void* data) noexcept {
  const auto& start = *static_cast<const Start*>(data);
  const int tool =
      ::clone(become_tool, start.stack_of_tool + stack_size, as_thread_until_exec, data);
  ::_exit(tool < 0 ? 1 : 0);
}

bool start_tool(Start& start) noexcept {
  alignas(16) static constinit unsigned char stacks[2][stack_size] = {};
  start.stack_of_tool = stacks[1];
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int nobody = ::clone(become_nobody, stacks[0] + stack_size, as_thread_until_exec, &start);
  int status = 0;
  while (nobody > 0 && ::waitpid(nobody, &status, copies_only) < 0 && errno == EINTR) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return nobody > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool Pipe::open() noexcept {
  const os::Locked locked(schedule.descriptors);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

void Pipe::close(std::atomic<int>& end) noexcept {
  const os::Locked locked(schedule.descriptors);
  if (const int number = end.exchange(-1); number >= 0) {
    ::close(number);
  }
}

struct PipesClosed {
  PipesClosed() = default;
  PipesClosed(const PipesClosed&) = delete;
  PipesClosed& operator=(const PipesClosed&) = delete;
  ~PipesClosed() {
    schedule.stream.close_both();
    schedule.answer.close_both();
  }
};

// Whoever was taking a snapshot is a thread of the parent's.
void forget_in_child() noexcept {
  new (&schedule.mutex) os::Mutex();
  schedule.stream.close_both();
  schedule.answer.close_both();
  schedule.asked_by_signal = false;
}

// Until the tool has ended, which says something only when the file is there. Where the copy is called off, the tool is
// told first, by its answer's having no reader: then what breaks off is no error.
bool wait_for_tool(Snapshot& copy, const std::atomic<bool>* stop) noexcept {
  constexpr int between_looks = 20;
  bool has_said = false;
  int waited = 0;
  for (;;) {
    if (copy.copy > 0) {
      static_cast<void>(look_at_snapshot(copy));
    }
    pollfd wanted = {schedule.answer.read_end, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, between_looks);
    if (ready > 0) {
      char words[512];
      const ssize_t got = ::read(wanted.fd, words, sizeof(words));
      if (got == 0 || (got < 0 && errno != EINTR)) {
        break;
      }
      has_said = has_said || got > 0;
    }
    waited += between_looks;
    const bool is_too_long = waited > milliseconds_of_patience;
    if (is_too_long) {
      say("it takes longer than five minutes");
    }
    if (is_too_long || (stop != nullptr && *stop)) {
      Pipe::close(schedule.answer.read_end);
      break;
    }
  }
  end_copy(copy);
  return has_said;
}

enum class Existing : std::uint8_t { replace, append };

// Without the GIL: it's taken for the copying alone. False: it has been said why, or the tool has said it.
bool take(const char* reason, const char* file, Existing existing,
          const std::atomic<bool>* stop) noexcept {
  const os::Locked locked(schedule.mutex);
  const char* const tool = find_tool();
  if (tool == nullptr) {
    say("the command tarn isn't beside the library; set TARN_SNAPSHOT_TOOL to its path");
    return false;
  }
  const PipesClosed closed_at_the_end;
  if (!schedule.stream.open() || !schedule.answer.open()) {
    say("the system grants no pipe");
    return false;
  }
  Start start = {.tool = tool,
                 .arguments = {"tarn", "snapshot", "--from-stream", "--reason", reason, "--output",
                               file[0] == '\0' ? "." : file,
                               existing == Existing::append ? "--append" : nullptr},
                 .input = schedule.stream.read_end,
                 .output = schedule.answer.write_end,
                 .stack_of_tool = nullptr};
  if (!start_tool(start)) {
    say("the system starts no process");
    return false;
  }
  Pipe::close(schedule.stream.read_end);
  Pipe::close(schedule.answer.write_end);
  if (!wait_to_be_let_in()) {
    Pipe::close(schedule.stream.write_end);
    say(why_kept_out);
    return false;
  }
  Snapshot copy;
  const int gil = PyGILState_Ensure();
  const bool begun = hook.state == State::living &&
                     begin_snapshot(schedule.stream.write_end,
                                    hook.settings.snapshot_values ? Values::yes : Values::no, copy);
  const int error = errno;
  PyGILState_Release(gil);
  Pipe::close(schedule.stream.write_end);
  if (!begun) {
    say(why_no_copy(error));
    return false;
  }
  return wait_for_tool(copy, stop);
}

bool is_peak() noexcept {
  constexpr std::uint64_t least_growth = 512;  // pages
  const std::uint64_t now = resident_pages();
  const std::uint64_t before = schedule.resident_before;
  schedule.resident_before = now;
  const std::uint64_t last = schedule.resident_at_last;
  const bool has_grown = now > last + last / 16 + least_growth;
  const bool has_grown_much = now > last + last / 2 + least_growth;
  // Where it stops growing for a moment, or before too much has come.
  if (has_grown_much || (has_grown && now <= before + before / 64)) {
    schedule.resident_at_last = now;
    return true;
  }
  return false;
}

}  // namespace

void prepare_snapshots() noexcept {
  const Settings& settings = hook.settings;
  schedule.next = now_in_milliseconds() + settings.snapshot_milliseconds;
  schedule.resident_at_last = resident_pages();
  if (!schedule.knows_fork) {
    schedule.knows_fork =
        schedule.descriptors.enlist() && ::pthread_atfork(nullptr, nullptr, forget_in_child) == 0;
  }
  struct sigaction now = {};
  if (settings.snapshot_signal != 0 && ::sigaction(settings.snapshot_signal, nullptr, &now) == 0 &&
      now.sa_handler == SIG_DFL) {
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(settings.snapshot_signal, &action, nullptr);
  }
}

int time_to_next_snapshot() noexcept {
  const bool is_watched = hook.settings.snapshot_signal != 0 ||
                          hook.settings.snapshot_at == SnapshotAt::peak ||
                          hook.settings.snapshot_at == SnapshotAt::every;
  return is_watched ? milliseconds_between_looks : -1;
}

void take_due_snapshot(const std::atomic<bool>& stop) noexcept {
  const char* const file = hook.settings.snapshot_file;
  if (schedule.asked_by_signal.exchange(false, std::memory_order_relaxed)) {
    static_cast<void>(take("signal", file, Existing::append, &stop));
  }
  if (hook.settings.snapshot_at == SnapshotAt::every && now_in_milliseconds() >= schedule.next) {
    static_cast<void>(take("every", file, Existing::append, &stop));
    schedule.next = now_in_milliseconds() + hook.settings.snapshot_milliseconds;
  }
  if (hook.settings.snapshot_at == SnapshotAt::peak && now_in_milliseconds() >= schedule.next &&
      is_peak()) {
    const std::uint64_t began = now_in_milliseconds();
    schedule.has_peak = take("peak", file, Existing::replace, &stop) || schedule.has_peak;
    // A fifth of the time at most is a copy's.
    schedule.next = now_in_milliseconds() + 4 * (now_in_milliseconds() - began);
  }
}

void take_snapshot_at_exit() noexcept {
  const SnapshotAt when = hook.settings.snapshot_at;
  if (when != SnapshotAt::exit &&
      (when != SnapshotAt::peak ||
       (schedule.has_peak && resident_pages() <= schedule.resident_at_last))) {
    return;
  }
  PyThreadState* const state = PyEval_SaveThread();
  static_cast<void>(take(when == SnapshotAt::exit ? "exit" : "peak", hook.settings.snapshot_file,
                         when == SnapshotAt::exit ? Existing::append : Existing::replace, nullptr));
  PyEval_RestoreThread(state);
}

}  // namespace tarn::python

// For ctypes.PyDLL(None) and for C extensions; needs the GIL, which is released while the file is written. `path` may
// be null: PROGRAM.PID.tarn.sqlite in the current folder. Adds to the file if it is there. 0: it's written.
extern "C" [[gnu::visibility("default")]] int tarn_snapshot(const char* path);
extern "C" int tarn_snapshot(const char* path) {
  using namespace tarn::python;
  if (hook.state != State::living || !has_gil()) {
    return -1;
  }
  PyThreadState* const state = PyEval_SaveThread();
  const bool done = take("call", path == nullptr ? "" : path, Existing::append, nullptr);
  PyEval_RestoreThread(state);
  return done ? 0 : -1;
}
