#include "integrations/python/control.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <initializer_list>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "integrations/python/at_exit.h"
#include "integrations/python/control_request.h"
#include "integrations/python/control_socket.h"
#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"
#include "integrations/python/lines.h"
#include "integrations/python/pulse.h"
#include "integrations/python/references.h"
#include "integrations/python/releaser.h"
#include "integrations/python/report.h"
#include "integrations/python/sites.h"
#include "integrations/python/snapshot.h"
#include "integrations/python/snapshot_schedule.h"
#include "os/event.h"
#include "os/mutex.h"

namespace tarn::python {

namespace {

enum class Phase : std::uint8_t { off, listening, called, forked };

constexpr unsigned patience_milliseconds = 1000;
constexpr std::size_t stack_size = std::size_t{256} * 1024;
// A program that ends before pays for the thread's creation and nothing else.
constexpr unsigned opening_milliseconds = 100;
// After the program closed our descriptors: it may not be done with closing.
constexpr unsigned reopening_milliseconds = 200;
constexpr unsigned most_openings = 16;

struct Control {
  std::atomic<Phase> phase{Phase::off};  // changed with the GIL held
  std::atomic<bool> waits{false};        // asleep, without a client
  std::atomic<bool> stopping{false};
  bool knows_fork = false;
  bool is_unjoined =
      false;  // the thread is to end, and touches nothing any longer; perhaps it sleeps on
  unsigned openings = 0;
  std::uint64_t opens_at = 0;  // for the first time, in milliseconds of the clock
  pthread_t thread = {};
  os::Event stop;   // instead of the socket's, while there is none
  os::Mutex mutex;  // over both below, whenever they change; held across a fork
  ControlSocket socket;
  Descriptor client;
};
constinit Control control;

// Used by the thread alone.
constinit Figures figures = {};
constinit PulseFigures pulse = {};
constinit char answer_bytes[most_report_bytes] = {};

std::uint64_t now_in_milliseconds() noexcept {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

unsigned left_until(std::uint64_t end) noexcept {
  const std::uint64_t now = now_in_milliseconds();
  return now < end ? static_cast<unsigned>(end - now) : 0;
}

class Deadline {
 public:
  [[nodiscard]] int left() const noexcept { return static_cast<int>(left_until(end_)); }

 private:
  std::uint64_t end_ = now_in_milliseconds() + patience_milliseconds;
};

// False: the time is up, or the thread is to stop.
bool wait_for_client(short events, const Deadline& deadline) noexcept {
  for (;;) {
    pollfd wanted[2] = {{control.client.number(), events, 0},
                        {control.socket.wake_read(), POLLIN, 0}};
    const int ready = ::poll(wanted, 2, deadline.left());
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    return ready > 0 && wanted[1].revents == 0 && !control.stopping;
  }
}

// False: the client doesn't read.
bool send_all(const char* text, std::size_t size) noexcept {
  const Deadline deadline;
  while (size != 0) {
    const ssize_t sent = ::send(control.client.number(), text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      text += sent;
      size -= static_cast<std::size_t>(sent);
    } else if (sent == 0 ||
               (errno != EINTR && (errno != EAGAIN || !wait_for_client(POLLOUT, deadline)))) {
      return false;
    }
  }
  return true;
}

bool send_words(const char* words) noexcept { return send_all(words, std::strlen(words)); }

Request receive_request() noexcept {
  const Deadline deadline;
  char bytes[longest_request];
  std::size_t size = 0;
  for (;;) {
    const ssize_t got =
        ::recv(control.client.number(), bytes + size, sizeof(bytes) - size, MSG_DONTWAIT);
    if (got > 0) {
      size += static_cast<std::size_t>(got);
      const Request request = parse_request(bytes, size);
      if (request != Request::incomplete) {
        return request;
      }
    } else if (got == 0 ||
               (errno != EINTR && (errno != EAGAIN || !wait_for_client(POLLIN, deadline)))) {
      return Request::incomplete;
    }
  }
}

bool client_has_gone() noexcept {
  pollfd wanted = {control.client.number(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) > 0 && (wanted.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

// Until the copy has ended. It writes to the client itself.
void wait_for_copy(Snapshot& snapshot) noexcept {
  constexpr int between_looks = 5;  // milliseconds
  while (look_at_snapshot(snapshot) == SnapshotState::running) {
    pollfd wanted = {control.socket.wake_read(), POLLIN, 0};
    ::poll(&wanted, 1, between_looks);
    if (control.stopping) {
      end_copy(snapshot);
      return;
    }
  }
}

// Under the GIL. False: it came too late.
bool work(Request request, Lines& answer, SitesText& sites, Snapshot& snapshot) noexcept {
  if (control.stopping || hook.state != State::living || client_has_gone() ||
      !send_words("begun\n")) {
    return false;
  }
  if (request == Request::release) {
    answer.number("released", release_in_turns(control.stopping));
    answer.end();
  } else if (request == Request::sites) {
    if (!sites.write()) {
      answer.words("tarn-sites", "none");
      answer.end();
    }
  } else if (request == Request::statistics) {
    collect_figures(figures);
  } else if (request == Request::pulse) {
    take_pulse(pulse);
  } else if (!begin_snapshot(control.client.number(),
                             request == Request::snapshot_with_values ? Values::yes : Values::no,
                             snapshot)) {
    answer.add(base::Message().text("error ").text(why_no_copy(errno)).text("\n"));
    answer.end();
  }
  return true;
}

void answer_request(Request request) noexcept {
  if (!send_words("tarn-control 1\n")) {
    return;
  }
  if (request == Request::unknown || request == Request::too_long) {
    send_words(request == Request::unknown ? "error unknown request\nend\n"
                                           : "error request too long\nend\n");
    return;
  }
  if (Py_IsInitialized() == 0) {
    return;
  }
  Lines answer(answer_bytes, sizeof(answer_bytes));
  if (!wait_to_be_let_in()) {
    send_words("error ");
    send_words(why_kept_out);
    send_words("\nend\n");
    return;
  }
  const int gil = PyGILState_Ensure();
  Snapshot snapshot;
  SitesText sites;
  const bool done = work(request, answer, sites, snapshot);
  PyGILState_Release(gil);
  if (!done) {
    return;
  }
  if (snapshot.copy > 0) {
    wait_for_copy(snapshot);
    return;
  }
  if (request == Request::statistics) {
    write_report_lines(answer, &figures, Ranges::shown);
  } else if (request == Request::pulse) {
    write_pulse_lines(answer, pulse);
  }
  if (send_all(answer.begin(), answer.length())) {
    send_all(sites.begin(), sites.length());
  }
}

bool may_ask() noexcept {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  return ::getsockopt(control.client.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

enum class Accepted : std::uint8_t { client, nobody, refused };

Accepted accept_client() noexcept {
  const os::Locked locked(control.mutex);
  const int client =
      ::accept4(control.socket.listener(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client >= 0) {
    control.client.take_up(client);
    return Accepted::client;
  }
  const bool went_away = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
  return went_away ? Accepted::nobody : Accepted::refused;
}

void serve_client() noexcept {
  switch (accept_client()) {
    case Accepted::client:
      break;
    case Accepted::nobody:
      return;
    case Accepted::refused: {
      // No descriptor is to be had, say. The client stays where it is, so poll wouldn't sleep.
      pollfd wanted = {control.socket.wake_read(), POLLIN, 0};
      ::poll(&wanted, 1, patience_milliseconds);
      return;
    }
  }
  if (may_ask()) {
    const Request request = receive_request();
    if (request != Request::incomplete) {
      answer_request(request);
    }
  }
  const os::Locked locked(control.mutex);
  control.client.close();
}

// False: somebody stops the thread. Whoever does that while it waits takes `waits` away first, and it
// touches nothing after that.
bool end_waiting() noexcept {
  bool expected = true;
  return control.waits.compare_exchange_strong(expected, false) && !control.stopping;
}

// The first time, or after the program closed our descriptors. False: the thread is to end.
bool open_socket() noexcept {
  control.waits = true;
  static_cast<void>(control.stop.wait_for(control.openings == 0 ? left_until(control.opens_at)
                                                                : reopening_milliseconds));
  if (!end_waiting()) {
    return false;
  }
  const os::Locked locked(control.mutex);
  control.socket.close();
  return !control.stopping && ++control.openings <= most_openings &&
         control.socket.open(hook.settings.runtime_folder);
}

void* run(void* /*argument*/) noexcept {
  ::prctl(PR_SET_NAME, "tarn-control", 0, 0, 0);
  for (;;) {
    if (!control.socket.is_whole() && !open_socket()) {
      return nullptr;
    }
    pollfd wanted[2] = {{control.socket.listener(), POLLIN, 0},
                        {control.socket.wake_read(), POLLIN, 0}};
    control.waits = true;
    if (!control.stopping) {
      ::poll(wanted, 2, time_to_next_snapshot());
    }
    if (!end_waiting()) {
      return nullptr;
    }
    take_due_snapshot(control.stopping);
    if (wanted[0].revents != 0 && control.socket.is_whole()) {
      serve_client();
    }
  }
}

// Everything is blocked in the thread: signals are for Python's.
bool create_thread() noexcept {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) {
    return false;
  }
  ::pthread_attr_setstacksize(&attributes, stack_size);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  control.stop.reset();
  control.socket.calm();
  control.waits = false;
  control.stopping = false;
  const bool created = ::pthread_create(&control.thread, &attributes, run, nullptr) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return created;
}

void wake() noexcept {
  control.stop.set();
  const os::Locked locked(control.mutex);
  control.socket.wake();
}

void start_thread() noexcept {
  if (control.is_unjoined) {
    wake();
    ::pthread_join(control.thread, nullptr);
    control.is_unjoined = false;
    const os::Locked locked(control.mutex);
    control.socket.close();
  }
  control.phase = create_thread() ? Phase::listening : Phase::off;
}

// In a new life of Python, or in a new process.
void begin() noexcept {
  control.openings = 0;
  control.opens_at = now_in_milliseconds() + opening_milliseconds;
  start_thread();
}

int start_again(void* /*data*/) noexcept {
  if (control.phase == Phase::called) {
    start_thread();
  }
  return 0;
}

bool has_gil() noexcept { return Py_IsInitialized() != 0 && PyGILState_Check() != 0; }

// Only if it is asleep: then it ends without the GIL.
bool stop_sleeping_thread() noexcept {
  bool expected = true;
  if (!control.waits.compare_exchange_strong(expected, false)) {
    return false;
  }
  wake();
  ::pthread_join(control.thread, nullptr);
  return true;
}

void before_fork() noexcept {
  if (control.phase == Phase::listening && has_gil() && stop_sleeping_thread()) {
    control.phase = Phase::called;
  }
  control.mutex.lock();
}

void after_fork_in_parent() noexcept {
  control.mutex.unlock();
  if (control.phase != Phase::called || !has_gil()) {
    return;
  }
  // Since 3.12 Python counts threads when this is over. If another than the main thread forks, it finds
  // two in any case, and the main thread may not run a bytecode for long.
  const bool counts_threads = hook.version.major > 3 || hook.version.minor >= 12;
  if (!counts_threads || ::gettid() != ::getpid() || Py_AddPendingCall(start_again, nullptr) != 0) {
    start_again(nullptr);
  }
}

// The thread is gone, wherever it was, and what it had open is the parent's.
void after_fork_in_child() noexcept {
  control.socket.forget();
  control.client.close();
  control.mutex.unlock();
  control.waits = false;
  control.is_unjoined = false;
  if (control.phase != Phase::off) {
    control.phase = has_gil() ? Phase::forked : Phase::off;
  }
}

// Python goes on in the child: called by PyOS_AfterFork_Child.
PyObject* goes_on(PyObject* /*self*/, PyObject* /*arguments*/) noexcept {
  if (control.phase == Phase::forked) {
    begin();
  }
  return none();
}

constinit PyMethodDef goes_on_definition = {"tarn_after_fork", goes_on, METH_NOARGS, nullptr};

// os.register_at_fork(after_in_child=goes_on)
void be_called_in_children() noexcept {
  PyObject* const module = PyImport_ImportModule("posix");
  PyObject* const function =
      module == nullptr ? nullptr : PyObject_GetAttrString(module, "register_at_fork");
  PyObject* const hook_of_ours =
      function == nullptr ? nullptr : PyCFunction_NewEx(&goes_on_definition, nullptr, nullptr);
  PyObject* const arguments = hook_of_ours == nullptr ? nullptr : PyTuple_New(0);
  PyObject* const names = arguments == nullptr ? nullptr : PyDict_New();
  PyObject* result = nullptr;
  if (names != nullptr && PyDict_SetItemString(names, "after_in_child", hook_of_ours) == 0) {
    result = PyObject_Call(function, arguments, names);
  }
  for (PyObject* const object : {module, function, hook_of_ours, arguments, names, result}) {
    let_go(object);
  }
  PyErr_Clear();
}

}  // namespace

void start_control() noexcept {
  if (!hook.settings.control || control.phase != Phase::off || hook.state != State::living) {
    return;
  }
  if (!control.knows_fork) {
    control.knows_fork =
        ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  }
  if (!control.knows_fork) {
    return;
  }
  if (!be_called_at_exit()) {
    return;
  }
  be_called_in_children();
  begin();
}

void stop_control() noexcept {
  if (control.phase.exchange(Phase::off) == Phase::listening) {
    control.stopping = true;
    bool expected = true;
    control.is_unjoined = control.waits.compare_exchange_strong(expected, false);
    if (control.is_unjoined && !hook.embedded) {
      // The process is about to end, and the thread with it. To wake it and have it end by itself would bring up to
      // 192 KiB of the C library into memory.
      const os::Locked locked(control.mutex);
      control.socket.remove_file();
      return;
    }
    wake();
    if (!control.is_unjoined) {
      PyThreadState* const state = PyEval_SaveThread();
      ::pthread_join(control.thread, nullptr);
      PyEval_RestoreThread(state);
    }
  }
  const os::Locked locked(control.mutex);
  control.socket.close();
}

void abandon_control() noexcept {
  if (control.phase.exchange(Phase::off) != Phase::off) {
    control.stopping = true;
    const os::Locked locked(control.mutex);
    control.socket.remove_file();
  }
}

}  // namespace tarn::python
