// The mappings of a process, as /proc/PID/smaps tells them. What is in them was put there by the process:
// names are shown escaped, and a malformed text is refused.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tarn::cli {

struct Mapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t resident = 0;  // bytes
  std::string name;            // "[heap]", "/usr/lib/…", empty: anonymous memory
  std::string permissions{};   // "rw-p"
};

class BadMap : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws BadMap.
[[nodiscard]] std::vector<Mapping> read_memory_map(std::string_view smaps);

// Of the process's threads, as far as the system tells: that of a thread which runs at this moment isn't
// there, and all are missing where the system forbids to look.
[[nodiscard]] std::vector<std::uint64_t> stack_pointers(pid_t pid);

// How much of a range is resident, from /proc/PID/pagemap; zero where it can't be read.
[[nodiscard]] std::uint64_t resident_between(pid_t pid, std::uint64_t start, std::uint64_t end);

}  // namespace tarn::cli
