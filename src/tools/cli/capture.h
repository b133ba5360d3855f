// Running a program that isn't trusted, for what it prints: bounded in time and in output, without a
// terminal, and nothing of it left behind.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "tools/cli/program.h"

namespace tarn::cli {

struct Captured {
  enum class End { by_itself, out_of_time, too_much_output };
  End end = End::by_itself;
  int wait_status = 0;
  std::string output;  // what it wrote to standard output
  std::string errors;  // to standard error
};

struct CaptureLimits {
  std::chrono::milliseconds time{10'000};
  std::size_t bytes = 64 * 1024;  // of each stream
};

// The program gets a session of its own and an empty standard input; what it started is killed with
// it. Throws Failure when it can't be executed, and Interrupted when tarn is asked to end meanwhile.
[[nodiscard]] Captured capture(Program& program, const CaptureLimits& limits);

}  // namespace tarn::cli
