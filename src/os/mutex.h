// Mutexes, and what becomes of them when a process forks.
#pragma once

#include <pthread.h>

namespace tarn::os {

class Mutex {
 public:
  constexpr Mutex() noexcept = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() noexcept { ::pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class Locked {
 public:
  explicit Locked(Mutex& mutex) noexcept : mutex_(mutex) { mutex_.lock(); }
  ~Locked() { mutex_.unlock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Mutex& mutex_;
};

// A mutex that is held by nobody in a child after fork, and whose data is then in order: fork waits for
// whoever holds it. Registered from construction of the membership to its end; linked, never copied.
class ForkSafeMutex : public Mutex {
 public:
  // False: the system couldn't take the handlers; the mutex works, but not across fork.
  bool enlist() noexcept;
  void leave() noexcept;

  // Takes the system's handlers now. Whoever has fork handlers of his own that use such a mutex calls this
  // before he registers them: then his run before fork takes the mutexes, and after it has let go.
  static bool prepare() noexcept;

  // What fork does, for whoever copies the process without it: takes them all, and lets go, on both sides.
  static void lock_all() noexcept;
  static void unlock_all() noexcept;

 private:
  friend class ForkSafeMutexes;
  ForkSafeMutex* next_ = nullptr;
};

}  // namespace tarn::os
