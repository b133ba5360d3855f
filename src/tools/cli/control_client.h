// Asking a process at its control socket.
#pragma once

#include <string>

#include "tools/cli/target.h"

namespace tarn::cli {

// Throws Failure: it's another user's, or it doesn't live on Tarn.
void expect_on_tarn(const Target& target);

// The whole answer to a request ("release"), unchecked. Throws Failure: who can't be reached, isn't who it
// should be, or doesn't answer in time. Then nothing has happened in the target.
[[nodiscard]] std::string ask(const Target& target, const std::string& request);

}  // namespace tarn::cli
