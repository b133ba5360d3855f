// What ends a command early: one line on standard error, and an exit status that says which kind of
// failure it was, as a shell's does.
#pragma once

#include <stdexcept>
#include <string>

namespace tarn::cli {

inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_not_found = 127;

class Failure : public std::runtime_error {
 public:
  Failure(int status, const std::string& text) : std::runtime_error(text), status_(status) {}
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

// An argument that can't be meant. `command` is what to ask for help: "tarn run".
class UsageError : public Failure {
 public:
  UsageError(const std::string& command, const std::string& text)
      : Failure(exit_usage, text + "; try '" + command + " --help'") {}
};

// A signal that asks tarn to end, caught where something had to be put away first.
struct Interrupted {
  int signal;
};

}  // namespace tarn::cli
