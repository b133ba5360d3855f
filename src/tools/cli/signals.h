// Which signals `tarn run --report` passes on to the program it waits for, and how it holds them back
// until it has decided.
//
// tarn and the program share a process group, so that job control, pipelines and terminals treat them
// as one job. Therefore a signal can reach tarn in two ways:
//
//   from the terminal    Ctrl-C, Ctrl-\, Ctrl-Z, a change of size, a read from the background: the
//                        kernel sends it to the whole group. The program has it already: tarn does
//                        nothing. (The exception: a hang-up goes to the session's leader only, so
//                        tarn passes it on when it is the leader, as under `ssh host tarn run ...`.)
//   to tarn alone        by `kill`, a service manager, a test's terminate(), an alarm: passed on.
//
// siginfo tells the two apart: what the terminal sends comes from the kernel (SI_KERNEL). Not told
// apart is a kill of the whole group by another process (`kill -- -GROUP`): that arrives twice. What
// the program sends to its own group or to tarn isn't passed back to it.
//
// Stopping follows the program: when it stops, tarn stops itself with the same signal, so that the
// shell sees a stopped job; when tarn is continued, it continues the program if it is still stopped.
#pragma once

#include <csignal>

#include <sys/types.h>

namespace tarn::cli {

// Holds back, while it lives, every signal that somebody may send; they wait in the queue for
// sigwaitinfo. Faults of tarn's own (SIGSEGV, SIGABRT...) and SIGPIPE are not among them.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();  // what came in and was not asked for is dropped
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  [[nodiscard]] const sigset_t& set() const { return held_; }

  // In a child, between fork and exec: the signals as tarn was started with.
  void restore_in_child() const noexcept;

 private:
  sigset_t held_;
  sigset_t mask_before_;
  struct sigaction child_action_before_;
};

// Whether a signal that tarn took from the queue has to go to the program `child`. Not for SIGCHLD and
// SIGCONT, which depend on the state of the program.
[[nodiscard]] bool must_pass_on(const siginfo_t& info, pid_t child, bool is_session_leader);

// Stops this process as `signal` does, although it is held back. Returns when it is continued.
void stop_self(int signal);

}  // namespace tarn::cli
