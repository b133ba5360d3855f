// Running tarn itself as a child, with its output elsewhere.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "tools/cli/signals.h"

namespace tarn::cli {

// Where a child's standard descriptors go; -1: where tarn's own go.
struct ChildStreams {
  int input = -1;
  int output = -1;
  int errors = -1;
};

// `tarn WORD…`, by the file that runs here, with the signals as they were at tarn's start. Throws Failure.
[[nodiscard]] pid_t start_tarn(const std::vector<std::string>& words, const ChildStreams& streams,
                               const HeldSignals& signals);

}  // namespace tarn::cli
