// Another process that is asked about its memory: what /proc says of it.
#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace tarn::cli {

struct Target {
  pid_t pid = 0;
  uid_t user = 0;  // whom it runs as
  std::uint64_t start =
      0;             // in the kernel's ticks: together with the PID it's this process and no other
  std::string name;  // of its program, as its command line has it; printable
};

// The word as a process id. Throws UsageError; `command` is what to ask for help.
[[nodiscard]] pid_t read_process_id(const std::string& word, const std::string& command);

// Throws Failure: there is no such process, it has ended, or /proc isn't there.
[[nodiscard]] Target find_target(pid_t pid);

// Whether libtarn-python.so is loaded in it, and whether its environment turned the control off; false where
// /proc doesn't tell.
[[nodiscard]] bool has_library(const Target& target);
[[nodiscard]] bool is_control_off(const Target& target);

// Why it can't be reached at a socket, as far as /proc tells: "it doesn't live on Tarn …".
[[nodiscard]] std::string why_unreachable(const Target& target);

// A file below /proc/PID, whole. Throws Failure.
[[nodiscard]] std::string read_process_file(pid_t pid, const char* name);

// RSS in bytes, exactly, as the kernel sums it up over all mappings. Throws Failure.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

}  // namespace tarn::cli
