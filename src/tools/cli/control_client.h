// Asking a process at its control socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tools/cli/control_answer.h"
#include "tools/cli/target.h"

namespace tarn::cli {

// Throws Failure: it's another user's, or it doesn't live on Tarn.
void expect_on_tarn(const Target& target);

// The whole answer to a request ("release"), unchecked. Throws Failure: who can't be reached, isn't who it
// should be, or doesn't answer in time. Then nothing has happened in the target.
[[nodiscard]] std::string ask(const Target& target, const std::string& request,
                              std::size_t size_limit = answer_size_limit);

// For a request whose answer is a stream of bytes ("snapshot"): `take` gets them as they come, up to their end.
// Throws Failure as ask() does, and what `take` throws.
void ask_for_stream(const Target& target, const std::string& request,
                    const std::function<void(std::string_view bytes)>& take);

}  // namespace tarn::cli
