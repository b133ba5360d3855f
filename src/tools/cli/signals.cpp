#include "tools/cli/signals.h"

#include <ctime>
#include <initializer_list>

namespace tarn::cli {

HeldSignals::HeldSignals() {
  sigfillset(&held_);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE}) {
    sigdelset(&held_, own);
  }
  // Where SIGCHLD is ignored, the kernel throws exit statuses away.
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &action, &child_action_before_);
  ::sigprocmask(SIG_BLOCK, &held_, &mask_before_);
}

HeldSignals::~HeldSignals() {
  const timespec at_once = {};
  while (::sigtimedwait(&held_, nullptr, &at_once) > 0) {
  }
  restore_in_child();
}

void HeldSignals::restore_in_child() const noexcept {
  ::sigaction(SIGCHLD, &child_action_before_, nullptr);
  ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

bool must_pass_on(const siginfo_t& info, pid_t child, bool is_session_leader) {
  if (info.si_code == SI_KERNEL) {
    switch (info.si_signo) {
      case SIGINT:
      case SIGQUIT:
      case SIGTSTP:
      case SIGTTIN:
      case SIGTTOU:
      case SIGWINCH:
        return false;  // the terminal's, for the whole group
      case SIGHUP:
        return is_session_leader;
      default:
        return true;  // an alarm set before tarn was started, say
    }
  }
  return info.si_pid != child;
}

void stop_self(int signal) {
  // Raised while held back, so that it merges with the one that the terminal may have sent to tarn;
  // it takes effect when it is let through.
  ::raise(signal);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::sigprocmask(SIG_BLOCK, &one, nullptr);
}

}  // namespace tarn::cli
