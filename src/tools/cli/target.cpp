#include "tools/cli/target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

[[noreturn]] void is_gone(pid_t pid) {
  throw Failure(exit_failure, fmt::format("there is no process {}", pid));
}

// Nothing, and errno, when it can't be read.
std::optional<std::string> try_to_read(pid_t pid, const char* name) {
  const std::string path = fmt::format("/proc/{}/{}", pid, name);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return std::nullopt;
  }
  std::string text;
  char part[64 * 1024];
  ssize_t got;
  while ((got = ::read(file, part, sizeof part)) != 0) {
    if (got > 0) {
      text.append(part, static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      break;
    }
  }
  const int error = errno;
  ::close(file);
  errno = error;
  return got < 0 ? std::nullopt : std::optional(std::move(text));
}

// The number behind a key at the start of a line.
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view key,
                                           std::size_t index = 0) {
  for (const std::string_view line : lines_of(text)) {
    if (!line.starts_with(key)) {
      continue;
    }
    std::string_view rest = line.substr(key.size());
    for (std::size_t i = 0;; ++i) {
      const std::size_t start = rest.find_first_of("0123456789");
      if (start == std::string_view::npos) {
        return std::nullopt;
      }
      std::uint64_t number = 0;
      const auto [end, error] =
          std::from_chars(rest.data() + start, rest.data() + rest.size(), number);
      if (error != std::errc()) {
        return std::nullopt;
      }
      if (i == index) {
        return number;
      }
      rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    }
  }
  return std::nullopt;
}

bool has_entry(std::string_view environment, std::string_view entry) {
  while (!environment.empty()) {
    const std::size_t end = environment.find('\0');
    if (environment.substr(0, end) == entry) {
      return true;
    }
    environment.remove_prefix(end == std::string_view::npos ? environment.size() : end + 1);
  }
  return false;
}

}  // namespace

pid_t read_process_id(const std::string& word, const std::string& command) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
  if (error != std::errc() || end != word.data() + word.size() || pid <= 0) {
    throw UsageError(command, fmt::format("'{}' is not a process id", escape(word)));
  }
  return pid;
}

Target find_target(pid_t pid) {
  const std::optional<std::string> stat = try_to_read(pid, "stat");
  const std::optional<std::string> status = try_to_read(pid, "status");
  if (!stat || !status) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) {
      is_gone(pid);
    }
    throw Failure(exit_failure, fmt::format("/proc doesn't show process {}", pid));
  }
  // A thread's id has such files too.
  if (number_behind(*status, "Tgid:") != static_cast<std::uint64_t>(pid)) {
    is_gone(pid);
  }
  Target target;
  target.pid = pid;
  // The name, in parentheses, may hold anything; behind it: the state, and 18 numbers further the start.
  const std::size_t name_end = stat->rfind(')');
  const std::size_t name_start = stat->find('(');
  if (name_end == std::string::npos || name_start > name_end || name_end + 2 >= stat->size()) {
    throw Failure(exit_failure, fmt::format("/proc/{}/stat has no name in it", pid));
  }
  const char state = (*stat)[name_end + 2];
  if (state == 'Z' || state == 'X') {
    throw Failure(exit_failure, fmt::format("process {} has ended", pid));
  }
  target.name = escape(stat->substr(name_start + 1, name_end - name_start - 1));
  std::string_view rest = std::string_view(*stat).substr(name_end + 2);
  for (int field = 3; field < 22; ++field) {
    const std::size_t space = rest.find(' ');
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  std::from_chars(rest.data(), rest.data() + rest.size(), target.start);
  target.user = static_cast<uid_t>(number_behind(*status, "Uid:", 1).value_or(0));
  return target;
}

bool has_library(const Target& target) {
  const std::optional<std::string> maps = try_to_read(target.pid, "maps");
  return maps && maps->find("libtarn-python") != std::string::npos;
}

bool is_control_off(const Target& target) {
  return has_entry(try_to_read(target.pid, "environ").value_or(""), "TARN_CONTROL=off");
}

std::string why_unreachable(const Target& target) {
  if (!try_to_read(target.pid, "maps")) {
    return errno == EACCES || errno == EPERM ? "it may not be looked into" : "it is gone";
  }
  if (!has_library(target)) {
    return "it doesn't live on Tarn; 'tarn run' starts a program that does";
  }
  if (is_control_off(target)) {
    return "it was started with TARN_CONTROL=off";
  }
  return "libtarn-python.so is loaded, but nobody listens: it isn't Python, it has just started, "
         "or "
         "Tarn or its control is off in it";
}

std::string read_process_file(pid_t pid, const char* name) {
  std::optional<std::string> text = try_to_read(pid, name);
  if (!text) {
    if (errno == ENOENT || errno == ESRCH) {
      is_gone(pid);
    }
    throw Failure(exit_failure, fmt::format("/proc/{}/{}: {}", pid, name, std::strerror(errno)));
  }
  return *std::move(text);
}

std::uint64_t resident_bytes(pid_t pid) {
  const std::optional<std::uint64_t> kib =
      number_behind(read_process_file(pid, "smaps_rollup"), "Rss:");
  if (!kib) {
    is_gone(pid);
  }
  return *kib * 1024;
}

}  // namespace tarn::cli
