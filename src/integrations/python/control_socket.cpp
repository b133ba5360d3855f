#include "integrations/python/control_socket.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace tarn::python {

namespace {

constexpr int most_waiting_clients = 16;
// So many entries are looked at for those of dead processes, each time a process starts.
constexpr std::size_t entries_size = std::size_t{8} * 1024;

// The ends of a path; parts that don't fit make it empty.
template <std::size_t Size, typename... Parts>
bool format(char (&text)[Size], const char* pattern, Parts... parts) noexcept {
  const int length = std::snprintf(text, Size, pattern, parts...);
  if (length < 0 || static_cast<std::size_t>(length) >= Size) {
    text[0] = '\0';
    return false;
  }
  return true;
}

int open_folder(int at, const char* path, int more_flags) noexcept {
  return ::openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | more_flags);
}

// Whether only we may enter it.
bool is_private(const Descriptor& folder) noexcept {
  struct stat status = {};
  return folder.number() >= 0 && ::fstat(folder.number(), &status) == 0 &&
         S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 0777U) == 0700U;
}

// Closes what isn't private.
bool make_folder(int at, const char* name, Descriptor& folder) noexcept {
  ::mkdirat(at, name, 0700);
  folder.take(open_folder(at, name, O_NOFOLLOW));
  if (!is_private(folder)) {
    folder.close();
    return false;
  }
  return true;
}

// The folder for sockets, and its path; false: there is none that can be used.
template <std::size_t Size>
bool open_socket_folder(const char* runtime_folder, char (&path)[Size],
                        Descriptor& folder) noexcept {
  if (runtime_folder[0] == '/' && format(path, "%s/tarn", runtime_folder)) {
    Descriptor outer;
    outer.take(open_folder(AT_FDCWD, runtime_folder, 0));
    const bool made = is_private(outer) && make_folder(outer.number(), "tarn", folder);
    outer.close();
    if (made) {
      return true;
    }
  }
  return format(path, "/tmp/tarn-%lu", static_cast<unsigned long>(::geteuid())) &&
         make_folder(AT_FDCWD, path, folder);
}

// Zero: the system doesn't tell.
unsigned long long start_of_this_process() noexcept {
  char text[1024];
  Descriptor file;
  file.take(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  const ssize_t size = ::read(file.number(), text, sizeof(text) - 1);
  file.close();
  if (size <= 0) {
    return 0;
  }
  text[size] = '\0';
  // The name, in parentheses, may hold anything; behind it the third field begins.
  const char* at = std::strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) {
    at = std::strchr(at + 1, ' ');
  }
  return at == nullptr ? 0 : std::strtoull(at, nullptr, 10);
}

// The path of a file in an open folder, short enough for an address whatever the folder is called.
bool address_of(int folder, const char* name, sockaddr_un& address) noexcept {
  address = {};
  address.sun_family = AF_UNIX;
  return format(address.sun_path, "/proc/self/fd/%d/%s", folder, name);
}

// Nobody listens at it.
bool is_abandoned(int folder, const char* name) noexcept {
  sockaddr_un address;
  Descriptor socket;
  socket.take(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool refused = address_of(folder, name, address) &&
                       ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                                 sizeof(address)) != 0 &&
                       errno == ECONNREFUSED;
  socket.close();
  return refused;
}

// "PID-START" of a process that is gone, or of one before us with our PID.
bool is_of_dead_process(int folder, const char* name) noexcept {
  char* end = nullptr;
  const unsigned long pid = std::strtoul(name, &end, 10);
  if (end == name || *end != '-' || pid == 0 || pid > INT32_MAX) {
    return false;
  }
  const auto process = static_cast<pid_t>(pid);
  // Not ours of before an exec alone: a process in another namespace may have our PID.
  return (process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH)) &&
         is_abandoned(folder, name);
}

// What getdents64 writes.
struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t size;
  std::uint8_t type;
  char name[1];
};

void remove_files_of_dead_processes(int folder) noexcept {
  alignas(Entry) char entries[entries_size];
  const long size = ::syscall(SYS_getdents64, folder, entries, sizeof(entries));
  for (long at = 0; at < size;) {
    const auto* const entry = reinterpret_cast<const Entry*>(entries + at);
    const char* const name = reinterpret_cast<const char*>(entry) + offsetof(Entry, name);
    if (is_of_dead_process(folder, name)) {
      ::unlinkat(folder, name, 0);
    }
    at += entry->size;
  }
}

// From here up programs don't look, and tables of descriptors needn't grow much.
int highest_descriptors() noexcept {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 64;
  }
  const rlim_t end = limit.rlim_cur < 1024 ? limit.rlim_cur : 1024;
  return end > 128 ? static_cast<int>(end) - 32 : static_cast<int>(end / 2);
}

}  // namespace

void Descriptor::take(int descriptor) noexcept {
  number_ = descriptor;
  struct stat status = {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    number_ = -1;  // the program has closed it already
    return;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void Descriptor::take_up(int descriptor) noexcept {
  take(descriptor);
  const int high = number_ < 0 ? -1 : ::fcntl(number_, F_DUPFD_CLOEXEC, highest_descriptors());
  if (high >= 0) {
    close();
    number_ = high;
    if (!is_ours()) {
      ::close(high);  // a copy of what the program has got the number for
      number_ = -1;
    }
  }
}

bool Descriptor::is_ours() const noexcept {
  struct stat status = {};
  return number_ >= 0 && ::fstat(number_, &status) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_;
}

void Descriptor::close() noexcept {
  if (is_ours()) {
    ::close(number_);
  }
  number_ = -1;
}

bool ControlSocket::open(const char* runtime_folder) noexcept {
  const int before = errno;
  char folder_path[sizeof(path_) - 64];
  Descriptor folder;
  bool is_open = false;
  if (open_socket_folder(runtime_folder, folder_path, folder)) {
    remove_files_of_dead_processes(folder.number());
    const unsigned long long start = start_of_this_process();
    is_open = start != 0 &&
              format(path_, "%s/%ld-%llu", folder_path, static_cast<long>(::getpid()), start) &&
              make_pipe() && listen_in(folder.number()) && is_whole();
    folder.close();
    if (!is_open) {
      close();
    }
  }
  errno = before;
  return is_open;
}

bool ControlSocket::make_pipe() noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  wake_read_.take_up(ends[0]);
  wake_write_.take_up(ends[1]);
  return true;
}

bool ControlSocket::listen_in(int folder) noexcept {
  const char* const name = std::strrchr(path_, '/') + 1;
  ::unlinkat(folder, name, 0);  // of this very process, before it executed another program
  listener_.take_up(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address;
  return address_of(folder, name, address) && listener_.is_ours() &&
         ::bind(listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
             0 &&
         ::listen(listener_.number(), most_waiting_clients) == 0;
}

void ControlSocket::close_descriptors() noexcept {
  listener_.close();
  wake_read_.close();
  wake_write_.close();
}

void ControlSocket::remove_file() noexcept {
  const int before = errno;
  if (path_[0] != '\0') {
    ::unlink(path_);
    path_[0] = '\0';
  }
  errno = before;
}

void ControlSocket::close() noexcept {
  const int before = errno;
  remove_file();
  close_descriptors();
  errno = before;
}

void ControlSocket::forget() noexcept {
  const int before = errno;
  path_[0] = '\0';
  close_descriptors();
  errno = before;
}

void ControlSocket::wake() noexcept {
  const int before = errno;
  // If it's no longer ours it was closed, and who waited for it has woken up by that.
  if (wake_write_.is_ours()) {
    static_cast<void>(!::write(wake_write_.number(), "w", 1));
  }
  errno = before;
}

void ControlSocket::calm() noexcept {
  const int before = errno;
  char bytes[16];
  while (wake_read_.is_ours() && ::read(wake_read_.number(), bytes, sizeof(bytes)) > 0) {
  }
  errno = before;
}

}  // namespace tarn::python
