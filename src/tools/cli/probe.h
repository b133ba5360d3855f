// Asking a Python what it is. What it answers is hostile until it has been checked here.
#pragma once

#include <optional>
#include <string>

#include "tools/cli/capture.h"

namespace tarn::cli {

struct PythonFacts {
  std::string version;  // "3.13.0rc1"
  unsigned major = 0;
  unsigned minor = 0;
  std::string implementation;  // "cpython"
  bool free_threaded = false;
  unsigned pointer_bits = 0;
  std::string executable;  // the file that runs, links followed; its bytes, not escaped
  std::string libpython;   // the shared library it lives in; empty when it is in the executable
};

struct ProbeResult {
  std::optional<PythonFacts> facts;
  std::string problem;  // why there are none; printable
};

// Runs the Python isolated from the user's files and settings, within the limits.
[[nodiscard]] ProbeResult probe_python(const Program& python, const CaptureLimits& limits);

// The facts in what the probe printed; the problem if they aren't there.
[[nodiscard]] ProbeResult read_probe(std::string_view output);

// Why a captured program said nothing of use: its end, and its last line on standard error.
[[nodiscard]] std::string describe_failure(const Captured& captured, const CaptureLimits& limits);

}  // namespace tarn::cli
