#include "integrations/python/snapshot.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <new>

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"
#include "integrations/python/report.h"
#include "integrations/python/snapshot_guard.h"
#include "integrations/python/snapshot_names.h"
#include "integrations/python/snapshot_objects.h"
#include "integrations/python/snapshot_sites.h"
#include "integrations/python/snapshot_values.h"
#include "os/mutex.h"
#include "os/virtual_memory.h"

namespace tarn::python {

namespace {

// A copy that hasn't ended by then never will: it may wait for a lock that nobody lets go of.
constexpr unsigned most_seconds = 300;
constexpr unsigned most_seconds_for_threads = 10;

// What both sides see.
struct Shared {
  std::atomic<std::uint64_t> pause;
};

std::uint64_t nanoseconds_of(clockid_t clock) noexcept {
  timespec now = {};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Requests that would go to the C library, in the copy. What it frees is forgotten.
class Bump {
 public:
  void* allocate(std::size_t size) noexcept {
    size = (size + 31) & ~std::size_t{15};  // a word for the size, before the block
    if (size > left_) {
      constexpr std::size_t least = std::size_t{1} << 20;
      left_ = size > least ? size : least;
      next_ = snapshot_array<unsigned char>(left_);
    }
    unsigned char* const block = next_ + 16;
    std::memcpy(next_, &size, sizeof(size));
    next_ += size;
    left_ -= size;
    return block;
  }

 private:
  unsigned char* next_ = nullptr;
  std::size_t left_ = 0;
};
constinit Bump bump;

void* bump_allocate(void* /*context*/, std::size_t size) noexcept { return bump.allocate(size); }
void* bump_allocate_zeroed(void* /*context*/, std::size_t count, std::size_t size) noexcept {
  std::size_t whole = 0;
  return __builtin_mul_overflow(count, size, &whole) ? nullptr : bump.allocate(whole);
}
void* bump_reallocate(void* /*context*/, void* block, std::size_t size) noexcept {
  void* const larger = bump.allocate(size);
  if (block != nullptr) {
    // How large the old one was may not be known: what lies behind it is copied too. A fault there is seen to.
    std::memcpy(larger, block, size);
  }
  return larger;
}
void bump_free(void* /*context*/, void* /*block*/) noexcept {}
void* bump_allocate_aligned(void* /*context*/, std::size_t /*alignment*/,
                            std::size_t /*size*/) noexcept {
  return nullptr;
}

void divert_requests() noexcept {
  hook.general = {.context = nullptr,
                  .allocate = bump_allocate,
                  .allocate_zeroed = bump_allocate_zeroed,
                  .reallocate = bump_reallocate,
                  .free = bump_free,
                  .allocate_aligned = bump_allocate_aligned,
                  .served_before = true,
                  .size_of = nullptr};
  PyMemAllocatorEx raw = {nullptr, bump_allocate, bump_allocate_zeroed, bump_reallocate, bump_free};
  PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
}

// Others' files, pipes and sockets shouldn't stay open because of the copy.
void close_all_but(int kept) noexcept {
  const auto number = static_cast<unsigned>(kept);
  const bool below = kept == 0 || ::syscall(SYS_close_range, 0U, number - 1, 0U) == 0;
  if (below && ::syscall(SYS_close_range, number + 1, ~0U, 0U) == 0) {
    return;
  }
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = limit.rlim_cur < 65536 ? static_cast<int>(limit.rlim_cur) : 65536;
  for (int i = 0; i < end; ++i) {
    if (i != kept) {
      ::close(i);
    }
  }
}

void write_file(const char* path, const char* text) noexcept {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    static_cast<void>(::write(file, text, std::strlen(text)) == 0);
    ::close(file);
  }
}

void write_report_of_heap() noexcept {
  static constinit Figures figures = {};
  static constinit char bytes[most_report_bytes] = {};
  collect_figures(figures);
  Lines lines(bytes, sizeof(bytes));
  write_report_lines(lines, &figures, Ranges::shown);
  snapshot_stream.record(sight::RecordKind::report, lines.begin(), lines.length());
}

// As the kernel has them in the program, whose pages of files aren't in the copy.
void write_mappings(pid_t program) noexcept {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%ld/smaps", static_cast<long>(program));
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  static constinit char part[std::size_t{64} * 1024] = {};
  ssize_t got = 0;
  while (file >= 0 && (got = ::read(file, part, sizeof(part))) > 0) {
    snapshot_stream.record(sight::RecordKind::mappings, part, static_cast<std::size_t>(got));
  }
  ::close(file);
}

void stop_collector() noexcept {
  PyObject* const module = PyImport_ImportModule("gc");
  if (module == nullptr || PyObject_CallMethod(module, "disable", nullptr) == nullptr) {
    PyErr_Clear();
  }
}

template <typename Thing, typename... Arguments>
Thing& make(Arguments&... arguments) noexcept {
  return *new (snapshot_memory(sizeof(Thing))) Thing(arguments...);
}

[[noreturn]] void be_the_copy(int descriptor, Values values, pid_t program, const Shared& shared,
                              std::uint64_t began) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != program) {
    end_snapshot(snapshot_unwanted);
  }
  ::prctl(PR_SET_NAME, "tarn-snapshot", 0, 0, 0);
  close_all_but(descriptor);
  write_file("/proc/self/oom_score_adj", "1000");
  install_guard();
  ::alarm(most_seconds);
  hook.heap->operations->stop_watching(*hook.heap);
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->stop_watching(*hook.raw_heap);
  }
  divert_requests();

  snapshot_stream.open(descriptor);
  const sight::FactsRecord facts = {.taken_at = nanoseconds_of(CLOCK_REALTIME) / 1000,
                                    .pid = static_cast<std::uint64_t>(program),
                                    .page_size = os::page_size()};
  snapshot_stream.record(sight::RecordKind::facts, &facts, sizeof(facts));
  write_report_of_heap();
  write_mappings(program);

  auto& memory = make<ReadableMemory>();
  memory.find_out();
  auto& blocks = make<SnapshotBlocks>();
  blocks.collect();
  auto& types = make<SnapshotTypes>(memory);
  auto& objects = make<SnapshotObjects>(blocks, types, memory);
  objects.find_objects();
  objects.find_references();
  objects.find_parts();
  snapshot_stream.flush();
  write_recorded_sites(blocks);
  if (values == Values::yes) {
    write_values(objects);
  }

  // From here on Python's own functions run, and allocate.
  sight::EndRecord end = {};
  static constinit bool threads_are_there = false;
  stop_collector();
  guarded([&] { write_types(types); });
  guarded([&] { write_modules(memory, types); });
  ::alarm(most_seconds_for_threads);
  guarded([] { threads_are_there = write_threads(); });
  ::alarm(0);
  static constinit char name[64] = {};
  guarded([] { find_program_name(name); });
  snapshot_stream.record(sight::RecordKind::program, name, std::strlen(name));
  snapshot_stream.flush();
  end.pause = shared.pause.load(std::memory_order_acquire);
  end.capture = nanoseconds_of(CLOCK_MONOTONIC) - began;
  end.unreadable = objects.unreadable();
  end.flags = threads_are_there ? 0 : sight::end_flags::threads_missing;
  snapshot_stream.record(sight::RecordKind::end, &end, sizeof(end));
  snapshot_stream.flush();
  end_snapshot(snapshot_done);
}

}  // namespace

bool begin_snapshot(int descriptor, Values values, Snapshot& snapshot) noexcept {
  const std::size_t size = os::page_size();
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return false;
  }
  auto* const shared = new (memory) Shared{};
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t program = ::getpid();
  // The heaps', the recorder's: in the copy nobody holds them, and what they protect is in order.
  os::ForkSafeMutex::lock_all();
  const std::uint64_t began = nanoseconds_of(CLOCK_MONOTONIC);
  // Without SIGCHLD as the signal of its end, and without the C library's fork, which runs handlers.
  const long copy = ::syscall(SYS_clone, 0UL, nullptr, nullptr, nullptr, nullptr);
  const int error = errno;
  os::ForkSafeMutex::unlock_all();
  if (copy == 0) {
    be_the_copy(descriptor, values, program, *shared, began);
  }
  shared->pause.store(nanoseconds_of(CLOCK_MONOTONIC) - began, std::memory_order_release);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (copy < 0) {
    ::munmap(memory, size);
    errno = error;
    return false;
  }
  snapshot = {static_cast<pid_t>(copy), memory};
  return true;
}

const char* why_no_copy(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return "the process can't be copied: the limit on processes (ulimit -u) is reached";
    case ENOMEM:
      return "the process can't be copied: the system has no memory for it";
    default:
      return "the process can't be copied: the system refuses (a seccomp filter?)";
  }
}

namespace {

void forget(Snapshot& snapshot) noexcept {
  ::munmap(snapshot.shared, os::page_size());
  snapshot = {};
}

}  // namespace

SnapshotState look_at_snapshot(Snapshot& snapshot) noexcept {
  int status = 0;
  const pid_t ended = ::waitpid(snapshot.copy, &status, copies_only | WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) {
    return SnapshotState::running;
  }
  forget(snapshot);
  return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == snapshot_done
             ? SnapshotState::done
             : SnapshotState::failed;
}

void end_copy(Snapshot& snapshot) noexcept {
  if (snapshot.copy > 0) {
    ::kill(snapshot.copy, SIGKILL);
    while (::waitpid(snapshot.copy, nullptr, copies_only) < 0 && errno == EINTR) {
    }
    forget(snapshot);
  }
}

}  // namespace tarn::python
