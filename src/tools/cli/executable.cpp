#include "tools/cli/executable.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64;
#else
#error "Tarn supports x86-64 and aarch64"
#endif

// The kernel follows as many interpreters that are scripts themselves.
constexpr int most_interpreters = 5;

// A file's bytes, or none when it can't be read.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
      return;
    }
    struct stat status;
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      address_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
      if (address_ == MAP_FAILED) {
        address_ = nullptr;
        size_ = 0;
      }
    }
    ::close(descriptor);
  }
  ~MappedFile() {
    if (address_ != nullptr) {
      ::munmap(address_, size_);
    }
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view bytes() const {
    return {static_cast<const char*>(address_), size_};
  }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

// Copied out, because a hostile file may place it anywhere, unaligned or past the end.
template <typename T>
bool read_at(std::string_view bytes, std::uint64_t offset, T& value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof value) {
    return false;
  }
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return true;
}

bool is_elf(std::string_view bytes) { return bytes.starts_with(std::string_view(ELFMAG, SELFMAG)); }

std::string_view interpreter_line(std::string_view bytes) {
  if (!bytes.starts_with("#!")) {
    return {};
  }
  bytes = bytes.substr(2, 256);
  return bytes.substr(0, bytes.find('\n'));
}

std::string interpreter_of(std::string_view bytes) {
  constexpr std::string_view blank = " \t\r";
  std::string_view line = interpreter_line(bytes);
  const std::size_t start = line.find_first_not_of(blank);
  if (start == std::string_view::npos) {
    return {};
  }
  line.remove_prefix(start);
  return std::string(line.substr(0, line.find_first_of(blank)));
}

std::optional<std::string> elf_obstacle(std::string_view bytes) {
  Elf64_Ehdr header;
  if (!read_at(bytes, 0, header)) {
    return std::nullopt;
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != own_machine) {
    return "it is built for another kind of machine than Tarn's library";
  }
  for (unsigned index = 0; index < header.e_phnum; ++index) {
    Elf64_Phdr segment;
    if (!read_at(bytes, header.e_phoff + std::uint64_t{index} * sizeof segment, segment)) {
      return std::nullopt;
    }
    if (segment.p_type == PT_INTERP) {
      return std::nullopt;
    }
  }
  return "it is statically linked, so no library can be preloaded into it";
}

// The loader runs in secure mode, and takes no library from LD_PRELOAD, when starting the program
// changes its privileges.
std::optional<std::string> privilege_obstacle(const std::string& path) {
  struct stat status;
  struct statvfs mount;
  if (::stat(path.c_str(), &status) != 0 || ::statvfs(path.c_str(), &mount) != 0 ||
      (mount.f_flag & ST_NOSUID) != 0 || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
    return std::nullopt;
  }
  constexpr const char* ignored = "so the loader ignores LD_PRELOAD";
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != ::getuid()) {
    return fmt::format("it is setuid, {}", ignored);
  }
  if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
      status.st_gid != ::getgid()) {
    return fmt::format("it is setgid, {}", ignored);
  }
  // A process of root has the capabilities anyway, and gains none.
  if (::getuid() != 0 && ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) {
    return fmt::format("it has file capabilities, {}", ignored);
  }
  return std::nullopt;
}

bool is_this_command(const std::string& path) {
  struct stat status;
  struct stat own;
  return ::stat(path.c_str(), &status) == 0 && ::stat("/proc/self/exe", &own) == 0 &&
         status.st_dev == own.st_dev && status.st_ino == own.st_ino;
}

}  // namespace

std::optional<std::string> preload_obstacle(const std::string& path) {
  std::string file = path;
  for (int depth = 0; depth < most_interpreters && !file.empty(); ++depth) {
    const MappedFile mapped(file);
    const std::string interpreter = interpreter_of(mapped.bytes());
    if (interpreter.empty()) {
      // A setuid bit counts on a program, not on a script, which the kernel starts without it.
      std::optional<std::string> obstacle = privilege_obstacle(file);
      if (!obstacle && is_elf(mapped.bytes())) {
        obstacle = elf_obstacle(mapped.bytes());
      }
      if (obstacle && is_this_command(file)) {
        return std::nullopt;
      }
      if (obstacle && depth > 0) {
        return fmt::format("{} ({}, its interpreter)", *obstacle, escape(file));
      }
      return obstacle;
    }
    file = interpreter;
  }
  return std::nullopt;
}

bool contains_python(const std::string& path) {
  // A shim, a shell script that chooses among several versions, has the name and nothing else.
  if (path.substr(path.rfind('/') + 1).starts_with("python")) {
    return true;
  }
  const MappedFile mapped(path);
  const std::string_view bytes = mapped.bytes();
  if (is_elf(bytes)) {
    // The name of a function that every CPython since 3.4 defines, or of the library that has it: both
    // stand in the table of strings of a program that uses them.
    const auto contains = [&](std::string_view word) {
      return ::memmem(bytes.data(), bytes.size(), word.data(), word.size()) != nullptr;
    };
    return contains("PyMem_SetAllocator") || contains("libpython");
  }
  return interpreter_line(bytes).find("python") != std::string_view::npos;
}

}  // namespace tarn::cli
