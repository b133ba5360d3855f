#include "integrations/python/snapshot_guard.h"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "integrations/python/snapshot_stream.h"

namespace tarn::python {

sigjmp_buf guard_return;
volatile bool guard_is_up = false;
volatile int guard_signal = 0;

namespace {

constexpr int guarded_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};

void on_fault(int signal) noexcept {
  if (guard_is_up) {
    guard_signal = signal;
    ::siglongjmp(guard_return, signal);
  }
  ::_exit(128 + signal);
}

// A line of /proc/self/maps, in parts as read() brings it: "START-END r…".
struct MapsReader {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  enum { in_start, in_end, at_rights, in_rest } place = in_start;
  bool is_readable = false;
  std::size_t length = 0;
  char name[64] = {};  // the line's rest, as far as it matters

  // True: the line is over.
  bool take(char letter) noexcept {
    if (letter == '\n') {
      return true;
    }
    switch (place) {
      case in_start:
      case in_end: {
        const int digit = letter >= '0' && letter <= '9'   ? letter - '0'
                          : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
                                                           : -1;
        if (digit >= 0) {
          std::uint64_t& number = place == in_start ? start : end;
          number = number * 16 + static_cast<unsigned>(digit);
        } else {
          place = place == in_start ? in_end : at_rights;
        }
        break;
      }
      case at_rights:
        is_readable = letter == 'r';
        place = in_rest;
        break;
      case in_rest:
        if ((letter == '/' || letter == '[' || length != 0) && length < sizeof(name) - 1) {
          name[length++] = letter;
        }
        break;
    }
    return false;
  }

  // Not the kernel's own pages, nor a device's.
  [[nodiscard]] bool may_be_read() const noexcept {
    return is_readable && std::strncmp(name, "[v", 2) != 0 &&
           (std::strncmp(name, "/dev/", 5) != 0 || std::strncmp(name, "/dev/zero", 9) == 0 ||
            std::strncmp(name, "/dev/shm", 8) == 0);
  }
};

}  // namespace

void install_guard() noexcept {
  constexpr std::size_t stack_size = std::size_t{64} * 1024;
  stack_t stack = {};
  stack.ss_sp = snapshot_memory(stack_size);
  stack.ss_size = stack_size;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_fault;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int signal : guarded_signals) {
    ::sigaction(signal, &action, nullptr);
    ::sigaddset(&ours, signal);
  }
  ::sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

void ReadableMemory::add(std::uint64_t start, std::uint64_t end) noexcept {
  if (count_ != 0 && ranges_[count_ - 1].end == start) {
    ranges_[count_ - 1].end = end;
    return;
  }
  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 1024 : 2 * capacity_;
    auto* const larger = snapshot_array<Range>(capacity_);
    if (count_ != 0) {
      std::memcpy(larger, ranges_, count_ * sizeof(Range));
    }
    ranges_ = larger;
  }
  ranges_[count_++] = {start, end};
}

void ReadableMemory::find_out() noexcept {
  const int file = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  MapsReader line;
  char part[4096];
  ssize_t got;
  while ((got = ::read(file, part, sizeof(part))) > 0) {
    for (ssize_t i = 0; i < got; ++i) {
      if (line.take(part[i])) {
        if (line.may_be_read()) {
          add(line.start, line.end);
        }
        line = MapsReader();
      }
    }
  }
  ::close(file);
}

bool ReadableMemory::holds(std::uint64_t address, std::uint64_t size) const noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = count_;
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    if (ranges_[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count_ && ranges_[low].start <= address && size <= ranges_[low].end - address;
}

}  // namespace tarn::python
