#include "os/mutex.h"

namespace tarn::os {

// All enlisted mutexes. fork takes the list's own lock first and then each of them, in list order;
// nobody who holds one takes another, so no order can clash.
class ForkSafeMutexes {
 public:
  static bool add(ForkSafeMutex& mutex) noexcept {
    const Locked locked(guard_);
    take_handlers();
    mutex.next_ = first_;
    first_ = &mutex;
    return registered_;
  }

  static bool prepare() noexcept {
    const Locked locked(guard_);
    take_handlers();
    return registered_;
  }

  static void lock_all() noexcept { before_fork(); }
  static void unlock_all() noexcept { after_fork(); }

  static void remove(ForkSafeMutex& mutex) noexcept {
    const Locked locked(guard_);
    ForkSafeMutex** link = &first_;
    while (*link != nullptr && *link != &mutex) {
      link = &(*link)->next_;
    }
    if (*link != nullptr) {
      *link = mutex.next_;
    }
  }

 private:
  static void take_handlers() noexcept {
    if (!registered_) {
      registered_ = ::pthread_atfork(before_fork, after_fork, after_fork) == 0;
    }
  }
  static void before_fork() noexcept {
    guard_.lock();
    for (ForkSafeMutex* mutex = first_; mutex != nullptr; mutex = mutex->next_) {
      mutex->lock();
    }
  }
  static void after_fork() noexcept {
    for (ForkSafeMutex* mutex = first_; mutex != nullptr; mutex = mutex->next_) {
      mutex->unlock();
    }
    guard_.unlock();
  }

  static constinit Mutex guard_;
  static constinit ForkSafeMutex* first_;
  static constinit bool registered_;
};

constinit Mutex ForkSafeMutexes::guard_;
constinit ForkSafeMutex* ForkSafeMutexes::first_ = nullptr;
constinit bool ForkSafeMutexes::registered_ = false;

bool ForkSafeMutex::enlist() noexcept { return ForkSafeMutexes::add(*this); }
bool ForkSafeMutex::prepare() noexcept { return ForkSafeMutexes::prepare(); }
void ForkSafeMutex::lock_all() noexcept { ForkSafeMutexes::lock_all(); }
void ForkSafeMutex::unlock_all() noexcept { ForkSafeMutexes::unlock_all(); }
void ForkSafeMutex::leave() noexcept { ForkSafeMutexes::remove(*this); }

}  // namespace tarn::os
