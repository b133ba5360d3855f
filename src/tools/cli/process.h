// Starting a program and waiting for it.
#pragma once

#include <string>

#include <sys/types.h>

#include "tools/cli/program.h"
#include "tools/cli/signals.h"

namespace tarn::cli {

// Becomes the program: the process id, the signals and the exit status are its own by construction.
// Returns only by throwing Failure.
[[noreturn]] void become(Program& program);

// Starts the program as a child. Throws Failure when it can't be executed.
[[nodiscard]] pid_t spawn(Program& program, const HeldSignals& signals);

// Waits for the child's end and passes signals on to it meanwhile. Returns its status as waitpid does.
[[nodiscard]] int wait_and_pass_signals(pid_t child, const HeldSignals& signals);

// The status that tarn has to end with: the child's exit status; if a signal ended the child, this
// process ends by the same signal (without a core file of its own) and does not return, unless it
// can't: then 128 + signal, as a shell has it.
[[nodiscard]] int end_as(int wait_status);

// "SIGTERM"; "signal 40" for those without a name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace tarn::cli
