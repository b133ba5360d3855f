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

// Ours alone: else it is closed, and -1 returned.
int only_ours(int folder) noexcept {
  struct stat status = {};
  if (folder >= 0 && (::fstat(folder, &status) != 0 || status.st_uid != ::geteuid() ||
                      (status.st_mode & 0777U) != 0700U)) {
    ::close(folder);
    return -1;
  }
  return folder;
}

int make_folder(int at, const char* name) noexcept {
  ::mkdirat(at, name, 0700);
  return only_ours(open_folder(at, name, O_NOFOLLOW));
}

// The folder for sockets, and its path; -1: there is none that can be used.
template <std::size_t Size>
int socket_folder(const char* runtime_folder, char (&path)[Size]) noexcept {
  if (runtime_folder[0] == '/' && format(path, "%s/tarn", runtime_folder)) {
    const int outer = only_ours(open_folder(AT_FDCWD, runtime_folder, 0));
    if (outer >= 0) {
      const int folder = make_folder(outer, "tarn");
      ::close(outer);
      if (folder >= 0) {
        return folder;
      }
    }
  }
  if (!format(path, "/tmp/tarn-%lu", static_cast<unsigned long>(::geteuid()))) {
    return -1;
  }
  return make_folder(AT_FDCWD, path);
}

// Zero: the system doesn't tell.
unsigned long long start_of_this_process() noexcept {
  char text[1024];
  const int file = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? -1 : ::read(file, text, sizeof(text) - 1);
  if (file >= 0) {
    ::close(file);
  }
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
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool refused =
      socket >= 0 && address_of(folder, name, address) &&
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  if (socket >= 0) {
    ::close(socket);
  }
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
  if (process == ::getpid()) {
    return true;
  }
  return ::kill(process, 0) != 0 && errno == ESRCH && is_abandoned(folder, name);
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

void Descriptor::open(int descriptor) noexcept {
  const int high = ::fcntl(descriptor, F_DUPFD_CLOEXEC, highest_descriptors());
  if (high >= 0) {
    ::close(descriptor);
  }
  number_ = high >= 0 ? high : descriptor;
  struct stat status = {};
  ::fstat(number_, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
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
  const int folder = socket_folder(runtime_folder, folder_path);
  bool is_open = false;
  if (folder >= 0) {
    remove_files_of_dead_processes(folder);
    const unsigned long long start = start_of_this_process();
    is_open = start != 0 &&
              format(path_, "%s/%ld-%llu", folder_path, static_cast<long>(::getpid()), start) &&
              listen_in(folder);
    ::close(folder);
    if (!is_open) {
      close();
    }
  }
  errno = before;
  return is_open;
}

bool ControlSocket::listen_in(int folder) noexcept {
  const char* const name = std::strrchr(path_, '/') + 1;
  ::unlinkat(folder, name, 0);  // of this very process, before it executed another program
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address;
  if (socket < 0 || !address_of(folder, name, address) ||
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket, most_waiting_clients) != 0) {
    if (socket >= 0) {
      ::close(socket);
    }
    return false;
  }
  listener_.open(socket);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  wake_read_.open(ends[0]);
  wake_write_.open(ends[1]);
  return true;
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
