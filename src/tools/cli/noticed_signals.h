// Signals that ask tarn to end, noticed instead of ending it at once: for work that leaves something behind unless it's
// undone, such as a file under its temporary name.
#pragma once

#include <csignal>

namespace tarn::cli {

// One at a time. While it lives, the first HUP, INT, QUIT or TERM is only noticed; the same a second time ends tarn as ever. A
// signal that tarn was started with as ignored stays so.
class NoticedSignals {
 public:
  NoticedSignals();
  ~NoticedSignals();
  NoticedSignals(const NoticedSignals&) = delete;
  NoticedSignals& operator=(const NoticedSignals&) = delete;

  // Which came last; 0: none. Keeps its answer when the object is gone.
  [[nodiscard]] static int noticed() noexcept;

 private:
  static constexpr int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  struct sigaction before_[sizeof(signals) / sizeof(signals[0])];
};

}  // namespace tarn::cli
