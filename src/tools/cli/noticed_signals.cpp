#include "tools/cli/noticed_signals.h"

#include <cstddef>
#include <iterator>

namespace tarn::cli {
namespace {

volatile std::sig_atomic_t last = 0;

void notice(int signal) { last = signal; }

}  // namespace

NoticedSignals::NoticedSignals() {
  last = 0;
  for (std::size_t i = 0; i < std::size(signals); ++i) {
    ::sigaction(signals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler == SIG_DFL) {
      struct sigaction action = {};
      action.sa_handler = notice;
      action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
      ::sigemptyset(&action.sa_mask);
      ::sigaction(signals[i], &action, nullptr);
    }
  }
}

NoticedSignals::~NoticedSignals() {
  for (std::size_t i = 0; i < std::size(signals); ++i) {
    ::sigaction(signals[i], &before_[i], nullptr);
  }
}

int NoticedSignals::noticed() noexcept { return last; }

}  // namespace tarn::cli
