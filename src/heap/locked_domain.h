// A domain behind a lock, for callers without one of their own: C++ threads, Python's raw domain, a
// second interpreter with a lock of its own. All domains of a heap share the lock.
#pragma once

#include <cstddef>

#include "heap/functions.h"
#include "os/mutex.h"

namespace tarn::heap {

class LockedDomain {
 public:
  void open(os::Mutex& mutex, Face inner) noexcept {
    mutex_ = &mutex;
    inner_ = inner;
  }

  [[nodiscard]] void* allocate(std::size_t size) noexcept {
    const os::Locked locked(*mutex_);
    return inner_.functions->allocate(inner_.domain, size);
  }
  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t size) noexcept {
    const os::Locked locked(*mutex_);
    return inner_.functions->allocate_zeroed(inner_.domain, count, size);
  }
  [[nodiscard]] void* reallocate(void* block, std::size_t size) noexcept {
    const os::Locked locked(*mutex_);
    return inner_.functions->reallocate(inner_.domain, block, size);
  }
  void free(void* block) noexcept {
    const os::Locked locked(*mutex_);
    inner_.functions->free(inner_.domain, block);
  }
  void free_sized(void* block, std::size_t size) noexcept {
    const os::Locked locked(*mutex_);
    inner_.functions->free_sized(inner_.domain, block, size);
  }
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept {
    const os::Locked locked(*mutex_);
    return inner_.functions->allocate_aligned(inner_.domain, alignment, size);
  }

 private:
  os::Mutex* mutex_ = nullptr;
  Face inner_ = {nullptr, nullptr};
};

}  // namespace tarn::heap
